// Who is there: logins, logouts, and what a request of another identity may do
// (promises P2 and P4).
#include "shop.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;

// A well-formed id that nobody drew.
const std::string made_up(43, 'A');

bool sets_session_cookie(const HeaderLines& lines) {
  return std::any_of(lines.begin(), lines.end(), [](const HeaderLine& l) { return l.name == "Set-Cookie" && l.value.starts_with("__Host-Http-sid="); });
}

// ## Fixation (F20)

TEST(Identity, F20AnIdThatNobodyDrewIsNeverAdopted) {
  Shop shop;
  Browser b;
  b.jar["__Host-Http-sid"] = made_up;
  EXPECT_FALSE(sets_session_cookie(shop.visit(b, [](ShopSession&) {})));
  EXPECT_EQ(shop.ear.count(EventKind::unknown_id), 1u);
  shop.visit(b, log_in);
  EXPECT_NE(b.jar["__Host-Http-sid"], made_up);
  Browser thief;
  thief.jar["__Host-Http-sid"] = made_up;
  shop.visit(thief, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
}

TEST(Identity, F20AnIdThatWasPlantedBeforeALoginOpensNothingAfterwards) {
  Shop shop;
  Browser thief;
  shop.visit(thief, [](ShopSession& s) { ++s.visits; });
  Browser victim = thief;
  shop.visit(victim, log_in);
  EXPECT_NE(victim.header(), thief.header());
  EXPECT_FALSE(sets_session_cookie(shop.visit(thief, [](ShopSession& s) { EXPECT_FALSE(s.user()); EXPECT_FALSE(s.visits.present()); })));
  shop.visit(victim, [](ShopSession& s) { EXPECT_TRUE(s.user()); });
}

TEST(Identity, EveryChangeEndsTheOldIdAtOnce) {
  const std::pair<const char*, std::function<void(ShopSession&)>> rows[] = {
      {"another user", [](ShopSession& s) { s.set_user("bob"); }},
      {"nobody", [](ShopSession& s) { s.set_user(User{}); s.set("theme", "dark"); }},
      {"reauthentication", [](ShopSession& s) { s.reauthenticated(); }},
  };
  for (const auto& [what, change] : rows) {
    Shop shop;
    Browser b;
    shop.visit(b, log_in);
    const auto before = b;
    shop.visit(b, change);
    EXPECT_NE(b.header(), before.header()) << what;
    auto old = shop.start(before);
    EXPECT_FALSE(old->user()) << what;
    EXPECT_TRUE(old.finish().empty()) << what;
    EXPECT_EQ(shop.count(), 1u) << what;
  }
}

// ## In flight under the old identity

TEST(Identity, ARequestOfTheOldIdentityWritesNothingIntoTheNewOneAndSendsNoCookie) {
  for (const bool renewing : {false, true}) {
    Shop shop;
    Browser b;
    shop.visit(b, log_in);
    auto slow = shop.start(b);
    slow->set("secret", "ada's");
    ++slow->visits;
    if (renewing) slow->renew_id();
    shop.visit(b, [](ShopSession& s) { s.set_user("bob"); });
    EXPECT_TRUE(slow.finish().empty());
    EXPECT_EQ(shop.ear.count(EventKind::dropped), 1u);
    shop.visit(b, [](ShopSession& s) {
      EXPECT_EQ(s.get_user(), "bob");
      EXPECT_FALSE(s.contains("secret"));
      EXPECT_FALSE(s.visits.present());
    });
  }
}

TEST(Identity, OfTwoLoginsInOneBrowserOneWins) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { ++s.visits; });
  auto slow = shop.start(b);
  slow->set_user("eve");
  shop.visit(b, log_in);
  EXPECT_TRUE(slow.finish().empty());
  EXPECT_EQ(shop.ear.count(EventKind::login), 1u);
  EXPECT_EQ(shop.ear.count(EventKind::login_lost), 1u);
  EXPECT_EQ(shop.count(), 1u);
  shop.visit(b, [](ShopSession& s) { EXPECT_EQ(s.get_user(), "ada"); });
}

TEST(Identity, ALoginBegunBeforeALogoutLoses) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  auto slow = shop.start(b);
  slow->set_user("bob");
  shop.visit(b, [](ShopSession&, auto& scope) { scope.expire_session(); });
  EXPECT_FALSE(sets_session_cookie(slow.finish()));
  EXPECT_EQ(shop.count(), 0u);
}

// ## Logging in and out

