// A watch: what ends a session for who outlives its requests, and what does not.
#include "sancho/session_watch.hpp"

#include <set>

#include "shop.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;

struct Watch : testing::Test {
  Policy policy() {
    auto p = plain_policy();
    p.store_timeout = 200ms;
    return p;
  }
  Shop shop{policy()};
  ManualSteadyClock steady;
  Browser browser;

  std::optional<SessionTicket> ticket(Browser& who) {
    auto scope = shop.start(who);
    who.take(scope.finish());
    return scope.ticket();
  }
  // Of a session that has begun: by this handler.
  SessionWatch watch(std::function<void(ShopSession&)> handler = log_in) {
    shop.visit(browser, handler);
    return watch_again();
  }
  SessionWatch watch_again() { return {shop.sessions, ticket(browser).value(), {.steady = steady}}; }
};

// ## What ends it

TEST_F(Watch, ALogoutEndsIt) {
  auto watch = this->watch();
  EXPECT_EQ(watch.look(), std::nullopt);
  shop.visit(browser, [](ShopSession&, RequestScope<ShopSession>& scope) { scope.expire_session(); });
  EXPECT_EQ(watch.ended(), std::nullopt) << "nobody has looked";
  EXPECT_EQ(watch.look(), SessionEnd::logged_out);
  EXPECT_EQ(watch.ended(), SessionEnd::logged_out);
}

TEST_F(Watch, ItsUserEndsItFromElsewhere) {
  auto watch = this->watch();
  Browser phone;
  shop.visit(phone, log_in);
  shop.visit(phone, [&](ShopSession&, auto& scope) { EXPECT_TRUE(scope.end_session(watch.ticket().handle())); });
  EXPECT_EQ(watch.look(), SessionEnd::logged_out);
}

TEST_F(Watch, TheEndOfAllOthersEndsItAndNotThatOneThatAsked) {
  auto watch = this->watch();
  Browser phone;
  shop.visit(phone, log_in);
  SessionWatch phones(shop.sessions, ticket(phone).value());
  shop.visit(phone, [&](ShopSession&, auto& scope) { EXPECT_EQ(scope.end_other_sessions(), 1u); });
  EXPECT_EQ(watch.look(), SessionEnd::logged_out);
  EXPECT_EQ(phones.look(), std::nullopt);
}

TEST_F(Watch, TheEndOfAllSessionsOfItsUserEndsItAndNobodyElses) {
  auto watch = this->watch();
  Browser bobs;
  shop.visit(bobs, [](ShopSession& s) { s.set_user("bob"); });
  SessionWatch other(shop.sessions, ticket(bobs).value());
  shop.sessions.end_sessions_of("ada");
  EXPECT_EQ(watch.look(), SessionEnd::logged_out);
  EXPECT_EQ(other.look(), std::nullopt);
  shop.sessions.end_all_sessions();
  EXPECT_EQ(other.look(), SessionEnd::logged_out);
}

TEST_F(Watch, AnotherUserEndsIt) {
  auto watch = this->watch();
  shop.visit(browser, [](ShopSession& s) { s.set_user("bob"); });
  EXPECT_EQ(watch.look(), SessionEnd::other_user);
}

TEST_F(Watch, ALoginEndsAVisitors) {
  auto watch = this->watch([](ShopSession& s) { ++s.visits; });
  EXPECT_EQ(watch.look(), std::nullopt);
  shop.visit(browser, log_in);
  EXPECT_EQ(watch.look(), SessionEnd::other_user);
}

TEST_F(Watch, ToLoseItsInfoEndsIt) {
  auto watch = this->watch([](ShopSession& s) { s.set("x", 1); });
  shop.visit(browser, [](ShopSession& s) { s.erase("x"); });
  EXPECT_EQ(watch.look(), SessionEnd::emptied);
}

TEST_F(Watch, ItsLimitsEndItToTheMillisecond) {
  auto watch = this->watch();
  shop.clock.advance(30min - 1ms);
  EXPECT_EQ(watch.look(), std::nullopt) << "and to look is no access";
  shop.clock.advance(1ms);
  EXPECT_EQ(watch.look(), SessionEnd::gone);
}

TEST_F(Watch, NothingMovesTheAbsoluteLimit) {
  auto watch = this->watch();
  for (int i = 0; i < 48; ++i) {
    ASSERT_EQ(watch.look(), std::nullopt) << i;
    shop.clock.advance(15min);
    watch.used();
  }
  EXPECT_EQ(watch.look(), SessionEnd::gone);
}

