// Watches and handshakes of coroutines.
#include "sancho/async/session_watch.hpp"

#include "sancho/async/handshake.hpp"
#include "shop.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;

awaitable<SessionTicket> log_in(AsyncShop& shop, Browser& browser) {
  auto scope = co_await shop.start(browser);
  scope->set_user("ada");
  const auto lines = co_await scope.finish();
  browser.take(lines);
  co_return scope.ticket().value();
}

awaitable<void> log_out(AsyncShop& shop, Browser& browser) {
  auto scope = co_await shop.start(browser);
  co_await scope.expire_session();
  const auto lines = co_await scope.finish();
  browser.take(lines);
}

TEST(AsyncWatch, WaitsUntilTheSessionHasEndedAlongItsRenewals) {
  AsyncShop app;
  run([](AsyncShop& shop) -> awaitable<void> {
    Browser browser;
    const auto ticket = co_await log_in(shop, browser);
    AsyncSessionWatch watch(shop.sessions, ticket, {.interval = 4ms});
    std::optional<SessionEnd> end;
    auto ended = [&](std::exception_ptr, SessionEnd how) { end = how; };
    asio::co_spawn(co_await asio::this_coro::executor, watch.until_ended(), ended);
    for (int i = 0; i < 5; ++i) {
      co_await shop.visit(browser, [](VisitSession& session) { session.renew_id(); });
      co_await pause(10ms);
      EXPECT_EQ(end, std::nullopt);
    }
    co_await log_out(shop, browser);
    for (int i = 0; i < 1000 && !end; ++i) co_await pause(5ms);
    EXPECT_EQ(end, SessionEnd::logged_out);
  }(app));
}

TEST(AsyncWatch, ALookThatIsCancelledDecidesNothing) {
  AsyncShop app;
  run([](AsyncShop& shop) -> awaitable<void> {
    Browser browser;
    const auto ticket = co_await log_in(shop, browser);
    AsyncSessionWatch watch(shop.sessions, ticket, {.interval = 1ms, .outage_limit = 0ms});
    shop.store->before = [](Step, int) { return for_ever(); };
    std::string end;
    asio::cancellation_signal stop;
    auto ended = [&](std::exception_ptr trouble, SessionEnd) { end = how(trouble); };
    asio::co_spawn(co_await asio::this_coro::executor, watch.until_ended(),
                   asio::bind_cancellation_slot(stop.slot(), ended));
    co_await pause(20ms);
    stop.emit(asio::cancellation_type::terminal);
    for (int i = 0; i < 1000 && end.empty(); ++i) co_await pause(5ms);
    EXPECT_EQ(end, "cancelled");
    EXPECT_EQ(watch.ended(), std::nullopt);
    shop.store->reset();
    EXPECT_EQ(co_await watch.look(), std::nullopt);
  }(app));
}

TEST(AsyncWatch, AStoreThatDoesNotAnswerEndsItAfterTheLimit) {
  AsyncShop app;
  run([](AsyncShop& shop) -> awaitable<void> {
    Browser browser;
    ManualSteadyClock steady;
    const auto ticket = co_await log_in(shop, browser);
    AsyncSessionWatch watch(shop.sessions, ticket, {.steady = steady});
    shop.store->before = [](Step, int) -> awaitable<void> {
      throw StoreError(Trouble::unavailable, "down");
      co_return;
    };
    EXPECT_EQ(co_await watch.look(), std::nullopt);
    steady.advance(30s);
    EXPECT_EQ(co_await watch.look(), SessionEnd::outage);
  }(app));
}

TEST(AsyncWatch, WhateverIsThrownItIsLookedAgain) {
  AsyncShop app;
  run([](AsyncShop& shop) -> awaitable<void> {
    Browser browser;
    const auto ticket = co_await log_in(shop, browser);
    AsyncSessionWatch watch(shop.sessions, ticket, {.interval = 1ms});
    co_await log_out(shop, browser);
    shop.store->reset();
    shop.store->before = [](Step, int n) -> awaitable<void> {
      if (n == 1) throw std::bad_alloc();
      if (n == 2) throw 42;
      co_return;
    };
    EXPECT_EQ(co_await watch.until_ended(), SessionEnd::logged_out);
    EXPECT_EQ(shop.store->calls(), 3);
    EXPECT_EQ(shop.ear.count(EventKind::store_unavailable), 1u);
  }(app));
}

