#include "stores/async_postgresql/ask.hpp"

#include "stores/async_postgresql/lanes.hpp"

namespace sancho::postgresql {

boost::asio::awaitable<void> Ask::wait(const std::shared_ptr<Lanes>& lanes) {
  return sleep([](const boost::asio::any_io_executor& executor) { return Home::gate_of(executor); },
               [lanes, self = weak_from_this()] {
                 if (const auto ask = std::static_pointer_cast<Ask>(self.lock())) lanes->withdraw(ask);
               });
}

}  // namespace sancho::postgresql
