// What a program must not do with a session, and that it is told so.
#include <future>

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

TEST(Trouble, ASessionUsedAfterItsRequestIsCaught) {
  Shop shop;
  auto scope = shop.sessions.start_request({});
  scope.finish();
  EXPECT_TRUE(rule_broken([&] { (void)scope->user(); }));
  EXPECT_TRUE(rule_broken([&] { scope->set_user("ada"); }));
  EXPECT_TRUE(rule_broken([&] { scope->set("theme", "dark"); }));
  EXPECT_TRUE(rule_broken([&] { scope->cart.edit(); }));
  EXPECT_TRUE(rule_broken([&] { scope->cart = Cart{}; }));
  EXPECT_TRUE(rule_broken([&] { ++scope->visits; }));
  EXPECT_TRUE(rule_broken([&] { scope->create_form_token(); }));
  EXPECT_TRUE(rule_broken([&] { (void)scope->csrf_token(); }));
  EXPECT_TRUE(rule_broken([&] { scope.expire_session(); }));
  EXPECT_TRUE(rule_broken([&] { scope.finish(); }));
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
  Shop shop;
  auto scope = shop.sessions.start_request({});
  std::async(std::launch::async, [&] {
    EXPECT_TRUE(rule_broken([&] { (void)scope->user(); }));
    EXPECT_TRUE(rule_broken([&] { scope->set("theme", "dark"); }));
    EXPECT_TRUE(rule_broken([&] { scope->visits = 3; }));
  }).get();
  scope.finish();
}

TEST(Trouble, ARequestThatIsNeverFinishedIsReported) {
  Shop shop;
  Browser b;
  {
    auto scope = shop.start(b);
    scope->set_user("ada");
  }
  ASSERT_EQ(shop.ear.heard, std::vector{EventKind::unfinished});
  EXPECT_NE(shop.ear.all[0].detail.find("finish"), std::string::npos);
  EXPECT_EQ(shop.count(), 0u);
  // A handler that throws is no broken rule.
  EXPECT_THROW(shop.visit(b, [](ShopSession&) { throw std::runtime_error("oops"); }), std::runtime_error);
  EXPECT_EQ(shop.ear.heard.size(), 1u);
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