struct Checked : Session {
  using Session::Session;
  void set_user(User user) override {
    if (user.subject() == "root") throw std::invalid_argument("nobody logs in as root");
    Session::set_user(std::move(user));
  }
};

TEST(Identity, ASetUserThatThrowsHasChangedNothing) {
  App<Checked> app;
  Browser b;
  app.visit(b, [](Checked& s) { s.set_user("ada"); });
  const auto before = b.header();
  app.visit(b, [](Checked& s) { EXPECT_THROW(s.set_user("root"), std::invalid_argument); EXPECT_EQ(s.get_user(), "ada"); });
  EXPECT_EQ(b.header(), before);
}

TEST(Identity, LogoutAndLoginInOneRequestIsANewSession) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.set_user("ada"); s.visits = 9; });
  const auto before = b;
  const auto lines = shop.visit(b, [](ShopSession& s, auto& scope) {
    scope.expire_session();
    EXPECT_FALSE(s.visits.present());
    s.set_user("bob");
    ++s.visits;
  });
  EXPECT_EQ(std::count_if(lines.begin(), lines.end(), [](auto& l) { return l.name == "Set-Cookie"; }), 1);
  shop.visit(b, [](ShopSession& s) { EXPECT_EQ(s.get_user(), "bob"); EXPECT_EQ(s.visits.value(), 1); });
  auto old = shop.start(before);
  EXPECT_FALSE(old->user());
  old.finish();
}

TEST(Identity, WhatIsWrittenAfterALogoutIsNotKept) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  shop.visit(b, [](ShopSession& s, auto& scope) { scope.expire_session(); s.set("theme", "dark"); });
  EXPECT_TRUE(b.jar.empty());
  EXPECT_EQ(shop.count(), 0u);
}

TEST(Identity, SettingNobodyIsALogoutWhereNothingIsLeft) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.set_user("ada"); ++s.visits; s.create_form_token(); });
  shop.visit(b, [](ShopSession& s) { s.set_user(User{}); });
  EXPECT_TRUE(b.jar.empty());
  EXPECT_EQ(shop.count(), 0u);
  EXPECT_EQ(shop.ear.count(EventKind::logout), 1u);
  EXPECT_EQ(shop.ear.count(EventKind::login), 1u);  // the first one
}

TEST(Identity, SettingNobodyKeepsWhatIsNotTheUsers) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.set_user("ada"); ++s.visits; });
  const auto before = b;
  shop.visit(b, [](ShopSession& s) { s.flash("logged out"); s.set_user(User{}); });
  EXPECT_NE(b.header(), before.header());
  EXPECT_EQ(b.jar.count("__Host-Http-sid"), 1u);
  EXPECT_EQ(shop.ear.count(EventKind::logout), 1u);
  shop.visit(b, [](ShopSession& s) {
    EXPECT_FALSE(s.user());
    EXPECT_FALSE(s.visits.present());
    EXPECT_EQ(s.take_flashes(), std::vector<std::string>{"logged out"});
  });
}

TEST(Identity, AChangedValueOfTheSameUserIsNoLogin) {
  App<> app;
  Browser b;
  app.visit(b, [](Session& s) { s.set_user(7); });
  const auto before = b.header();
  app.visit(b, [](Session& s) { s.set_user("7"); });  // another type, the same subject
  EXPECT_EQ(b.header(), before);
  app.visit(b, [](Session& s) { EXPECT_EQ(s.get_user(), "7"); });
}

TEST(Identity, ReauthenticationKeepsTheHandleAndTheSession) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.set_user("ada"); s.visits = 3; s.set("theme", "dark"); });
  Handle handle;
  const auto made = shop.clock.now();
  shop.clock.advance(5min);
  shop.visit(b, [&](ShopSession& s) { handle = s.id(); s.reauthenticated(); });
  shop.visit(b, [&](ShopSession& s) {
    EXPECT_EQ(s.id(), handle);
    EXPECT_EQ(s.visits.value(), 3);
    EXPECT_EQ(s.get<std::string>("theme"), "dark");
    EXPECT_EQ(s.get_creation_time(), made);
  });
  EXPECT_EQ(shop.ear.count(EventKind::reauthenticated), 1u);
}

TEST(Identity, AnotherUserHasAnotherHandle) {
  Shop shop;
  Browser b;
  Handle handle;
  shop.visit(b, [](ShopSession& s) { ++s.visits; });
  shop.visit(b, [&](ShopSession& s) { handle = s.id(); s.set_user("ada"); });
  shop.visit(b, [&](ShopSession& s) { EXPECT_NE(s.id(), handle); handle = s.id(); s.renew_id(); });
  shop.visit(b, [&](ShopSession& s) { EXPECT_EQ(s.id(), handle); });
}

