// Ending all sessions of a user, or of everybody.
#include "shop.hpp"

namespace sancho::test {
namespace {

using namespace std::chrono_literals;

struct Revocation : testing::Test {
  App<ShopSession> shop;

  std::string user_of(Browser& browser) {
    std::string user;
    shop.visit(browser, [&](ShopSession& s) { user = s.user() ? s.user().as<std::string>() : ""; });
    return user;
  }
};

// ## The end of all

TEST_F(Revocation, EndsAllSessionsOfAUserAndOfNobodyElse) {
  Browser phone, laptop, bobs, visitors;
  shop.visit(phone, log_in);
  shop.visit(laptop, log_in);
  shop.visit(bobs, [](ShopSession& s) { s.set_user("bob"); });
  shop.visit(visitors, [](ShopSession& s) { ++s.visits; });
  EXPECT_EQ(shop.sessions.end_sessions_of("ada"), 2u);
  EXPECT_EQ(shop.ear.count(EventKind::revoked), 2u);
  EXPECT_EQ(user_of(phone), "");
  EXPECT_EQ(user_of(laptop), "");
  EXPECT_EQ(user_of(bobs), "bob");
  EXPECT_EQ(shop.sessions.end_sessions_of("ada"), 0u);
  EXPECT_EQ(shop.sessions.end_sessions_of(""), 0u) << "visitors have no name to be ended by";
  EXPECT_EQ(shop.count(), 2u);
}

TEST_F(Revocation, EndsTheSessionsOfEverybody) {
  Browser phone, bobs, visitors;
  shop.visit(phone, log_in);
  shop.visit(bobs, [](ShopSession& s) { s.set_user("bob"); });
  shop.visit(visitors, [](ShopSession& s) { ++s.visits; });
  EXPECT_EQ(shop.sessions.end_all_sessions(), 3u);
  EXPECT_EQ(shop.count(), 0u);
  EXPECT_EQ(user_of(phone), "");
  shop.visit(phone, log_in);
  EXPECT_EQ(user_of(phone), "ada") << "and they log in anew";
}

// A login that runs while something else happens, before the n-th store call of
// its end, for every n.
struct Meanwhile {
  Browser browser;
  bool called = false;  // was there an n-th call?
  LoginOutcome outcome = LoginOutcome::none;
};

template <class Act>
Meanwhile login_while(App<ShopSession>& shop, std::size_t n, bool begun_before, Act act) {
  Meanwhile m;
  auto scope = shop.start(m.browser);
  if (begun_before) scope.begin_login("ada");
  scope->set_user("ada");
  std::size_t calls = 0;
  shop.store->before = [&](Verb) {
    if (++calls != n) return;
    m.called = true;
    act();
  };
  m.browser.take(scope.finish());
  m.outcome = scope.login_outcome();
  shop.store->before = nullptr;
  return m;
}

TEST_F(Revocation, ALoginThatBeganBeforeLosesAtWhateverMomentAllAreEnded) {
  std::size_t n = 1;
  for (bool more = true; more; ++n) {
    const auto m = login_while(shop, n, true, [&] { shop.sessions.end_sessions_of("ada"); });
    more = m.called;
    if (!more) break;
    EXPECT_EQ(m.outcome, LoginOutcome::lost) << n;
    EXPECT_TRUE(m.browser.jar.empty() || m.browser.header().find("sid") == std::string::npos) << n;
    EXPECT_EQ(shop.count(), 0u) << n;
  }
  EXPECT_GT(n, 1u);
}

TEST_F(Revocation, ALoginBegunBeforeLosesWhenTheEndOfEverybodyCameBetween) {
  const auto m = login_while(shop, 1, true, [&] { shop.sessions.end_all_sessions(); });
  ASSERT_TRUE(m.called);
  EXPECT_EQ(m.outcome, LoginOutcome::lost);
  EXPECT_EQ(shop.count(), 0u);
  EXPECT_EQ(shop.ear.count(EventKind::login_lost), 1u);
}

TEST_F(Revocation, ALoginThatWasNotAnnouncedCountsFromItsEnd) {
  Browser browser;
  auto scope = shop.start(browser);
  scope->set_user("ada");
  shop.sessions.end_sessions_of("ada");
  browser.take(scope.finish());
  EXPECT_EQ(scope.login_outcome(), LoginOutcome::won);
  EXPECT_EQ(user_of(browser), "ada");
}

TEST_F(Revocation, AnnouncingOneUsersLoginSaysNothingOfAnothers) {
  Browser browser;
  auto scope = shop.start(browser);
  scope.begin_login("bob");
  scope->set_user("ada");
  shop.sessions.end_sessions_of("bob");
  browser.take(scope.finish());
  EXPECT_EQ(scope.login_outcome(), LoginOutcome::won);
}

TEST_F(Revocation, WhoChangesAPasswordEndsLoginsInFlightAndStays) {
  Browser mine, theirs;
  shop.visit(mine, log_in);
  auto thief = shop.start(theirs);
  thief.begin_login("ada");
  thief->set_user("ada");
  shop.visit(mine, [](ShopSession&, auto& scope) { EXPECT_EQ(scope.end_other_sessions(), 0u); });
  theirs.take(thief.finish());
  EXPECT_EQ(thief.login_outcome(), LoginOutcome::lost);
  EXPECT_EQ(user_of(theirs), "");
  EXPECT_EQ(user_of(mine), "ada");
}

TEST_F(Revocation, ALoginThatEndsAllOthersIsNotEndedByItself) {
  Browser mine;
  auto scope = shop.start(mine);
  scope.begin_login("ada");
  scope->set_user("ada");
  scope.end_other_sessions();
  mine.take(scope.finish());
  EXPECT_EQ(scope.login_outcome(), LoginOutcome::won);
  EXPECT_EQ(user_of(mine), "ada");
}

// The id is renewed in three steps; others are ended between any two of them.
TEST_F(Revocation, ASessionWhoseIdIsBeingRenewedIsEndedToo) {
  for (std::size_t n = 1;; ++n) {
    Browser other;
    shop.visit(other, log_in);
    auto scope = shop.start(other);
    scope->renew_id();
    ++scope->visits;
    bool called = false;
    std::size_t calls = 0;
    shop.store->before = [&](Verb) {
      if (++calls != n) return;
      called = true;
      EXPECT_EQ(shop.sessions.end_sessions_of("ada"), 1u) << n;
    };
    other.take(scope.finish());
    shop.store->before = nullptr;
    if (!called) break;
    EXPECT_EQ(user_of(other), "") << n;
    EXPECT_EQ(shop.count(), 0u) << n;
  }
}

TEST_F(Revocation, ASessionWhoseIdIsBeingRenewedIsListedOnce) {
  Browser other, mine;
  shop.visit(other, log_in);
  shop.visit(mine, log_in);
  auto scope = shop.start(other);
  scope->renew_id();
  std::size_t calls = 0;
  shop.store->before = [&](Verb) {
    ++calls;
    shop.visit(mine, [&](ShopSession&, auto& s) { EXPECT_EQ(s.sessions().size(), 2u) << calls; });
  };
  other.take(scope.finish());
  shop.store->before = nullptr;
  EXPECT_GT(calls, 2u);
}

TEST_F(Revocation, WithoutEpochsTheSessionsThatAreThereAreEnded) {
  shop.store->has_epochs = false;
  Browser phone;
  shop.visit(phone, log_in);
  EXPECT_EQ(shop.sessions.end_sessions_of("ada"), 1u);
  EXPECT_EQ(user_of(phone), "");
}

// Somebody who has lost already does not get in by ending the others.
TEST_F(Revocation, ALoginThatHasLostIsNotRevivedByEndingAllOthers) {
  Browser theirs;
  auto thief = shop.start(theirs);
  thief.begin_login("ada");
  shop.sessions.end_sessions_of("ada");
  thief->set_user("ada");
  thief.end_other_sessions();
  theirs.take(thief.finish());
  EXPECT_EQ(thief.login_outcome(), LoginOutcome::lost);
  EXPECT_EQ(user_of(theirs), "");
}

// Whatever the walk has passed already: a reauthentication leads on from a
// record that it meets later.
TEST_F(Revocation, ASessionThatReauthenticatesMeanwhileIsEndedToo) {
  for (std::size_t n = 1; n < 60; ++n) {
    App<ShopSession> crowd;
    std::vector<Browser> browsers(20);
    for (auto& browser : browsers) crowd.visit(browser, [](ShopSession& s) { s.set_user("ada"); });
    std::size_t calls = 0;
    crowd.store->before = [&](Verb) {
      if (++calls == n) crowd.visit(browsers[n % browsers.size()], [](ShopSession& s) { if (s.user()) s.reauthenticated(); });
    };
    crowd.sessions.end_all_sessions();
    crowd.store->before = nullptr;
    EXPECT_EQ(crowd.count(), 0u) << n;
  }
}

// One record that cannot be read keeps nobody else's session alive, nor its own.
TEST_F(Revocation, ARecordThatCannotBeReadKeepsNoneAlive) {
  for (const bool everybody : {false, true}) {
    std::vector<Browser> browsers(6);
    for (auto& browser : browsers) shop.visit(browser, log_in);
    for (std::size_t i = 0; const auto& found : shop.records()) {
      auto spoilt = found.record;
      if (++i % 3) continue;
      spoilt.payload[spoilt.payload.size() / 2] ^= 1;
      shop.overwrite(found.key, spoilt);
    }
    EXPECT_GE(everybody ? shop.sessions.end_all_sessions() : shop.sessions.end_sessions_of("ada"), 4u);
    EXPECT_EQ(shop.count(), 0u);
    EXPECT_GT(shop.ear.count(EventKind::record_corrupt), 0u);
  }
}

}  // namespace
}  // namespace sancho::test
