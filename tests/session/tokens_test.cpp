// Form tokens, which work once, and CSRF tokens, which prove whose page it was.
#include <algorithm>
#include <cstring>
#include <functional>
#include <set>

#include "sancho/csrf.hpp"
#include "shop.hpp"

namespace sancho::test {
namespace {

template <std::size_t N>
struct Queue : Session {
  using Session::Session;
  std::size_t max_form_tokens() const override { return N; }
};

TEST(FormTokens, TheQueueOfASubclassOutlivesAConsumption) {
  App<Queue<40>> app;
  Browser b;
  std::vector<std::string> made;
  app.visit(b, [&](auto& s) { for (int i = 0; i < 41; ++i) made.push_back(s.create_form_token()); });
  app.visit(b, [&](auto& s) {
    EXPECT_FALSE(s.has_form_token(made[0]));
    auto claim = s.consume_form_token(made[40]);
    ASSERT_TRUE(claim);
    EXPECT_TRUE(claim->give_back());
  });
  app.visit(b, [&](auto& s) { for (std::size_t i = 1; i < 41; ++i) EXPECT_TRUE(s.has_form_token(made[i])) << i; });
}

TEST(FormTokens, AQueueOfOneTurnsOver) {
  App<Queue<1>> app;
  Browser b;
  std::string one, two;
  app.visit(b, [&](auto& s) { one = s.create_form_token(); });
  app.visit(b, [&](auto& s) { EXPECT_TRUE(s.remove_form_token(one)); two = s.create_form_token(); EXPECT_TRUE(s.has_info()); });
  app.visit(b, [&](auto& s) { EXPECT_FALSE(s.has_form_token(one)); EXPECT_TRUE(s.has_form_token(two)); });
}

// As in the seed, where making a token and removing one are two steps.
TEST(FormTokens, OneThatGaveWayStaysAway) {
  App<Queue<2>> app;
  Browser b;
  std::string one, two, three;
  app.visit(b, [&](auto& s) { one = s.create_form_token(), two = s.create_form_token(); });
  app.visit(b, [&](auto& s) {
    three = s.create_form_token();
    EXPECT_FALSE(s.has_form_token(one));
    EXPECT_TRUE(s.remove_form_token(two));
    EXPECT_FALSE(s.has_form_token(one));
  });
  app.visit(b, [&](auto& s) { EXPECT_FALSE(s.has_form_token(one)); EXPECT_TRUE(s.has_form_token(three)); });
}

TEST(FormTokens, OverlappingRequestsQueueUpTogether) {
  App<Queue<3>> app;
  Browser b;
  std::string base, theirs, mine_a, mine_b;
  app.visit(b, [&](auto& s) { base = s.create_form_token(); });
  auto slow = app.start(b);
  mine_a = slow->create_form_token(), mine_b = slow->create_form_token();
  app.visit(b, [&](auto& s) { theirs = s.create_form_token(); });
  slow.finish();
  app.visit(b, [&](auto& s) {
    EXPECT_FALSE(s.has_form_token(base));  // the oldest gave way
    EXPECT_TRUE(s.has_form_token(theirs) && s.has_form_token(mine_a) && s.has_form_token(mine_b));
  });
}

TEST(FormTokens, RemovalBeatsAnOverlappingRequest) {
  Shop shop;
  Browser b;
  std::string token;
  shop.visit(b, [&](ShopSession& s) { token = s.create_form_token(); });
  auto slow = shop.start(b);
  slow->create_form_token();
  shop.visit(b, [&](ShopSession& s) { EXPECT_TRUE(s.remove_form_token(token)); ++s.visits; });
  slow.finish();
  shop.visit(b, [&](ShopSession& s) { EXPECT_FALSE(s.has_form_token(token)); });
}

TEST(FormTokens, OfTwoSubmissionsOneIsToldSo) {
  Shop shop;
  Browser b;
  std::string token;
  shop.visit(b, [&](ShopSession& s) { token = s.create_form_token(); });
  auto one = shop.start(b), two = shop.start(b);
  EXPECT_TRUE(one->has_form_token(token) && two->has_form_token(token));
  const auto second = two->consume_form_token(token), first = one->consume_form_token(token);
  EXPECT_TRUE(second);
  EXPECT_FALSE(first);
  EXPECT_EQ(shop.ear.count(EventKind::token_consumed), 1u);
  EXPECT_EQ(shop.ear.count(EventKind::token_refused), 1u);
  one.abort(), two.abort();  // a failed request does not give it back
  shop.visit(b, [&](ShopSession& s) { EXPECT_FALSE(s.consume_form_token(token)); });
}

TEST(FormTokens, AClaimIsTheSameForTheSameSubmissionAndMayBeGivenBack) {
  Shop shop;
  Browser b;
  std::string token, first;
  shop.visit(b, [&](ShopSession& s) { token = s.create_form_token(); s.set_user("ada"); });
  shop.visit(b, [&](ShopSession& s) {
    auto claim = s.consume_form_token(token);
    ASSERT_TRUE(claim);
    first = claim->id();
    EXPECT_EQ(claim->id(), first);
    EXPECT_FALSE(s.has_form_token(token));
    EXPECT_TRUE(claim->give_back());
    EXPECT_TRUE(s.has_form_token(token));
  });
  shop.visit(b, [&](ShopSession& s) {
    auto claim = s.consume_form_token(token);
    ASSERT_TRUE(claim);
    EXPECT_NE(claim->id(), first);  // another submission
  });
}

TEST(FormTokens, AClaimOnAnEndedSessionCannotBeGivenBack) {
  Shop shop;
  Browser b;
  std::string token;
  shop.visit(b, [&](ShopSession& s) { token = s.create_form_token(); s.set_user("ada"); });
  shop.visit(b, [&](ShopSession& s, auto& scope) {
    auto claim = s.consume_form_token(token);
    ASSERT_TRUE(claim);
    scope.expire_session();
    EXPECT_FALSE(claim->give_back());
  });
}

TEST(FormTokens, AnotherSessionsTokenIsRefused) {
  Shop shop;
  Browser a, b;
  std::string token;
  shop.visit(a, [&](ShopSession& s) { token = s.create_form_token(); });
  shop.visit(b, log_in);
  shop.visit(b, [&](ShopSession& s) { EXPECT_FALSE(s.has_form_token(token)); EXPECT_FALSE(s.consume_form_token(token)); });
  Browser stranger;
  shop.visit(stranger, [&](ShopSession& s) { EXPECT_FALSE(s.consume_form_token(token)); });
}

TEST(FormTokens, APreLoginTokenIsRefusedAfterLoginAndReauthentication) {
  Shop shop;
  Browser b;
  std::string token;
  shop.visit(b, [&](ShopSession& s) { token = s.create_form_token(); });
  shop.visit(b, log_in);
  shop.visit(b, [&](ShopSession& s) { EXPECT_FALSE(s.consume_form_token(token)); token = s.create_form_token(); });
  shop.visit(b, [](ShopSession& s) { s.reauthenticated(); });
  shop.visit(b, [&](ShopSession& s) { EXPECT_FALSE(s.consume_form_token(token)); });
}

TEST(FormTokens, ARenewedIdKeepsThem) {
  Shop shop;
  Browser b;
  std::string token;
  shop.visit(b, [&](ShopSession& s) { token = s.create_form_token(); });
  const auto old = b;
  shop.visit(b, [](ShopSession& s) { s.renew_id(); });
  ASSERT_NE(b.header(), old.header());
  auto behind = shop.start(old), ahead = shop.start(b);
  EXPECT_TRUE(behind->consume_form_token(token));
  EXPECT_FALSE(ahead->consume_form_token(token));
  behind.finish(), ahead.finish();
}

TEST(FormTokens, TheRequestThatMadeOneMayNotConsumeIt) {
  Shop shop;
  auto scope = shop.sessions.start_request({});
  const auto token = scope->create_form_token();
  EXPECT_THROW(scope->consume_form_token(token), UsageError);
  scope.abort();
}

// ## CSRF

TEST(CsrfTokens, AThousandRenderingsAllDifferAndAllHold) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  std::set<std::string> all;
  shop.visit(b, [&](ShopSession& s) { for (int i = 0; i < 1000; ++i) all.insert(s.csrf_token("order")); });
  EXPECT_EQ(all.size(), 1000u);
  shop.visit(b, [&](ShopSession& s) { for (const auto& t : all) EXPECT_TRUE(s.check_csrf_token(t, "order")); });
}

TEST(CsrfTokens, AreBoundToTheirFormAndSession) {
  Shop shop;
  Browser a, b;
  std::string token;
  for (auto* x : {&a, &b}) shop.visit(*x, log_in);
  shop.visit(a, [&](ShopSession& s) { token = s.csrf_token("order"); });
  shop.visit(a, [&](ShopSession& s) {
    EXPECT_TRUE(s.check_csrf_token(token, "order"));
    EXPECT_FALSE(s.check_csrf_token(token, "transfer"));
    EXPECT_FALSE(s.check_csrf_token(token));
    EXPECT_FALSE(s.check_csrf_token(token.substr(1), "order"));
    EXPECT_FALSE(s.check_csrf_token("", "order"));
  });
  shop.visit(b, [&](ShopSession& s) { EXPECT_FALSE(s.check_csrf_token(token, "order")); });
}

TEST(CsrfTokens, TheOldOnesFailAfterLoginAndReauthentication) {
  Shop shop;
  Browser b;
  std::string visitor, user;
  shop.visit(b, [&](ShopSession& s) { ++s.visits; });
  shop.visit(b, [&](ShopSession& s) { visitor = s.csrf_token(); });
  shop.visit(b, [&](ShopSession& s) { EXPECT_TRUE(s.check_csrf_token(visitor)); s.set_user("ada"); });
  shop.visit(b, [&](ShopSession& s) { EXPECT_FALSE(s.check_csrf_token(visitor)); user = s.csrf_token(); s.reauthenticated(); });
  shop.visit(b, [&](ShopSession& s) { EXPECT_FALSE(s.check_csrf_token(user)); });
}

TEST(CsrfTokens, ALoginsOwnPageHasTheNewIdentitysToken) {
  Shop shop;
  Browser b;
  std::string token;
  shop.visit(b, [&](ShopSession& s) { s.set_user("ada"); token = s.csrf_token(); });
  shop.visit(b, [&](ShopSession& s) { EXPECT_TRUE(s.check_csrf_token(token)); });
}

TEST(CsrfTokens, ANewSessionsPageMayBeMadeBeforeItIsSavedAndBehindThat) {
  Shop shop;
  for (const bool user : {true, false})
    for (const bool before : {true, false}) {
      Browser b;
      std::string early, late;
      shop.visit(b, [&](ShopSession& s, auto& scope) {
        if (user) s.set_user("ada");
        else ++s.visits;
        if (before) early = s.csrf_token("order");
        shop.sessions.maintain_session(scope);
        late = s.csrf_token("order");
      });
      shop.visit(b, [&](ShopSession& s) {
        EXPECT_EQ(before, s.check_csrf_token(early, "order")) << user;
        EXPECT_TRUE(s.check_csrf_token(late, "order")) << user << before;
      });
    }
}

TEST(CsrfTokens, WhatTheStoreHoldsMakesNoneWithoutTheId) {
  Shop shop;
  for (const bool before : {true, false}) {
    Browser b;
    std::string token;
    shop.visit(b, [&](ShopSession& s) {
      s.set_user("ada");
      if (before) token = s.csrf_token();
    });
    if (!before) shop.visit(b, [&](ShopSession& s) { token = s.csrf_token(); });
    const auto id = SessionId::parse(b.jar.begin()->second).value();
    const auto record = shop.store->load(SessionKey::of({}, id), Deadline::after(std::chrono::seconds(5))).value();
    const auto mask = id.mac("sancho csrf at rest");
    int opened = 0;
    for (std::size_t at = 0; at + mask.size() <= record.payload.size(); ++at) {
      std::array<std::byte, 32> stored, open;
      std::memcpy(stored.data(), record.payload.data() + at, stored.size());
      std::transform(stored.begin(), stored.end(), mask.begin(), open.begin(), std::bit_xor<>());
      EXPECT_FALSE(check_csrf_token(stored, {}, token)) << at;
      opened += check_csrf_token(open, {}, token);
    }
    EXPECT_EQ(opened, 1) << before;
  }
}

TEST(CsrfTokens, ALogoutsOwnPageHasALoginFormThatWorks) {
  Shop shop;
  for (const bool at_once : {true, false}) {
    Browser b;
    std::string token;
    shop.visit(b, log_in);
    shop.visit(b, [&](ShopSession& s, auto& scope) {
      if (at_once) scope.expire_session();
      else s.set_user(User{});
      token = s.csrf_token("login");
    });
    shop.visit(b, [&](ShopSession& s) { EXPECT_FALSE(s.user()); EXPECT_TRUE(s.check_csrf_token(token, "login")) << at_once; });
  }
}

TEST(CsrfTokens, AreKeptThroughARenewal) {
  Shop shop;
  Browser b;
  std::string token;
  shop.visit(b, log_in);
  shop.visit(b, [&](ShopSession& s) { token = s.csrf_token(); s.renew_id(); });
  shop.visit(b, [&](ShopSession& s) { EXPECT_TRUE(s.check_csrf_token(token)); });
}

TEST(FormTokens, AClaimIsGivenBackOnceAndOnlyByWhoHasIt) {
  Shop shop;
  Browser b;
  std::string token;
  shop.visit(b, [&](ShopSession& s) { token = s.create_form_token(); });
  auto first = shop.start(b);
  auto claim = first->consume_form_token(token);
  ASSERT_TRUE(claim);
  EXPECT_TRUE(claim->give_back());
  auto second = shop.start(b);
  EXPECT_TRUE(second->consume_form_token(token));
  EXPECT_FALSE(claim->give_back());  // it is the second one's now
  auto third = shop.start(b);
  EXPECT_FALSE(third->consume_form_token(token));
  third.finish(), second.finish(), first.finish();
  shop.visit(b, [&](ShopSession& s) { EXPECT_FALSE(s.consume_form_token(token)); });
}

}  // namespace
}  // namespace sancho::test