// ## Exchanges and handshakes

Request own_page() { return {.sec_fetch_site = "same-origin"}; }

awaitable<Handshake> shake(AsyncShop& shop, const Browser& browser, Request request, bool wanted) {
  const auto header = browser.header();
  const std::string_view line = header;
  if (!header.empty()) request.cookies = {&line, 1};
  auto handler = [wanted](Scope& scope) -> awaitable<bool> {
    ++scope->visits;
    co_return wanted;
  };
  auto opening = handshake(shop.sessions, request, handler);  // the request's buffers end here
  request = {};
  return opening;
}

TEST(AsyncHandshake, OpensForASessionAndRefusesForeignPagesAndStrangers) {
  AsyncShop app;
  run([](AsyncShop& shop) -> awaitable<void> {
    Browser browser;
    const auto ticket = co_await log_in(shop, browser);
    auto opened = co_await shake(shop, browser, own_page(), true);
    EXPECT_EQ(opened.ticket->handle(), ticket.handle());
    auto unwanted = co_await shake(shop, browser, own_page(), false);
    EXPECT_EQ(unwanted.answer.status, 403);
    EXPECT_TRUE(unwanted.without_session);
    const Request foreign{.origin = "https://evil.example"};
    auto refused = co_await shake(shop, browser, foreign, true);
    EXPECT_EQ(refused.answer.status, 403);
    EXPECT_FALSE(refused.ticket);
    const auto seen = co_await shop.look(browser);
    EXPECT_EQ(seen.visits, 2) << "the foreign page never reached the handler";
  }(app));
}

TEST(AsyncExchange, WhatAHandlerThrowsIsInTheAnswerAndSavesNothing) {
  AsyncShop app;
  run([](AsyncShop& shop) -> awaitable<void> {
    const Request request;
    auto handler = [](Scope& scope) -> awaitable<void> {
      ++scope->visits;
      throw std::runtime_error("no");
      co_return;
    };
    auto exchanging = exchange(shop.sessions, request, handler);
    const auto answer = co_await std::move(exchanging);
    EXPECT_EQ(answer.status, 500);
    EXPECT_TRUE(answer.lines.empty());
    EXPECT_EQ(co_await shop.store->count(Deadline::after(1s)), 0u);
    EXPECT_EQ(shop.ear.count(EventKind::unfinished), 0u);
  }(app));
}

TEST(AsyncExchange, ARefusedRequestNeverReachesTheHandler) {
  AsyncShop app;
  run([](AsyncShop& shop) -> awaitable<void> {
    const Request request{.method = "POST", .origin = "https://evil.example"};
    auto handler = [](Scope&) -> awaitable<void> {
      ADD_FAILURE();
      co_return;
    };
    auto exchanging = exchange(shop.sessions, request, handler);
    const auto answer = co_await std::move(exchanging);
    EXPECT_EQ(answer.status, 403);
  }(app));
}

TEST(AsyncExchange, CancelledBeforeAnythingWasWrittenItThrowsAndOtherwiseAnswers) {
  AsyncShop shop;
  for (const bool writing : {false, true}) {
    asio::io_context loop;
    std::optional<int> status;
    std::string end;
    asio::cancellation_signal stop;
    shop.store->reset();
    shop.store->before = [writing](Step step, int) -> awaitable<void> {
      if (writes(step) == writing) co_await for_ever();
    };
    auto serve = [&]() -> awaitable<void> {
      const Request request;
      auto handler = [&](Scope& scope) -> awaitable<void> {
        ++scope->visits;
        if (!writing) co_await for_ever();
      };
      auto exchanging = exchange(shop.sessions, request, handler);
      const auto answer = co_await std::move(exchanging);
      status = answer.status;
    };
    asio::co_spawn(loop, serve(), asio::bind_cancellation_slot(stop.slot(), [&](auto trouble) { end = how(trouble); }));
    asio::steady_timer timer(loop, 20ms);
    timer.async_wait([&](auto) { stop.emit(asio::cancellation_type::terminal); });
    loop.run();
    EXPECT_EQ(end, writing ? "done" : "cancelled");
    EXPECT_EQ(status, writing ? std::optional(503) : std::nullopt);
  }
}

}  // namespace
}  // namespace sancho::test
