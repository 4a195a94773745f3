#include "async/work_queue.hpp"

#include <boost/asio/post.hpp>

#include <algorithm>

namespace sancho::coro {

bool WorkQueue::submit(std::shared_ptr<Job> job) {
  {
    const std::lock_guard lock(mutex_);
    if (jobs_.size() >= max_waiting_) return false;
    jobs_.push_back(std::move(job));
  }
  stir();
  // One turn for each job. Some find nothing left to do: it was done by a thread
  // that waited meanwhile, or taken out.
  boost::asio::post(executor_, [self = shared_from_this()] {
    std::unique_lock lock(self->mutex_);
    if (!self->jobs_.empty()) self->run_one(lock);
  });
  return true;
}

bool WorkQueue::withdraw(const std::shared_ptr<Job>& job) {
  const std::lock_guard lock(mutex_);
  const auto at = std::find(jobs_.begin(), jobs_.end(), job);
  if (at == jobs_.end()) return false;
  jobs_.erase(at);
  return true;
}

void WorkQueue::run_one(std::unique_lock<std::mutex>& lock) {
  const auto job = std::move(jobs_.front());
  jobs_.pop_front();
  lock.unlock();
  if (job->until().passed())
    job->expire();
  else
    job->run();
  lock.lock();
}

}  // namespace sancho::coro
