#include "sancho/time.hpp"

#include <ctime>

namespace sancho {

namespace {
class SystemClock final : public Clock {
 public:
  Time now() const override { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }

#ifdef CLOCK_REALTIME_COARSE
  // The coarse clock is the same one as of the last tick, some milliseconds ago.
  // What lies beyond a minute of it has not come.
  bool passed(Time t) const override {
    std::timespec tick{};
    if (clock_gettime(CLOCK_REALTIME_COARSE, &tick) != 0) return now() >= t;
    const Time then{std::chrono::seconds(tick.tv_sec)};
    return t < then + std::chrono::minutes(1) && now() >= t;
  }
#endif
};

class SystemSteadyClock final : public SteadyClock {
 public:
  Moment now() const override { return std::chrono::steady_clock::now(); }
};
}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

const SteadyClock& steady_clock() {
  static const SystemSteadyClock clock;
  return clock;
}

}  // namespace sancho
