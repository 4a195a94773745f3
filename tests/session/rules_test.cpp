// What a program must not do with a session, and that it is told so.
#include <future>

#include "../support/misuse.hpp"
#include "shop.hpp"

namespace sancho::test {
namespace {

// Caught, with a message that names the rule.
bool rule_broken(auto&& what) {
  try {
    what();
    return false;
  } catch (const UsageError& e) {
    return std::string_view(e.what()).starts_with("rule broken: ");
  }
}

// What `./test` builds says so of itself.
TEST(Misuse, IsCheckedAsTheBuildWasTold) { EXPECT_EQ(misuse_is_checked(), SANCHO_CHECKS_EXPECTED); }

TEST(Trouble, ASessionUsedAfterItsRequestIsCaught) {
  SANCHO_NEEDS_CHECKS();
  Shop shop;
  Told told;
  auto scope = shop.sessions.start_request({});
  scope.finish();
  EXPECT_TRUE(rule_broken([&] { (void)scope->user(); }));
  EXPECT_TRUE(rule_broken([&] { scope->set_user("ada"); }));
  EXPECT_TRUE(rule_broken([&] { scope->set("theme", "dark"); }));
  EXPECT_TRUE(rule_broken([&] { scope->cart.edit(); }));
  EXPECT_TRUE(rule_broken([&] { scope->cart.erase(); }));
  EXPECT_TRUE(rule_broken([&] { (void)scope->cart.present(); }));
  EXPECT_TRUE(rule_broken([&] { scope->cart = Cart{}; }));
  EXPECT_TRUE(rule_broken([&] { ++scope->visits; }));
  EXPECT_TRUE(rule_broken([&] { scope->flash("bye"); }));
  EXPECT_TRUE(rule_broken([&] { scope->create_form_token(); }));
  EXPECT_TRUE(rule_broken([&] { (void)scope->csrf_token(); }));
  EXPECT_TRUE(rule_broken([&] { scope.expire_session(); }));
  EXPECT_TRUE(rule_broken([&] { (void)scope.sessions(); }));
  EXPECT_EQ(told.rules(), std::vector<Rule>(13, Rule::used_in_time));
  EXPECT_TRUE(rule_broken([&] { scope.finish(); }));  // in every build
}

TEST(Trouble, AClaimUsedAfterItsRequestIsCaught) {
  Shop shop;
  Browser b;
  std::string token;
  shop.visit(b, [&](ShopSession& s) { token = s.create_form_token(); });
  auto scope = shop.start(b);
  auto claim = scope->consume_form_token(token);
  b.take(scope.finish());
  EXPECT_TRUE(rule_broken([&] { claim->give_back(); }));
}

TEST(Trouble, ASessionUsedFromAnotherThreadIsCaught) {
  SANCHO_NEEDS_CHECKS();
  Shop shop;
  Told told;
  Browser b;
  auto scope = shop.sessions.start_request({});
  scope->visits = 1;
  std::async(std::launch::async, [&] {
    EXPECT_TRUE(rule_broken([&] { (void)scope->user(); }));
    EXPECT_TRUE(rule_broken([&] { scope->set("theme", "dark"); }));
    EXPECT_TRUE(rule_broken([&] { scope->visits = 3; }));
    EXPECT_TRUE(rule_broken([&] { scope.expire_session(); }));
  }).get();
  EXPECT_EQ(told.rules(), std::vector<Rule>(4, Rule::on_its_thread));
  // Having changed nothing.
  b.take(scope.finish());
  shop.visit(b, [](ShopSession& s) {
    EXPECT_EQ(s.visits.value(), 1);
    EXPECT_FALSE(s.contains("theme"));
  });
}

TEST(Trouble, ARequestThatIsNeverFinishedIsReported) {
  Shop shop;
  Told told;
  Browser b;
  {
    auto scope = shop.start(b);
    scope->set_user("ada");
  }
  ASSERT_EQ(shop.ear.heard, std::vector{EventKind::unfinished});
  EXPECT_NE(shop.ear.all[0].detail.find("finish"), std::string::npos);
  EXPECT_EQ(shop.count(), 0u);
  if (misuse_is_checked()) {
    EXPECT_EQ(told.rules(), std::vector{Rule::finished});
    EXPECT_EQ(told.last(), shop.ear.all[0].detail);
  }
  // A handler that throws is no broken rule.
  EXPECT_THROW(shop.visit(b, [](ShopSession&) { throw std::runtime_error("oops"); }), std::runtime_error);
  EXPECT_EQ(shop.ear.heard.size(), 1u);
}

// Makes a whole request while another exception is on its way.
struct Cleanup {
  Shop& shop;
  bool forgets;
  ~Cleanup() {
    auto scope = shop.start(Browser{});
    ++scope->visits;
    if (!forgets) scope.abort();
  }
};

TEST(Trouble, ARequestOfACleanupIsFinishedLikeAnyOther) {
  SANCHO_NEEDS_CHECKS();
  for (const bool forgets : {false, true}) {
    Shop shop;
    Told told;
    try {
      const Cleanup cleanup{shop, forgets};
      throw std::runtime_error("oops");
    } catch (const std::runtime_error&) {
    }
    EXPECT_EQ(told.rules().size(), forgets ? 1u : 0u);
  }
}

TEST(Trouble, WhatIsRightBreaksNoRule) {
  Told told;
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  // An early return that discards what was done; and a store that is down.
  [&] {
    auto scope = shop.start(b);
    ++scope->visits;
    scope.abort();
  }();
  {
    auto scope = shop.start(b);
    ++scope->visits;
    shop.store->fail = Trouble::unavailable;
    EXPECT_THROW(scope.finish(), StoreError);
    shop.store->fail.reset();
  }
  // Its functions call each other; a login, a logout and what follows them.
  shop.visit(b, [](ShopSession& s) {
    s.cart.edit().items.push_back({"tea"});
    s.flash("tea added");
    EXPECT_TRUE(s.has_info());
    EXPECT_TRUE(s.remove_form_token(s.create_form_token()));
    EXPECT_EQ(s.take_flashes().size(), 1u);
  });
  shop.visit(b, [](ShopSession& s, auto& scope) {
    scope.expire_session();
    EXPECT_FALSE(s.user());
  });
  EXPECT_EQ(told.rules(), std::vector<Rule>{});
}

// ## What is said, and the end

TEST(MisuseDeathTest, SaysWhichRuleWasBrokenAndAborts) {
  SANCHO_NEEDS_CHECKS();
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto late = [] {
    Shop shop;
    auto scope = shop.sessions.start_request({});
    scope.finish();
    scope->set("theme", "dark");
  };
  const auto elsewhere = [] {
    Shop shop;
    auto scope = shop.sessions.start_request({});
    std::thread([&] { ++scope->visits; }).join();
  };
  const auto forgotten = [] {
    Shop shop;
    auto scope = shop.sessions.start_request({});
  };
  EXPECT_DEATH(late(), "sancho: rule broken: a session is used after its request has finished");
  EXPECT_DEATH(elsewhere(), "sancho: rule broken: a session is used from another thread than its request's");
  EXPECT_DEATH(forgotten(), "sancho: rule broken: a request's scope needs finish\\(\\) or abort\\(\\)");
}

TEST(Misuse, AHandlerGivesWayToTheOneBefore) {
  const MisuseHandler mine = [](const Misuse&) noexcept {};
  EXPECT_EQ(set_misuse_handler(mine), nullptr);
  EXPECT_EQ(set_misuse_handler(nullptr), mine);
}

TEST(Trouble, AHandlerThatThrowsChangesNothingBeyondWhatActsAtOnce) {
  Shop shop;
  Browser b;
  std::string token;
  shop.visit(b, [&](ShopSession& s) { token = s.create_form_token(); });
  EXPECT_THROW(shop.visit(b, [&](ShopSession& s) {
    ++s.visits;
    EXPECT_TRUE(s.consume_form_token(token));
    throw std::runtime_error("oops");
  }), std::runtime_error);
  shop.visit(b, [&](ShopSession& s) { EXPECT_FALSE(s.visits.present()); EXPECT_FALSE(s.consume_form_token(token)); });
}

}  // namespace
}  // namespace sancho::test
