// The asynchronous manager does what the blocking one does.
#include "../support/misuse.hpp"
#include "shop.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;

TEST(AsyncManager, AVisitorsSessionIsKeptAndFoundAgain) {
  AsyncShop shop;
  Browser b;
  run([&]() -> awaitable<void> {
    co_await shop.visit(b, [](VisitSession& s) { ++s.visits, s.note = "hello"; });
    co_await shop.visit(b, [](VisitSession& s) {
      EXPECT_EQ(s.visits.value(), 1);
      EXPECT_EQ(*s.note, "hello");
      ++s.visits;
    });
    const auto seen = co_await shop.look(b);
    EXPECT_EQ(seen.visits, 2);
  }());
  EXPECT_EQ(shop.ear.heard, std::vector{EventKind::created});
}

TEST(AsyncManager, AStrangerCostsNothing) {
  AsyncShop shop;
  Browser b;
  run(shop.visit(b, [](VisitSession& s) { EXPECT_FALSE(s.user()); }));
  EXPECT_EQ(shop.store->calls(), 0);
  EXPECT_TRUE(b.jar.empty());
}

TEST(AsyncManager, LoggingInGivesANewIdAndLoggingOutEndsIt) {
  AsyncShop shop;
  Browser b, thief;
  run([&]() -> awaitable<void> {
    co_await shop.visit(b, [](VisitSession& s) { ++s.visits; });
    const auto before = b.jar;
    auto scope = co_await shop.start(b);
    co_await scope.begin_login("ada");
    scope->set_user("ada");
    const auto lines = co_await scope.finish();
    b.take(lines);
    EXPECT_EQ(scope.login_outcome(), LoginOutcome::won);
    EXPECT_NE(b.jar, before);
    thief = b;
    auto last = co_await shop.start(b);
    EXPECT_TRUE(last.is_fresh());
    co_await last.expire_session();
    EXPECT_FALSE(last->user());
    const auto goodbye = co_await last.finish();
    b.take(goodbye);
    EXPECT_TRUE(b.jar.empty());
    const auto seen = co_await shop.look(thief);
    EXPECT_EQ(seen.user, "");
  }());
}

TEST(AsyncManager, AFormTokenIsConsumedOnceAndMayBeGivenBack) {
  AsyncShop shop;
  Browser b;
  std::string token;
  run([&]() -> awaitable<void> {
    co_await shop.visit(b, [&](VisitSession& s) { token = s.create_form_token(); });
    auto scope = co_await shop.start(b);
    auto claim = co_await scope.consume_form_token(token);
    EXPECT_TRUE(claim);
    const bool back = co_await scope.give_back(*claim);
    const bool twice = co_await scope.give_back(*claim);
    EXPECT_TRUE(back);
    EXPECT_FALSE(twice);
    const auto lines = co_await scope.finish();
    EXPECT_TRUE(lines.empty());
    auto again = co_await shop.start(b);
    const auto first = co_await again.consume_form_token(token);
    const auto second = co_await again.consume_form_token(token);
    EXPECT_TRUE(first);
    EXPECT_FALSE(second);
    EXPECT_NE(first->id(), claim->id());
    again.abort();
  }());
}

// What waits on its thread must not be had by the way.
TEST(AsyncManager, WhatWouldWaitOnTheThreadNamesTheAwaitableForm) {
  AsyncShop shop;
  Browser b;
  std::string token;
  run([&]() -> awaitable<void> {
    co_await shop.visit(b, [&](VisitSession& s) { token = s.create_form_token(); });
    auto scope = co_await shop.start(b);
    const auto message = [](auto what) {
      try {
        what();
      } catch (const UsageError& e) {
        return std::string(e.what());
      }
      return std::string();
    };
    EXPECT_NE(message([&] { (void)scope->consume_form_token(token); }).find("co_await scope.consume_form_token"),
              std::string::npos);
    auto claim = co_await scope.consume_form_token(token);
    EXPECT_NE(message([&] { claim->give_back(); }).find("co_await scope.give_back"), std::string::npos);
    scope.abort();
  }());
}

TEST(AsyncManager, AUsersSessionsAreListedAndEnded) {
  AsyncShop shop;
  Browser phone, desk, tablet;
  run([&]() -> awaitable<void> {
    for (auto* b : {&phone, &desk, &tablet}) co_await shop.visit(*b, [](VisitSession& s) { s.set_user("ada"); });
    auto scope = co_await shop.start(phone);
    const auto all = co_await scope.sessions();
    EXPECT_EQ(all.size(), 3u);
    const auto other = std::find_if(all.begin(), all.end(), [](const auto& info) { return !info.current; });
    const bool ended = co_await scope.end_session(other->handle);
    const bool unknown = co_await scope.end_session(Handle::draw(system_random()));
    EXPECT_TRUE(ended);
    EXPECT_FALSE(unknown);
    const auto others = co_await scope.end_other_sessions();
    EXPECT_EQ(others, 1u);
    const bool own = co_await scope.end_session(scope->id());
    EXPECT_TRUE(own);
    co_await scope.finish();
    const auto seen = co_await shop.look(phone);
    EXPECT_EQ(seen.user, "");
  }());
  EXPECT_EQ(shop.ear.count(EventKind::revoked), 2u);
  EXPECT_EQ(shop.ear.count(EventKind::logout), 1u);
}

