// # sancho_bench_threads
//
// What reads scale to: `sancho_bench_threads [SESSIONS ...]`, 1e3 to 1e6 where none are
// named. In each turn, one behind another and each for a twentieth of a second: one
// thread and two on one store; one and two where each has a store of its own, with half
// of the sessions, and nothing is shared. So what the machine does meanwhile, it does to
// all four. A line of JSON for each number of sessions:
//
//     {"sessions": N, "shared": .., "apart": .., "ratio": .., "turns": T}
//
// How many times as much two threads read as one, on one store and apart, and the one by
// the other: medians over the turns.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <thread>
#include <vector>

#include "contender.hpp"

namespace sancho::bench {
namespace {

using Steady = std::chrono::steady_clock;
constexpr int turns = 41;
constexpr auto length = std::chrono::milliseconds{50};

struct Side {
  explicit Side(std::size_t n) : sessions(n), contender(sancho_on("memory", "", "", {n, {}, {}})) {}

  // What comes to one thread, in this order, and then from the beginning.
  std::vector<Visit> visits(unsigned thread) const {
    std::minstd_rand chance(thread + 1);
    std::vector<Visit> all(std::min<std::size_t>(sessions, 1 << 16));
    for (auto& visit : all) {
      visit.session = (std::size_t{chance()} << 8 ^ chance()) % sessions;
      visit.brought = contender->brings(visit.session);
    }
    return all;
  }

  std::size_t sessions;
  std::unique_ptr<Contender> contender;
};

// Reads a second by a thread for each of the sides, all together.
double rate(const std::vector<const Side*>& sides) {
  constexpr std::size_t batch = 64;  // between two looks at the clock
  std::atomic<std::size_t> ready = 0;
  std::vector<double> rates(sides.size());
  std::vector<std::jthread> threads;
  for (unsigned t = 0; t < sides.size(); ++t)
    threads.emplace_back([&, t] {
      const auto all = sides[t]->visits(t);
      auto& contender = *sides[t]->contender;
      ++ready;
      while (ready < sides.size()) {}
      std::size_t done = 0, at = 0;
      const auto begin = Steady::now();
      auto now = begin;
      for (; now < begin + length; now = Steady::now())
        for (std::size_t i = 0; i < batch; ++i, ++done) {
          contender.read(t, all[at]);
          if (++at == all.size()) at = 0;
        }
      rates[t] = static_cast<double>(done) / std::chrono::duration<double>(now - begin).count();
    });
  threads.clear();
  double sum = 0;
  for (const auto each : rates) sum += each;
  return sum;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

void measure(std::size_t n) {
  const Side whole(n), left(n / 2), right(n / 2);
  std::vector<double> shared, apart, ratios;
  for (int turn = -1; turn < turns; ++turn) {  // the first is not counted
    const auto one = rate({&whole}), two = rate({&whole, &whole});
    const auto one_apart = rate({&left}), two_apart = rate({&left, &right});
    if (turn < 0) continue;
    shared.push_back(two / one), apart.push_back(two_apart / one_apart);
    ratios.push_back(shared.back() / apart.back());
  }
  std::printf("{\"sessions\": %zu, \"shared\": %.3f, \"apart\": %.3f, \"ratio\": %.3f, \"turns\": %d}\n", n, median(shared), median(apart),
              median(ratios), turns);
  std::fflush(stdout);
}

}  // namespace
}  // namespace sancho::bench

int main(int argc, char** argv) {
  std::vector<std::size_t> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(static_cast<std::size_t>(std::atof(argv[i])));
  for (const auto n : sizes)
    if (n < 2) return std::fputs("sancho_bench_threads [SESSIONS ...]\n", stderr), 2;
  if (sizes.empty()) sizes = {1'000, 10'000, 100'000, 1'000'000};
  for (const auto n : sizes) sancho::bench::measure(n);
}
