// A blocking store whose calls a test holds up.
#pragma once

#include <condition_variable>
#include <mutex>

#include "sancho/decorators/decorated.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::test {

class HeldStore final : public Decorated<HeldStore> {
 public:
  explicit HeldStore(const Clock& clock = system_clock()) : Decorated(open_memory_store(clock)) {}

  // Calls that come from now on wait for `release`.
  void hold() {
    const std::lock_guard lock(mutex_);
    held_ = true;
  }
  void release() {
    const std::lock_guard lock(mutex_);
    held_ = false;
    changed_.notify_all();
  }
  // Waits until so many calls have begun, since it was made.
  void wait_for(int begun) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return begun_ >= begun; });
  }
  int begun() const {
    const std::lock_guard lock(mutex_);
    return begun_;
  }

  template <class Call>
  auto through(StoreVerb, Deadline deadline, Call call) {
    {
      std::unique_lock lock(mutex_);
      ++begun_;
      changed_.notify_all();
      changed_.wait(lock, [&] { return !held_; });
    }
    return call(deadline);
  }

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool held_ = false;
  int begun_ = 0;
};

}  // namespace sancho::test
