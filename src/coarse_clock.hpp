// A steady clock that is read in a tenth of the time, and is some milliseconds late.
#pragma once

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

}  // namespace sancho
