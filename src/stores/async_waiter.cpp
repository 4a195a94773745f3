#include "stores/async_waiter.hpp"

namespace sancho {

void Waiter::wake() {
  std::unique_ptr<Sleeper> risen;
  const std::lock_guard lock(mutex_);
  awake_ = true;
  if (!sleeper_) return;
  gate_->pass([&] {
    gate_->leave(*this);
    risen = std::move(sleeper_);
    risen->rise();
  });
}

// The coroutine belongs to the context that goes.
void Waiter::leave() noexcept {
  std::unique_ptr<Sleeper> torn_down;
  const std::lock_guard lock(mutex_);
  torn_down = std::move(sleeper_);
}

}  // namespace sancho