// As `Revocation.WhoChangesAPasswordEndsLoginsInFlightAndStays`.
TEST(AsyncManager, WhoChangesAPasswordEndsLoginsInFlightAndStays) {
  AsyncShop shop;
  Browser mine, thief;
  run([&]() -> awaitable<void> {
    auto late = co_await shop.start(thief);
    co_await late.begin_login("ada");
    late->set_user("ada");
    auto scope = co_await shop.start(mine);
    co_await scope.begin_login("ada");
    scope->set_user("ada");
    co_await scope.end_other_sessions();
    const auto lines = co_await scope.finish();
    mine.take(lines);
    const auto nothing = co_await late.finish();
    EXPECT_TRUE(nothing.empty());
    EXPECT_EQ(late.login_outcome(), LoginOutcome::lost);
    const auto seen = co_await shop.look(mine);
    EXPECT_EQ(seen.user, "ada");
  }());
}

TEST(AsyncManager, EndsAllSessionsOfAUserOrOfEverybody) {
  AsyncShop shop;
  Browser ada, bob, visitor;
  run([&]() -> awaitable<void> {
    co_await shop.visit(ada, [](VisitSession& s) { s.set_user("ada"); });
    co_await shop.visit(bob, [](VisitSession& s) { s.set_user("bob"); });
    co_await shop.visit(visitor, [](VisitSession& s) { ++s.visits; });
    const auto of_ada = co_await shop.sessions.end_sessions_of("ada");
    EXPECT_EQ(of_ada, 1u);
    const auto of_all = co_await shop.sessions.end_all_sessions();
    EXPECT_EQ(of_all, 2u);
    const auto count = co_await shop.store->count(Deadline::after(5s));
    EXPECT_EQ(count, 0u);
  }());
}

TEST(AsyncManager, SweepsAndDeletesOldSessions) {
  AsyncShop shop;
  Browser old, recent;
  run([&]() -> awaitable<void> {
    co_await shop.visit(old, [](VisitSession& s) { ++s.visits; });
    shop.clock.advance(10min);
    co_await shop.visit(recent, [](VisitSession& s) { ++s.visits; });
    const auto deleted = co_await shop.sessions.delete_old_sessions(10min);
    EXPECT_EQ(deleted, 1u);
    shop.clock.advance(24h);
    const bool more = co_await shop.sessions.sweep();
    EXPECT_FALSE(more);
  }());
  EXPECT_EQ(shop.ear.count(EventKind::expired), 2u);
}

TEST(AsyncManager, TellsWhetherACookieOpensASession) {
  AsyncShop shop;
  Browser b;
  run([&]() -> awaitable<void> {
    co_await shop.visit(b, [](VisitSession& s) { ++s.visits; });
    const auto header = b.header();
    const std::string_view line = header;
    const Request request{.cookies = {&line, 1}};
    shop.store->reset();
    const bool formed = co_await shop.sessions.has_session_cookie(request);
    EXPECT_TRUE(formed);
    EXPECT_EQ(shop.store->calls(), 0);
    const bool opens = co_await shop.sessions.has_session_cookie(request, true);
    EXPECT_TRUE(opens);
    co_await shop.sessions.end_all_sessions();
    const bool still = co_await shop.sessions.has_session_cookie(request, true);
    EXPECT_FALSE(still);
  }());
  EXPECT_FALSE(shop.sessions.origin_allowed({.method = "POST", .sec_fetch_site = "cross-site"}));
}

TEST(AsyncManager, AHandlerMaySaveBeforeItAnswers) {
  AsyncShop shop;
  Browser b;
  run([&]() -> awaitable<void> {
    auto scope = co_await shop.start(b);
    scope->set_user("ada");
    co_await shop.sessions.maintain_session(scope);
    EXPECT_EQ(scope.login_outcome(), LoginOutcome::won);
    const auto lines = co_await scope.finish();
    b.take(lines);
    const auto seen = co_await shop.look(b);
    EXPECT_EQ(seen.user, "ada");
  }());
}

// ## Nothing is kept of the request