TEST_F(Watch, ToGiveWayAtTheCapEndsIt) {
  auto policy = this->policy();
  policy.cap = SessionCap{.most = 1, .at_cap = AtCap::evict_oldest};
  Shop capped(policy);
  capped.visit(browser, log_in);
  auto scope = capped.start(browser);
  scope.finish();
  SessionWatch watch(capped.sessions, scope.ticket().value());
  EXPECT_EQ(watch.look(), std::nullopt);
  Browser phone;
  capped.visit(phone, log_in);
  EXPECT_EQ(watch.look(), SessionEnd::logged_out);
}

TEST_F(Watch, ARecordThatCannotBeReadEndsIt) {
  auto watch = this->watch();
  shop.visit(browser, [](ShopSession&, auto& scope) { scope.expire_session(); });
  shop.store->fail = Trouble::corrupt;
  EXPECT_EQ(watch.look(), SessionEnd::gone);
  EXPECT_EQ(shop.ear.count(EventKind::record_corrupt), 1u);
}

// ## What does not

TEST_F(Watch, RenewedIdsAreFollowedHoweverMany) {
  auto watch = this->watch();
  const auto handle = watch.ticket().handle();
  for (int i = 0; i < 5; ++i) {
    shop.visit(browser, [](ShopSession& s) { s.renew_id(); });
    shop.visit(browser, [](ShopSession& s) { s.renew_id(); });
    shop.clock.advance(1min);
    EXPECT_EQ(watch.look(), std::nullopt);
  }
  shop.store->reset();
  EXPECT_EQ(watch.look(), std::nullopt);
  EXPECT_EQ(shop.store->calls, 1u) << "the way is gone once";
  EXPECT_EQ(watch.ticket().handle(), handle);
  shop.visit(browser, [](ShopSession&, auto& scope) { scope.expire_session(); });
  EXPECT_EQ(watch.look(), SessionEnd::logged_out);
}

TEST_F(Watch, ItFollowsBeforeAnybodyHasUsedTheNewId) {
  auto watch = this->watch();
  auto lost = browser;
  shop.visit(lost, [](ShopSession& s) { s.renew_id(); });
  EXPECT_EQ(watch.look(), std::nullopt);
  shop.visit(browser, [](ShopSession&, auto& scope) { scope.expire_session(); });
  EXPECT_EQ(watch.look(), SessionEnd::logged_out) << "under the old id";
}

TEST_F(Watch, ARenewalThatNobodyLookedAtForTooLongIsNotFollowed) {
  for (const auto late : {false, true}) {
    auto watch = this->watch();
    shop.visit(browser, [](ShopSession& s) { s.renew_id(); });
    shop.visit(browser, [](ShopSession&) {});  // with the new id
    shop.clock.advance(10min + 30s - (late ? 0ms : 1ms));
    EXPECT_EQ(watch.look(), late ? std::optional(SessionEnd::gone) : std::nullopt);
    browser.jar.clear();
  }
}

TEST_F(Watch, AReauthenticationIsFollowed) {
  auto watch = this->watch();
  shop.visit(browser, [](ShopSession& s) { s.reauthenticated(); });
  EXPECT_EQ(watch.look(), std::nullopt);
  shop.visit(browser, [](ShopSession&, auto& scope) { scope.expire_session(); });
  EXPECT_EQ(watch.look(), SessionEnd::logged_out);
}

TEST_F(Watch, ALookIsOneLoadAndWritesNothing) {
  auto watch = this->watch();
  shop.store->reset();
  for (int i = 0; i < 10; ++i) watch.look();
  EXPECT_EQ(shop.store->calls, 10u);
  EXPECT_EQ(shop.store->writes + shop.store->touches, 0u);
}

// ## Idle time

TEST_F(Watch, ToBeUsedIsAnAccessOncePerResolution) {
  auto watch = this->watch();
  shop.store->reset();
  for (int i = 0; i < 180; ++i) {
    shop.clock.advance(20s);
    watch.used();
    ASSERT_EQ(watch.look(), std::nullopt) << i;
  }
  EXPECT_EQ(shop.store->touches, 60u) << "an hour of it";
  watch.look();
  shop.clock.advance(30min);
  EXPECT_EQ(watch.look(), SessionEnd::gone);
}

TEST_F(Watch, AnAccessThatCannotBeNotedEndsNothing) {
  auto watch = this->watch();
  shop.clock.advance(20min);
  watch.used();
  shop.store->fail = Trouble::unavailable;
  shop.store->fail_verb = Verb::touch;
  EXPECT_EQ(watch.look(), std::nullopt);
  EXPECT_EQ(shop.ear.count(EventKind::touch_failed), 1u);
}

