#include "stores/async_home.hpp"

#include <vector>

namespace sancho {

namespace asio = boost::asio;

asio::execution_context::id Home::id;

std::shared_ptr<Gate> Home::gate_of(const asio::any_io_executor& executor) {
  return asio::use_service<Home>(asio::query(executor, asio::execution::context)).gate_;
}

void Gate::enter(Guest& guest) {
  guest.behind_ = first_;
  if (first_) first_->before_ = &guest;
  first_ = &guest;
}

void Gate::leave(Guest& guest) {
  if (guest.before_)
    guest.before_->behind_ = guest.behind_;
  else if (first_ == &guest)
    first_ = guest.behind_;
  if (guest.behind_) guest.behind_->before_ = guest.before_;
  guest.before_ = guest.behind_ = nullptr;
}

void Gate::close() noexcept {
  std::vector<std::shared_ptr<Guest>> guests;
  {
    const std::lock_guard lock(mutex_);
    open_ = false;
    while (auto* guest = first_) {
      leave(*guest);
      if (auto held = guest->hold()) guests.push_back(std::move(held));
      guest->give_back();
    }
  }
  for (const auto& guest : guests) guest->leave();
}

}  // namespace sancho