TEST(AsyncManager, TheRequestsBuffersMayEndBeforeTheFirstWait) {
  AsyncShop shop;
  Browser b;
  run([&]() -> awaitable<void> {
    co_await shop.visit(b, [](VisitSession& s) { ++s.visits; });
    auto header = std::make_unique<std::string>(b.header());
    auto agent = std::make_unique<std::string>("A browser of some length, so that it is not kept in the string itself");
    awaitable<Scope> beginning;
    {
      const std::string_view line = *header;
      beginning = shop.sessions.start_request({.cookies = {&line, 1}, .user_agent = *agent});
    }
    header->assign(header->size(), '?');
    header.reset();
    agent.reset();
    auto scope = co_await std::move(beginning);
    EXPECT_EQ(scope->visits.value(), 1);
    std::string token(22, 'x'), subject(40, 'a');
    auto consuming = scope.consume_form_token(token);
    token.assign(22, '?');
    EXPECT_FALSE(co_await std::move(consuming));
    auto announcing = scope.begin_login(subject);
    subject.assign(40, '?');
    co_await std::move(announcing);
    scope.abort();
  }());
}

// ## Completion tokens

TEST(AsyncManager, ServesCallbacksToo) {
  AsyncShop shop;
  asio::io_context loop;
  std::string did;
  struct Exchange {
    Scope scope;
  };
  const auto exchange = std::make_shared<Exchange>();
  shop.sessions.async_start_request(loop.get_executor(), {}, [&, exchange](std::exception_ptr trouble, Scope scope) {
    did += how(trouble);
    exchange->scope = std::move(scope);
    ++exchange->scope->visits;
    exchange->scope.async_finish([&, exchange](std::exception_ptr later, const HeaderLines& lines) {
      did += ", " + how(later) + ", " + std::to_string(lines.size()) + " lines";
    });
  });
  loop.run();
  EXPECT_EQ(did, "done, done, 3 lines");
}

TEST(AsyncManager, ServesFuturesToo) {
  AsyncShop shop;
  asio::thread_pool loop(1);
  const auto executor = loop.get_executor();
  Browser b;
  auto scope = shop.sessions.async_start_request(executor, {}, asio::use_future).get();
  scope->set_user("ada");
  scope.async_begin_login("ada", asio::use_future).get();
  shop.sessions.async_maintain_session(scope, asio::use_future).get();
  b.take(scope.async_finish(asio::use_future).get());
  auto next = shop.start(b);
  auto second = asio::co_spawn(executor, std::move(next), asio::use_future).get();
  EXPECT_EQ(second.async_sessions(asio::use_future).get().size(), 1u);
  EXPECT_FALSE(second.async_consume_form_token("none", asio::use_future).get());
  EXPECT_EQ(second.async_end_other_sessions(asio::use_future).get(), 0u);
  EXPECT_FALSE(second.async_end_session(Handle::draw(system_random()), asio::use_future).get());
  second.async_expire_session(asio::use_future).get();
  second.abort();
  EXPECT_EQ(shop.sessions.async_end_sessions_of(executor, "ada", asio::use_future).get(), 0u);
  EXPECT_EQ(shop.sessions.async_end_all_sessions(executor, asio::use_future).get(), 0u);
  EXPECT_FALSE(shop.sessions.async_sweep(executor, 10, asio::use_future).get());
  EXPECT_EQ(shop.sessions.async_delete_old_sessions(executor, 1h, asio::use_future).get(), 0u);
  EXPECT_FALSE(shop.sessions.async_has_session_cookie(executor, {}, true, asio::use_future).get());
  loop.join();
}

// ## Rules

TEST(AsyncManager, AScopeThatHoldsNoRequestIsCaught) {
  Scope nothing;
  EXPECT_FALSE(nothing);
  EXPECT_THROW(nothing.revoke_session_cookie(), UsageError);
  EXPECT_THROW((void)nothing.finish(), UsageError);
  EXPECT_TRUE(nothing.abort().empty());
}

TEST(AsyncManager, ARequestIsFinishedOnce) {
  AsyncShop shop;
  run([&]() -> awaitable<void> {
    auto scope = co_await shop.start(nobody);
    co_await scope.finish();
    EXPECT_EQ(co_await how(scope.finish()), "broke a rule: rule broken: a request is finished twice");
  }());
}

TEST(AsyncManager, ARequestThatIsNeverFinishedIsReported) {
  AsyncShop shop;
  Told told;
  run([&]() -> awaitable<void> { auto scope = co_await shop.start(nobody); }());
  EXPECT_EQ(shop.ear.heard, std::vector{EventKind::unfinished});
  // A handler that throws is no broken rule.
  const auto throws = [&]() -> awaitable<void> {
    auto scope = co_await shop.start(nobody);
    throw std::runtime_error("oops");
  };
  EXPECT_THROW(run(throws()), std::runtime_error);
  EXPECT_EQ(shop.ear.heard.size(), 1u);
}

TEST(AsyncManager, APolicyThatTheStoreCannotKeepIsRefused) {
  auto policy = plain_policy();
  policy.store_must.durable = true;
  EXPECT_THROW(AsyncShop{policy}, ConfigError);
  EXPECT_THROW(AsyncSessionManager<>(nullptr), ConfigError);
}

}  // namespace
}  // namespace sancho::test
