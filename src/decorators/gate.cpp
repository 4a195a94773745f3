#include "gate.hpp"

#include <algorithm>

namespace sancho {

Gate::Entry Gate::enter(Deadline deadline) {
  std::unique_lock lock(mutex_);
  if (free_ > 0) {
    --free_;
    return Entry::at_once;
  }
  if (waiting_.size() >= line_) return Entry::too_many;
  Waiter me;
  waiting_.push_back(&me);
  if (me.woken.wait_until(lock, deadline.at(), [&] { return me.called; })) return Entry::after_a_wait;
  waiting_.erase(std::find(waiting_.begin(), waiting_.end(), &me));
  return Entry::too_late;
}

// The place goes to the first in line, not to who happens to come by. It is
// woken under the lock, because it is gone as soon as it has seen its call.
void Gate::leave() {
  const std::lock_guard lock(mutex_);
  if (waiting_.empty()) {
    ++free_;
    return;
  }
  auto* next = waiting_.front();
  waiting_.pop_front();
  next->called = true;
  next->woken.notify_one();
}

}  // namespace sancho
