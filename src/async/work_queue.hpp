// # Work for the threads of an executor
//
// Jobs that wait for a thread stand here and not in the executor, so that they
// can be counted, and taken out again.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include "async/bell.hpp"

namespace sancho::coro {

// What is to be done on a thread, for a coroutine that waits at the bell.
class Job {
 public:
  explicit Job(Deadline until) : until_(until) {}
  virtual ~Job() = default;
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  Deadline until() const { return until_; }
  Bell bell;

 private:
  friend class WorkQueue;
  // Each rings the bell, now or later.
  virtual void run() noexcept = 0;
  virtual void expire() noexcept = 0;  // its turn comes too late: it is not begun
  const Deadline until_;
};

class WorkQueue : public std::enable_shared_from_this<WorkQueue> {
 public:
  WorkQueue(boost::asio::any_io_executor executor, std::size_t max_waiting)
      : executor_(std::move(executor)), max_waiting_(max_waiting) {}

  std::size_t max_waiting() const { return max_waiting_; }

  // False: as many wait as may.
  bool submit(std::shared_ptr<Job> job);
  // Takes it out again. False: it has begun, or is over.
  bool withdraw(const std::shared_ptr<Job>& job);

  // For a job that waits for something while it holds a thread: does what else
  // is to be done until `over`, which is asked under `mutex()`, or the deadline
  // has passed (then: false). Whoever changes what it depends on calls `stir`.
  template <class Over>
  bool help_until(std::unique_lock<std::mutex>& lock, Deadline deadline, Over over) {
    while (!over()) {
      if (!jobs_.empty())
        run_one(lock);
      else if (stirred_.wait_until(lock, deadline.at()) == std::cv_status::timeout && !over())
        return false;
    }
    return true;
  }
  std::mutex& mutex() { return mutex_; }
  void stir() { stirred_.notify_all(); }

 private:
  // The first of the jobs, without the lock.
  void run_one(std::unique_lock<std::mutex>& lock);

  const boost::asio::any_io_executor executor_;
  const std::size_t max_waiting_;
  std::mutex mutex_;
  std::condition_variable stirred_;
  std::deque<std::shared_ptr<Job>> jobs_;
};

}  // namespace sancho::coro