// ## The user's other sessions

TEST(Identity, AHandleEndsOnlyOnesOwnSessions) {
  Shop shop;
  Browser ada, phone, bob;
  shop.visit(ada, log_in, {.user_agent = "Desk"});
  shop.visit(phone, log_in, {.user_agent = "Phone"});
  shop.visit(bob, [](ShopSession& s) { s.set_user("bob"); });
  Handle bobs, phones;
  shop.visit(bob, [&](ShopSession& s) { bobs = s.id(); });
  shop.visit(phone, [&](ShopSession& s) { phones = s.id(); });
  shop.visit(ada, [&](ShopSession&, auto& scope) {
    EXPECT_FALSE(scope.end_session(bobs));
    EXPECT_FALSE(scope.end_session(Handle::draw(system_random())));
    const auto mine = scope.sessions();
    ASSERT_EQ(mine.size(), 2u);
    for (const auto& info : mine) EXPECT_EQ(info.user_agent, info.current ? "Desk" : "Phone");
    EXPECT_TRUE(scope.end_session(phones));
    EXPECT_FALSE(scope.end_session(phones));
  });
  EXPECT_EQ(shop.ear.count(EventKind::revoked), 1u);
  shop.visit(bob, [](ShopSession& s) { EXPECT_TRUE(s.user()); });
  shop.visit(phone, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
  shop.visit(ada, [](ShopSession& s) { EXPECT_TRUE(s.user()); });
}

TEST(Identity, EndingOnesOwnByHandleIsALogout) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  shop.visit(b, [](ShopSession& s, auto& scope) { EXPECT_TRUE(scope.end_session(s.id())); });
  EXPECT_TRUE(b.jar.empty());
}

TEST(Identity, AVisitorHasNoSessionsToList) {
  Shop shop;
  Browser b, c;
  for (auto* x : {&b, &c}) shop.visit(*x, [](ShopSession& s) { ++s.visits; });
  shop.visit(b, [](ShopSession&, auto& scope) {
    EXPECT_TRUE(scope.sessions().empty());
    EXPECT_EQ(scope.end_other_sessions(), 0u);
  });
  EXPECT_EQ(shop.count(), 2u);
}

TEST(Identity, ARevocationReachesASessionThatWasRenewedMeanwhile) {
  Shop shop;
  Browser desk, phone;
  shop.visit(desk, log_in);
  shop.visit(phone, log_in);
  auto in_flight = shop.start(phone);
  in_flight->renew_id();
  auto scope = shop.start(desk);
  phone.take(in_flight.finish());
  EXPECT_EQ(scope.end_other_sessions(), 1u);
  scope.finish();
  shop.visit(phone, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
}

// ## Addresses, and ids that come back

TEST(Identity, AnotherAddressIsNobodyAndHarmsNobody) {
  auto policy = plain_policy();
  policy.check_session_addr = true;
  Shop shop(policy);
  Browser b;
  shop.visit(b, log_in, {.peer_address = "192.0.2.1"});
  auto thief = b;
  shop.visit(thief, [](ShopSession& s) { EXPECT_FALSE(s.user()); ++s.visits; }, {.peer_address = "192.0.2.66"});
  EXPECT_NE(thief.header(), b.header());
  EXPECT_EQ(shop.ear.count(EventKind::address_mismatch), 1u);
  shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); EXPECT_FALSE(s.visits.present()); }, {.peer_address = "192.0.2.1"});
}

// Renewed, and the successor was used: the old id's grace runs.
Browser renewed(Shop& shop, Browser& b) {
  shop.visit(b, log_in);
  const auto old = b;
  shop.visit(b, [](ShopSession& s) { s.renew_id(); });
  shop.visit(b, [](ShopSession&) {});
  return old;
}

TEST(Identity, AnOldIdLeadsOnDuringItsGraceAndOpensNothingAfterwards) {
  Shop shop;
  Browser b;
  const auto old = renewed(shop, b);
  shop.clock.advance(30s - 1ms);
  auto late = shop.start(old);
  EXPECT_TRUE(late->user());
  Browser follows;
  follows.take(late.finish());
  EXPECT_EQ(follows.header(), b.header());  // every one of them can send the cookie
  shop.clock.advance(1ms);
  auto replayed = shop.start(old);
  EXPECT_FALSE(replayed->user());
  EXPECT_TRUE(replayed.finish().empty());
  EXPECT_EQ(shop.ear.count(EventKind::replayed_id), 1u);
  shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); });
}

