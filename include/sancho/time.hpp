// # Time
//
// A session's life is measured on the wall clock, because a record outlives
// the process that wrote it. The clock is a parameter everywhere, so that a
// test moves time by hand and never sleeps.
#pragma once

#include <atomic>
#include <chrono>

#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

// The unit of every limit and every age.
using Duration = std::chrono::milliseconds;

// A moment: milliseconds since 1970-01-01 00:00 UTC, as records keep it.
using Time = std::chrono::sys_time<Duration>;

// Where "now" comes from. Implementations are safe to call from any thread.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;
  // Has this moment come: `now() >= t`. The operating system's clock says no to a
  // moment that is far away without being read, which costs a tenth.
  virtual bool passed(Time t) const { return now() >= t; }
};

// The operating system's wall clock. Lives for the whole program.
const Clock& system_clock();

// A clock that stands still until it is moved. For tests.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start = Time{std::chrono::hours{24 * 365 * 50}}) : now_(start.time_since_epoch().count()) {}
  Time now() const override { return Time{Duration{now_.load()}}; }
  void advance(Duration by) { now_ += by.count(); }
  void set(Time to) { now_ = to.time_since_epoch().count(); }

 private:
  std::atomic<Duration::rep> now_;
};

// A clock that never jumps, for what is over with the process: how long ago a
// call failed, when the next round is due. Safe to call from any thread.
class SteadyClock {
 public:
  using Moment = std::chrono::steady_clock::time_point;
  virtual ~SteadyClock() = default;
  virtual Moment now() const = 0;
};

// The operating system's. Lives for the whole program.
const SteadyClock& steady_clock();

// One that stands still until it is moved. For tests.
class ManualSteadyClock final : public SteadyClock {
 public:
  Moment now() const override { return Moment{Moment::duration{now_.load()}}; }
  void advance(std::chrono::nanoseconds by) { now_ += std::chrono::duration_cast<Moment::duration>(by).count(); }

 private:
  std::atomic<Moment::rep> now_ = Moment::duration{std::chrono::hours{24}}.count();
};

// The moment by which a call must have ended, on the clock that never jumps.
// Every store call takes one; a call that cannot finish in time throws
// `StoreError` of kind *unavailable* (or *contention*, where others kept
// getting in first).
class Deadline {
 public:
  using Steady = std::chrono::steady_clock;

  static Deadline after(Duration d) { return Deadline{Steady::now() + d}; }
  explicit Deadline(Steady::time_point at) : at_(at) {}

  bool passed() const { return Steady::now() >= at_; }
  // What is left of it; never negative.
  Duration left() const {
    auto d = std::chrono::duration_cast<Duration>(at_ - Steady::now());
    return d.count() > 0 ? d : Duration::zero();
  }
  Steady::time_point at() const { return at_; }

 private:
  Steady::time_point at_;
};

}  // namespace sancho
