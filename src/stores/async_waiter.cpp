#include "stores/async_waiter.hpp"

namespace sancho {

void Waiter::wake() {
  std::unique_ptr<Sleeper> risen;
  const std::lock_guard lock(mutex_);
  awake_ = true;
  if (!sleeper_) return;
  pass([&] {
    risen = std::move(sleeper_);
    risen->rise();
  });
}

void Waiter::wake_within(const boost::asio::io_context& loop) {
  std::unique_ptr<Sleeper> risen;
  {
    const std::lock_guard lock(mutex_);
    awake_ = true;
    if (!sleeper_) return;
    const bool here = sleeper_->loop == &loop;
    const auto rise = [&] {
      risen = std::move(sleeper_);
      if (!here) risen->rise();
    };
    if (here && !gate_)
      rise();  // what runs is there
    else
      pass(rise);
    if (!here) return;
  }
  if (risen) risen->go_on();
}

// The coroutine belongs to the context that goes.
void Waiter::leave() noexcept {
  std::unique_ptr<Sleeper> torn_down;
  const std::lock_guard lock(mutex_);
  torn_down = std::move(sleeper_);
}

void Waiter::let_go() noexcept {
  std::unique_ptr<Sleeper> torn_down;
  const std::lock_guard lock(mutex_);
  if (!gate_) torn_down = std::move(sleeper_);
}

}  // namespace sancho
