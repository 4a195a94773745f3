#include "sancho/async/session_watch.hpp"

#include <boost/asio/error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>

#include "async/core.hpp"
#include "base/caught.hpp"
#include "session/looking.hpp"

namespace sancho {

namespace asio = boost::asio;
using asio::awaitable;

AsyncSessionWatch::AsyncSessionWatch(AsyncSessionManagerBase& manager, SessionTicket ticket, WatchOptions options)
    : AsyncSessionWatch(manager.core_, std::move(ticket), options) {}

AsyncSessionWatch::AsyncSessionWatch(std::shared_ptr<AsyncManagerCore> core, SessionTicket ticket, WatchOptions options)
    : SessionWatchBase(*core, std::move(ticket), options), core_(std::move(core)) {}

AsyncSessionWatch::~AsyncSessionWatch() = default;

awaitable<std::optional<SessionEnd>> AsyncSessionWatch::look() {
  if (ended()) co_return ended();
  const auto line = coro::line_to(core_->store(), co_await asio::this_coro::executor);
  try {
    Looking looking(*this);
    co_await coro::carry_out(looking, line);
    settle(looking);
  } catch (const boost::system::system_error& e) {
    if (e.code() == asio::error::operation_aborted) throw;
    failed(e.what());
  } catch (...) {
    failed(caught());
  }
  co_return ended();
}

awaitable<SessionEnd> AsyncSessionWatch::until_ended() {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  while (!ended()) {
    timer.expires_after(pause());
    co_await timer.async_wait(asio::use_awaitable);
    co_await look();
  }
  co_return *ended();
}

}  // namespace sancho
