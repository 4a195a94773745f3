// Times of calls, in CPU time of the thread that makes them, by powers of two.
#pragma once

#include <time.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <string>

namespace sancho::bench {

inline std::int64_t cpu_ns() {
  timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return t.tv_sec * 1'000'000'000 + t.tv_nsec;
}

class Histogram {
 public:
  template <class Call>
  auto time(Call call) {
    const auto begin = cpu_ns();
    auto answer = call();
    add(cpu_ns() - begin);
    return answer;
  }
  void add(std::int64_t ns) {
    ++counts_[std::bit_width(static_cast<std::uint64_t>(ns))];
    longest_ = std::max(longest_, ns);
    total_ += ns, ++n_;
  }
  std::int64_t total() const { return total_; }

  // Members of a JSON object: how many calls took less than so many nanoseconds
  // (and no less than half of it).
  std::string json() const {
    std::string bins;
    for (std::size_t i = 0; i < counts_.size(); ++i)
      if (counts_[i]) bins += (bins.empty() ? "\"" : ", \"") + std::to_string(std::uint64_t{1} << i) + "\": " + std::to_string(counts_[i]);
    char head[128];
    std::snprintf(head, sizeof head, "\"calls\": %llu, \"mean_ns\": %.0f, \"longest_ns\": %lld, \"histogram_ns\": {",
                  static_cast<unsigned long long>(n_), n_ ? static_cast<double>(total_) / static_cast<double>(n_) : 0.0, static_cast<long long>(longest_));
    return head + bins + "}";
  }

 private:
  std::array<std::uint64_t, 65> counts_{};
  std::int64_t longest_ = 0, total_ = 0;
  std::uint64_t n_ = 0;
};

}  // namespace sancho::bench
