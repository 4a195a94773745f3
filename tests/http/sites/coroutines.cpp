#include "coroutines.hpp"

#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "sancho/async/on_executor.hpp"

namespace site {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

awaitable<Page> log_out(AsyncScope& scope, Asked asked) {
  co_await scope.expire_session();
  if (asked.path.ends_with("/throw")) fail();
  co_return Page{.text = "goodbye"};
}

awaitable<Page> buy(AsyncScope& scope, Asked asked) {
  const auto claim = co_await scope.consume_form_token(asked.field("token"));
  if (!claim) co_return Page{.text = "refused"};
  ++scope->visits;
  if (asked.path.ends_with("/throw")) fail();
  co_return Page{.text = "bought"};
}

awaitable<Page> slow(Session& session, Asked asked) {
  ++session.visits;
  asio::steady_timer timer(co_await asio::this_coro::executor, asked.pause());
  co_await timer.async_wait(asio::use_awaitable);
  co_return Page{.text = tell(session)};
}

awaitable<Page> count(AsyncManager& manager) {
  const auto sessions = co_await manager.store().scan()->count(sancho::Deadline::after(std::chrono::seconds(5)));
  co_return Page{.text = std::to_string(sessions)};
}

}  // namespace

awaitable<Page> visit(AsyncManager& manager, AsyncScope& scope, Asked asked) {
  const auto path = asked.path;
  const bool post = asked.method == "POST";
  if (auto page = look(*scope, asked)) co_return std::move(*page);
  if (path == "/slow") co_return co_await slow(*scope, asked);
  if (path.starts_with("/logout") && post) co_return co_await log_out(scope, asked);
  if (path.starts_with("/buy") && post) co_return co_await buy(scope, asked);
  if (path == "/address") co_return address(scope.remote_address(), scope.https());
  if (path == "/sessions") co_return co_await count(manager);
  co_return Page{.status = 404, .text = "there is no such page"};
}

std::unique_ptr<AsyncManager> make_manager(const Options& options, asio::thread_pool& threads) {
  return std::make_unique<AsyncManager>(sancho::on_executor(make_store(options), threads.get_executor()),
                                        options.policy);
}

}  // namespace site
