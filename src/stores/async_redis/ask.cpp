#include "stores/async_redis/ask.hpp"

#include "stores/async_redis/lane.hpp"

namespace sancho::redis {

boost::asio::awaitable<void> Ask::wait(const std::shared_ptr<Lane>& lane) {
  return sleep([lane](const boost::asio::any_io_executor& executor) { return lane->gate_of(executor); },
               [lane, self = weak_from_this()] {
                 if (const auto ask = std::static_pointer_cast<Ask>(self.lock())) lane->withdraw(ask);
               });
}

}  // namespace sancho::redis