TEST(Identity, AReplayedIdEndsTheSessionWhereThePolicySaysSo) {
  auto policy = plain_policy();
  policy.end_session_on_replay = true;
  Shop shop(policy);
  Browser b;
  const auto old = renewed(shop, b);
  shop.clock.advance(31s);
  auto replayed = shop.start(old);
  EXPECT_FALSE(replayed->user());
  EXPECT_TRUE(replayed.finish().empty());
  EXPECT_EQ(shop.count(), 0u);
  shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
}

TEST(Identity, AnUnusedSuccessorsOldIdLeadsOnForAsLongAsTheSession) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  const auto old = b;
  Browser lost = b;
  shop.visit(lost, [](ShopSession& s) { s.renew_id(); });  // its response never arrived
  shop.clock.advance(20min);
  auto again = shop.start(old);
  EXPECT_TRUE(again->user());
  EXPECT_TRUE(sets_session_cookie(again.finish()));
}

// A consumption finds out that the session has ended; a login after it comes
// too late, as one without it does.
TEST(Identity, WhoFindsOutInTheMiddleThatTheSessionEndedLogsInToNothing) {
  for (const bool other : {false, true}) {
    Shop shop;
    Browser b;
    std::string token;
    shop.visit(b, [&](ShopSession& s) { s.set_user("ada"); token = s.create_form_token(); });
    auto slow = shop.start(b);
    shop.visit(b, [](ShopSession&, auto& scope) { scope.expire_session(); });
    EXPECT_FALSE(slow->consume_form_token(token));
    if (other) slow->set_user("bob");
    else slow->reauthenticated();
    EXPECT_TRUE(slow.finish().empty());
    EXPECT_EQ(shop.count(), 0u);
    EXPECT_EQ(shop.ear.count(EventKind::login_lost), 1u);
  }
}

TEST(Identity, ALogoutAndALoginInOneRequestIsStillALogin) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  shop.visit(b, [](ShopSession& s, auto& scope) { scope.expire_session(); s.set_user("ada"); });
  shop.visit(b, [](ShopSession& s) { EXPECT_EQ(s.get_user(), "ada"); });
}

TEST(Identity, EndingOthersAfterALoginInTheSameRequestEndsTheNewUsersOwn) {
  Shop shop;
  Browser thief, bobs, b;
  shop.visit(thief, [](ShopSession& s) { s.set_user("ada"); });
  shop.visit(bobs, [](ShopSession& s) { s.set_user("bob"); });
  shop.visit(b, [](ShopSession& s) { s.set_user("bob"); });
  shop.visit(b, [](ShopSession& s, auto& scope) {
    s.set_user("ada");
    EXPECT_EQ(scope.sessions().size(), 1u);  // the thief's, and nothing of bob's
    EXPECT_EQ(scope.end_other_sessions(), 1u);
  });
  shop.visit(thief, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
  shop.visit(bobs, [](ShopSession& s) { EXPECT_EQ(s.get_user(), "bob"); });
  shop.visit(b, [](ShopSession& s) { EXPECT_EQ(s.get_user(), "ada"); });
}

TEST(Identity, ASessionThatEndedUnderItsRequestEndsNoOthers) {
  Shop shop;
  Browser a, b;
  std::string token;
  shop.visit(a, [&](ShopSession& s) { s.set_user("ada"); token = s.create_form_token(); });
  shop.visit(b, [](ShopSession& s) { s.set_user("ada"); });
  auto slow = shop.start(a);
  shop.visit(a, [](ShopSession&, auto& scope) { scope.expire_session(); });
  EXPECT_FALSE(slow->consume_form_token(token));
  EXPECT_EQ(slow.end_other_sessions(), 0u);
  slow.finish();
  shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); });
}

TEST(Identity, ALogoutByHavingNobodyLeftLeavesABlankSession) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.set_user("ada"); s.set("theme", "dark"); });
  auto scope = shop.start(b);
  scope->set_user(User{});
  shop.sessions.maintain_session(scope);
  EXPECT_FALSE(scope->has_info());
  EXPECT_FALSE(scope->contains("theme"));
  b.take(scope.finish());
  EXPECT_TRUE(b.jar.empty());
}

}  // namespace
}  // namespace sancho::test
