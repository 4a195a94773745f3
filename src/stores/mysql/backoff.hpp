// How long to wait before the next attempt, when others were in the way: at
// first not at all, then up to twice as long each time, by chance.
#pragma once

#include <algorithm>
#include <thread>

#include "sancho/random.hpp"
#include "sancho/time.hpp"

namespace sancho::mysql {

class Backoff {
 public:
  explicit Backoff(Deadline deadline) : deadline_(deadline) {}

  // Waits; false if the deadline has passed.
  bool wait() {
    const auto most = most_;
    most_ = std::min(most_ * 2 + std::chrono::microseconds{500}, std::chrono::microseconds{50000});
    if (most.count() > 0) {
      const std::chrono::microseconds nap{
          static_cast<std::int64_t>(system_random().draw_u64() % static_cast<std::uint64_t>(most.count()))};
      std::this_thread::sleep_until(std::min(deadline_.at(), Deadline::Steady::now() + nap));
    }
    return !deadline_.passed();
  }

 private:
  Deadline deadline_;
  std::chrono::microseconds most_{0};
};

}  // namespace sancho::mysql
