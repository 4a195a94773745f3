// Where threads sleep until they are called, each by a number. Calling several is one
// call of the system, and none of them needs a lock to wake up.
//
//     const auto seen = sleepers.calls();     // first this,
//     if (!what_i_wait_for()) sleepers.sleep(seen, mine, until);
//
// Whoever makes it true does so before it calls. Nothing here outlives a fork badly:
// a child may let its copy go, whoever sleeps in the parent.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#if defined(__linux__)
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>
#else
#include <condition_variable>
#include <mutex>
#endif

namespace sancho {

class Sleepers {
 public:
  // A set of them: a bit each, or one that several have.
  using Who = std::uint32_t;
  using Until = std::optional<std::chrono::steady_clock::time_point>;

  // How often somebody was called.
  std::uint32_t calls() const noexcept { return calls_.load(); }

#if defined(__linux__)
  // Returns when `me` is called, at `until`, if anybody was called since `seen`, or for
  // no reason.
  void sleep(std::uint32_t seen, Who me, const Until& until) noexcept {
    std::timespec at{};
    if (until) {
      const auto since = until->time_since_epoch();
      const auto whole = std::chrono::floor<std::chrono::seconds>(since);
      at.tv_sec = static_cast<std::time_t>(whole.count());
      at.tv_nsec = static_cast<long>(std::chrono::nanoseconds(since - whole).count());
    }
    syscall(SYS_futex, &calls_, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, seen, until ? &at : nullptr, nullptr, me);
  }
  void call(Who them) noexcept {
    calls_.fetch_add(1);
    syscall(SYS_futex, &calls_, FUTEX_WAKE_BITSET | FUTEX_PRIVATE_FLAG, INT_MAX, nullptr, nullptr, them);
  }

 private:
  static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t) && std::atomic<std::uint32_t>::is_always_lock_free);
#else
  // Here a call wakes all of them.
  void sleep(std::uint32_t seen, Who, const Until& until) {
    std::unique_lock lock(mutex_);
    const auto called = [&] { return calls_.load() != seen; };
    if (until) called_.wait_until(lock, *until, called);
    else called_.wait(lock, called);
  }
  void call(Who) {
    {
      const std::lock_guard lock(mutex_);
      calls_.fetch_add(1);
    }
    called_.notify_all();
  }

 private:
  std::mutex mutex_;
  std::condition_variable called_;
#endif
  std::atomic<std::uint32_t> calls_ = 0;
};

}  // namespace sancho
