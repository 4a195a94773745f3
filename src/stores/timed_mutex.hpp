// A mutex that is waited for until a deadline. `std::timed_mutex` is one, but
// ThreadSanitizer of g++ 12 does not see how it locks.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace sancho {

class TimedMutex {
 public:
  bool try_lock_until(std::chrono::steady_clock::time_point at) {
    std::unique_lock lock(mutex_);
    if (!free_.wait_until(lock, at, [&] { return !taken_; })) return false;
    taken_ = true;
    return true;
  }

  void unlock() {
    {
      const std::lock_guard lock(mutex_);
      taken_ = false;
    }
    free_.notify_one();
  }

 private:
  std::mutex mutex_;
  std::condition_variable free_;
  bool taken_ = false;
};

}  // namespace sancho
