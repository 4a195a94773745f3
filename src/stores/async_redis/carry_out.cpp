#include "stores/async_redis/carry_out.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>

namespace sancho::redis {

namespace asio = boost::asio;
using asio::awaitable;

Asked ask(Ground& ground, Exchange& what, Floor& floor) {
  Asked asked;
  try {
    asked.ask = ground.wires.ask(what, asked.lane);
  } catch (const StoreError&) {
    floor.fail(std::current_exception());
  }
  return asked;
}

void hand_in(Ask& ask, Floor& floor) {
  switch (ask.end) {
    case Ask::End::answered:
      return floor.answer(std::move(ask.replies));
    case Ask::End::lost:
      return floor.fail(std::make_exception_ptr(ask.lost));
    case Ask::End::refused:
      return floor.fail(ask.refused);
    case Ask::End::cancelled:
      throw boost::system::system_error(asio::error::operation_aborted);
  }
}

awaitable<void> pause(Pause length) {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::min(length.length, length.until.left()));
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace sancho::redis
