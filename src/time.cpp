#include "sancho/time.hpp"

namespace sancho {

namespace {
class SystemClock final : public Clock {
 public:
  Time now() const override { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }
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