TEST_F(Watch, AnAccessIsNotedByALaterLookWhereThisOneFails) {
  for (const auto verb : {Verb::load, Verb::touch}) {
    auto watch = this->watch();
    shop.clock.advance(20min);
    watch.used();
    shop.store->fail = Trouble::unavailable;
    shop.store->fail_verb = verb;
    EXPECT_EQ(watch.look(), std::nullopt);
    shop.store->fail.reset();
    shop.store->reset();
    EXPECT_EQ(watch.look(), std::nullopt);
    EXPECT_EQ(watch.look(), std::nullopt);
    EXPECT_EQ(shop.store->touches, 1u) << "and once";
    shop.clock.advance(20min);
    EXPECT_EQ(watch.look(), std::nullopt) << "it did not idle out";
  }
}

// ## Outages

TEST_F(Watch, AStoreThatDoesNotAnswerEndsItAfterTheLimitAndNotBefore) {
  auto watch = this->watch();
  shop.store->fail = Trouble::unavailable;
  steady.advance(30s - 1ms);
  EXPECT_EQ(watch.look(), std::nullopt);
  EXPECT_EQ(watch.look(), std::nullopt);
  EXPECT_EQ(shop.ear.count(EventKind::store_unavailable), 1u) << "one event for an outage";
  shop.store->fail.reset();
  EXPECT_EQ(watch.look(), std::nullopt);
  shop.store->fail = Trouble::unavailable;
  steady.advance(30s - 1ms);
  EXPECT_EQ(watch.look(), std::nullopt) << "measured from the last answer";
  steady.advance(1ms);
  EXPECT_EQ(watch.look(), SessionEnd::outage);
  EXPECT_EQ(shop.ear.count(EventKind::store_unavailable), 2u);
  shop.store->fail.reset();
  EXPECT_EQ(watch.look(), SessionEnd::outage) << "what has ended has ended";
}

TEST_F(Watch, WithoutALimitItLastsAsLongAsTheOutage) {
  shop.visit(browser, log_in);
  SessionWatch watch(shop.sessions, ticket(browser).value(), {.outage_limit = std::nullopt, .steady = steady});
  shop.store->fail = Trouble::unavailable;
  steady.advance(24h);
  EXPECT_EQ(watch.look(), std::nullopt);
  shop.store->fail.reset();
  shop.visit(browser, [](ShopSession&, auto& scope) { scope.expire_session(); });
  EXPECT_EQ(watch.look(), SessionEnd::logged_out) << "and learns of what happened meanwhile";
}

// ## Tickets

TEST_F(Watch, ThereIsATicketForWhatIsStoredOnly) {
  EXPECT_FALSE(ticket(browser)) << "a stranger's";
  auto scope = shop.start(browser);
  EXPECT_FALSE(scope.ticket()) << "nothing is known yet";
  scope->set_user("ada");
  shop.sessions.maintain_session(scope);
  ASSERT_TRUE(scope.ticket());
  EXPECT_EQ(scope.ticket()->subject(), "ada");
  browser.take(scope.finish());
  EXPECT_EQ(scope.ticket()->handle(), ticket(browser)->handle());

  auto out = shop.start(browser);
  out.expire_session();
  browser.take(out.finish());
  EXPECT_FALSE(out.ticket());
}

TEST_F(Watch, ALoginThatLostHasNone) {
  shop.visit(browser, [](ShopSession& s) { ++s.visits; });
  auto slow = shop.start(browser);
  slow->set_user("ada");
  auto other = browser;
  shop.visit(other, [](ShopSession& s) { s.set_user("bob"); });
  slow.finish();
  EXPECT_EQ(slow.login_outcome(), LoginOutcome::lost);
  EXPECT_FALSE(slow.ticket());
}

TEST_F(Watch, UpkeepThatFailsTakesNoTicketAway) {
  shop.visit(browser, log_in);
  shop.clock.advance(5min);
  auto scope = shop.start(browser);
  shop.store->fail = Trouble::unavailable;
  scope.finish();
  shop.store->fail.reset();
  ASSERT_TRUE(scope.ticket());
  EXPECT_EQ(SessionWatch(shop.sessions, *scope.ticket()).look(), std::nullopt);
}

// ## Pauses

TEST_F(Watch, PausesAreSpreadAndNoneIsLongerThanTheInterval) {
  auto watch = this->watch();
  std::set<Duration> first, later;
  for (int i = 0; i < 200; ++i) {
    SessionWatch another(shop.sessions, watch.ticket());
    first.insert(another.pause());
    later.insert(another.pause());
  }
  EXPECT_GT(first.size(), 50u);
  EXPECT_GT(later.size(), 50u);
  EXPECT_LT(*first.begin(), 250ms);
  EXPECT_GE(*later.begin(), 500ms);
  EXPECT_LE(std::max(*first.rbegin(), *later.rbegin()), 750ms);
  EXPECT_THROW(SessionWatch(shop.sessions, watch.ticket(), {.interval = 0ms}), ConfigError);
}

}  // namespace
}  // namespace sancho::test
