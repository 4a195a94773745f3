// A steady clock that is read in a tenth of the time, and is some milliseconds late.
#pragma once

#include <atomic>
#include <chrono>
#include <ctime>

namespace sancho {

// As of the last tick of the operating system's.
inline std::chrono::steady_clock::time_point coarse_now() {
#ifdef CLOCK_MONOTONIC_COARSE
  // The clock below `steady_clock`, here and with every other Linux.
  std::timespec tick{};
  if (clock_gettime(CLOCK_MONOTONIC_COARSE, &tick) == 0)
    return std::chrono::steady_clock::time_point(std::chrono::seconds(tick.tv_sec) + std::chrono::nanoseconds(tick.tv_nsec));
#endif
  return std::chrono::steady_clock::now();
}

// No tick is longer, of those that a kernel can be configured for.
inline constexpr std::chrono::milliseconds longest_tick{10};

// Has this moment passed? The exact clock is asked only when it is near.
inline bool has_passed(std::chrono::steady_clock::time_point at, std::chrono::steady_clock::time_point tick) {
  return tick + longest_tick >= at && std::chrono::steady_clock::now() >= at;
}

// Of what need not be looked at more often than once a tick, when it was last found
// as it should be. Threads share it.
class SeenThisTick {
 public:
  bool seen(std::chrono::steady_clock::time_point tick) const {
    return tick_.load(std::memory_order_relaxed) == tick.time_since_epoch().count();
  }
  void note(std::chrono::steady_clock::time_point tick) { tick_.store(tick.time_since_epoch().count(), std::memory_order_relaxed); }
  void forget() { tick_.store(never, std::memory_order_relaxed); }

 private:
  static constexpr std::chrono::steady_clock::rep never = std::chrono::steady_clock::duration::min().count();
  std::atomic<std::chrono::steady_clock::rep> tick_ = never;
};

}  // namespace sancho
