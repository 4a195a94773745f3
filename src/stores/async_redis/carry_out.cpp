#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>

#include <algorithm>

#include "stores/async_redis/async_redis_store.hpp"

namespace sancho::redis {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

void hand_in(Floor& floor, Ask& ask) {
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

awaitable<void> pause(const Pause& length) {
  asio::steady_timer timer(co_await asio::this_coro::executor, std::min(length.length, length.until.left()));
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace

awaitable<void> carry_out(Ground& ground, Floor& floor, const AsyncScan::Each* each) {
  ground.dealings.require_own_process();
  while (const Wish* wish = floor.next()) {
    if (const auto* show = std::get_if<Show>(wish)) {
      const bool on = co_await (*each)(*show->found);
      floor.answer(on);
    } else if (const auto* length = std::get_if<Pause>(wish)) {
      co_await pause(*length);
    } else {
      std::shared_ptr<Lane> lane;
      std::shared_ptr<Ask> ask;
      try {
        ask = ground.wires.ask(std::get<Exchange>(*wish), lane);
      } catch (const StoreError&) {
        floor.fail(std::current_exception());
      }
      if (!ask) continue;
      co_await ask->wait(lane);
      hand_in(floor, *ask);
    }
  }
}

}  // namespace sancho::redis
