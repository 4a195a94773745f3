#include <benchmark/benchmark.h>

#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

#include "contender.hpp"

namespace sancho::bench {

namespace {
class Map final : public Contender {
 public:
  explicit Map(std::size_t n) : sessions_(n) {
    for (std::size_t i = 0; i < n; ++i) rows_[key(i)] = {"user" + std::to_string(i), std::string(payload_bytes, 'x')};
    next_ = n;
  }
  std::string brings(std::size_t i) const override { return key(i); }
  void read(unsigned, const Visit& visit) override {
    std::string user;
    {
      const std::shared_lock lock(mutex_);
      if (const auto at = rows_.find(visit.brought); at != rows_.end()) user = at->second.user;
    }
    benchmark::DoNotOptimize(user);
  }
  void write(unsigned, const Visit& visit) override {
    std::string payload(payload_bytes, 'y');
    const std::unique_lock lock(mutex_);
    if (const auto at = rows_.find(visit.brought); at != rows_.end()) at->second.payload = std::move(payload);
  }
  void log_in(unsigned) override {
    auto k = key(next_++);
    Row row{"somebody", std::string(payload_bytes, 'x')};
    const std::unique_lock lock(mutex_);
    rows_.emplace(std::move(k), std::move(row));
  }
  void lose_a_part() override {
    const std::unique_lock lock(mutex_);
    for (const auto until = oldest_ + a_part(sessions_); oldest_ < until; ++oldest_) rows_.erase(key(oldest_));
  }

  static std::string key(std::size_t i) {
    auto k = std::to_string(i * 0x9e3779b97f4a7c15u);
    k.resize(43, 'k');  // as long as an id
    return k;
  }

 private:
  struct Row {
    std::string user, payload;
  };
  std::shared_mutex mutex_;
  std::unordered_map<std::string, Row> rows_;
  const std::size_t sessions_;
  std::atomic<std::size_t> next_;
  std::size_t oldest_ = 0;
};
}  // namespace

std::unique_ptr<Contender> map_floor(const Setting& setting) { return std::make_unique<Map>(setting.sessions); }

}  // namespace sancho::bench
