// Of WebSockets what is the same for streams of any kind.
#include "sancho/adapters/beast_websocket.hpp"

namespace sancho::detail {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

bool is_cancelled(const asio::cancellation_state& state) { return state.cancelled() != asio::cancellation_type::none; }

}  // namespace

awaitable<SessionEnd> end_of_session(AsyncSessionWatch& watch) {
  std::exception_ptr trouble;
  try {
    const auto end = co_await watch.until_ended();
    co_return end;
  } catch (...) {
    trouble = std::current_exception();
  }
  if (is_cancelled(co_await asio::this_coro::cancellation_state)) std::rethrow_exception(trouble);
  co_return SessionEnd::outage;
}

awaitable<void> converse(awaitable<void> conversation, AsyncSessionWatch& watch, std::exception_ptr& trouble) {
  try {
    co_await std::move(conversation);
  } catch (...) {
    trouble = std::current_exception();
  }
  if (!watch.ended()) co_return;
  asio::steady_timer timer(co_await asio::this_coro::executor, asio::steady_timer::time_point::max());
  co_await timer.async_wait(asio::use_awaitable);
}

}  // namespace sancho::detail
