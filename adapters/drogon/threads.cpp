#include <algorithm>

#include "sancho/adapters/drogon.hpp"

namespace sancho::detail {

DrogonThreads::DrogonThreads(unsigned threads, std::size_t max_waiting) : max_waiting_(max_waiting) {
  for (unsigned i = 0; i < std::max(threads, 1U); ++i) threads_.emplace_back([this] { serve(); });
}

DrogonThreads::~DrogonThreads() {
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
  }
  wake_.notify_all();
  for (auto& thread : threads_) thread.join();
}

bool DrogonThreads::run(std::function<void()>& work) {
  {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() >= max_waiting_) return false;
    waiting_.push_back(std::move(work));
  }
  wake_.notify_one();
  return true;
}

void DrogonThreads::serve() {
  for (std::unique_lock lock(mutex_);;) {
    wake_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    if (stopped_) return;
    auto work = std::move(waiting_.front());
    waiting_.pop_front();
    lock.unlock();
    work();
    work = nullptr;  // and what it holds, while nobody waits for us
    lock.lock();
  }
}

}  // namespace sancho::detail
