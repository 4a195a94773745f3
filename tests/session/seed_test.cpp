// One test for each row of docs/seed.md: the members of the original session
// module. seed_package_test.cpp has those of the package around it.
#include <fmt/format.h>

#include <ctime>
#include <sstream>

#include "shop.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;

std::string local(Time t) {
  const std::time_t seconds = std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count();
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", std::localtime(&seconds))};
}

// ## Attributes

TEST(Seed, IdIsTheHandleAndNeverTheCookie) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.id().empty()); s.set_user("ada"); });
  shop.visit(b, [&](ShopSession& s) {
    EXPECT_EQ(s.id().text().size(), 16u);
    EXPECT_EQ(b.header().find(s.id().text()), std::string::npos);
  });
}

TEST(Seed, UserIsReadAsItWasSet) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.user()); s.set_user(42); });
  shop.visit(b, [](ShopSession& s) {
    EXPECT_EQ(s.user().as<int>(), 42);
    EXPECT_EQ(s.user().subject(), "42");
  });
}

TEST(Seed, RemoteAddressIsThatOfTheFirstRequest) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in, {.peer_address = "192.0.2.1"});
  shop.visit(b, [](ShopSession& s) { EXPECT_EQ(s.get_remote_address(), "192.0.2.1"); }, {.peer_address = "192.0.2.2"});
}

TEST(Seed, CreationTimeStandsStill) {
  Shop shop;
  Browser b;
  const auto made = shop.clock.now();
  shop.visit(b, log_in);
  for (int i = 0; i < 3; ++i) {
    shop.clock.advance(10min);
    shop.visit(b, [&](ShopSession& s) { ++s.visits; EXPECT_EQ(s.get_creation_time(), made); });
  }
}

TEST(Seed, AccessTimeIsThatOfTheRequestBefore) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  const auto before = shop.clock.now();
  shop.clock.advance(10min);
  const auto then = shop.clock.now();
  shop.visit(b, [&](ShopSession& s) { EXPECT_EQ(s.get_access_time(), before); });
  shop.clock.advance(5min);
  shop.visit(b, [&](ShopSession& s) { EXPECT_EQ(s.get_access_time(), then); });
}

TEST(Seed, FormTokensAreCountedAndTheirDigestsKept) {
  Shop shop;
  Browser b;
  std::string token;
  shop.visit(b, [&](ShopSession& s) { token = s.create_form_token(); });
  EXPECT_EQ(shop.store->bytes.find(token), std::string::npos);
  shop.visit(b, [&](ShopSession& s) {
    std::ostringstream out;
    s.dump(out);
    EXPECT_NE(out.str().find("_form_tokens: 1\n"), std::string::npos) << out.str();
  });
}

struct ThreeTokens : Session {
  using Session::Session;
  std::size_t max_form_tokens() const override { return 3; }
};

TEST(Seed, MaxFormTokensIsSixteenAndASubclassMaySayOtherwise) {
  EXPECT_EQ(Session::MAX_FORM_TOKENS, 16u);
  App<ThreeTokens> app;
  Browser b;
  std::vector<std::string> made;
  app.visit(b, [&](ThreeTokens& s) { for (int i = 0; i < 5; ++i) made.push_back(s.create_form_token()); });
  app.visit(b, [&](ThreeTokens& s) {
    EXPECT_FALSE(s.has_form_token(made[1]));
    for (int i = 2; i < 5; ++i) EXPECT_TRUE(s.has_form_token(made[static_cast<std::size_t>(i)]));
  });
}

// ## Special methods

TEST(Seed, InitGivesNobodyAndTheTimeIsNow) {
  Shop shop;
  auto scope = shop.sessions.start_request({.peer_address = "192.0.2.1"});
  EXPECT_FALSE(scope->user());
  EXPECT_EQ(scope->get_creation_time(), shop.clock.now());
  EXPECT_EQ(scope->get_access_time(), shop.clock.now());
  EXPECT_EQ(scope->get_remote_address(), "192.0.2.1");
  scope.finish();
}

TEST(Seed, ReprNamesTheClassThePlaceAndTheHandle) {
  Shop shop;
  auto scope = shop.sessions.start_request({});
  EXPECT_EQ(scope->repr(), fmt::format("<sancho::test::ShopSession at {:x}: None>", reinterpret_cast<std::uintptr_t>(static_cast<SimpleSession*>(&*scope))));
  scope.finish();
}

TEST(Seed, StrSaysWhoIsThere) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { EXPECT_EQ(s.to_string(), "session None (no user)"); s.set_user("ada"); });
  shop.visit(b, [](ShopSession& s) { EXPECT_EQ(s.to_string(), fmt::format("session {} (user ada)", s.id().text())); });
}

// ## Methods

TEST(Seed, HasInfoIsTrueForAUser) {
  Shop shop;
  auto scope = shop.sessions.start_request({});
  EXPECT_FALSE(scope->has_info());
  scope->set_user("ada");
  EXPECT_TRUE(scope->has_info());
  scope->set_user(User{});
  EXPECT_FALSE(scope->has_info());
  scope.finish();
}

TEST(Seed, HasInfoIsTrueForSlotsAndTokensToo) {
  Shop shop;
  const auto info_after = [&](auto&& what) {
    auto scope = shop.sessions.start_request({});
    what(*scope);
    const bool info = scope->has_info();
    scope.abort();
    return info;
  };
  EXPECT_FALSE(info_after([](ShopSession& s) { (void)*s.cart; }));
  EXPECT_TRUE(info_after([](ShopSession& s) { s.cart.edit().items.push_back({"book"}); }));
  EXPECT_TRUE(info_after([](ShopSession& s) { ++s.visits; }));
  EXPECT_TRUE(info_after([](ShopSession& s) { s.set("theme", "dark"); }));
  EXPECT_FALSE(info_after([](ShopSession& s) { s.set("theme", ""); }));
  EXPECT_TRUE(info_after([](ShopSession& s) { s.create_form_token(); }));
  EXPECT_TRUE(info_after([](ShopSession& s) { s.flash("hello"); }));
}

TEST(Seed, DumpHasTheSeedsLayoutAndNoSecret) {
  Shop shop;
  Browser b;
  const auto made = shop.clock.now();
  shop.visit(b, [](ShopSession& s) { s.set_user("ada"); s.create_form_token(); }, {.peer_address = "192.0.2.1"});
  shop.clock.advance(5min);
  shop.visit(b, [&](ShopSession& s) {
    std::ostringstream with, without;
    s.dump(with);
    s.dump(without, false);
    const auto body = fmt::format("  user ada  _remote_address: 192.0.2.1  created {0}, last accessed {0}  _form_tokens: 1\n", local(made));
    EXPECT_EQ(without.str(), body);
    EXPECT_EQ(with.str(), fmt::format("session {}:", s.id().text()) + body);
  });
}

struct Greeter : Session {
  using Session::Session;
  Slot<std::string> name{*this, "name"};
  std::string greeted;
  void start_request() override { greeted = "hello " + *name; }
};

TEST(Seed, StartRequestRunsWhenTheSessionStandsAndBeforeTheHandler) {
  App<Greeter> app;
  Browser b;
  app.visit(b, [](Greeter& s) { EXPECT_EQ(s.greeted, "hello "); s.name = "ada"; });
  app.visit(b, [](Greeter& s) { EXPECT_EQ(s.greeted, "hello ada"); });
}

struct NamesOnly : Session {
  using Session::Session;
  void set_user(User user) override {
    if (user && user.subject() != user.as<std::string>()) throw std::invalid_argument("a user is a name");
    Session::set_user(std::move(user));
  }
};

TEST(Seed, SetUserMayBeOverriddenToCheckTypes) {
  App<NamesOnly> app;
  Browser b;
  app.visit(b, [](NamesOnly& s) {
    s.set_user("ada");
    EXPECT_THROW(s.set_user(7), DecodeError);
    EXPECT_EQ(s.get_user(), "ada");
  });
}

TEST(Seed, GetUserIsTypedAndNothingForNobody) {
  Shop shop;
  auto scope = shop.sessions.start_request({});
  EXPECT_EQ(scope->get_user(), std::nullopt);
  EXPECT_EQ(scope->get_user<int>(), std::nullopt);
  scope->set_user(7);
  EXPECT_EQ(scope->get_user<int>(), 7);
  EXPECT_THROW(scope->get_user(), DecodeError);
  scope.abort();
}

TEST(Seed, CreationAgeTakesAnExplicitNow) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  shop.clock.advance(10min);
  shop.visit(b, [&](ShopSession& s) {
    EXPECT_EQ(s.get_creation_age(), 10min);
    EXPECT_EQ(s.get_creation_age(shop.clock.now() + 1min), 11min);
  });
}

TEST(Seed, AccessAgeTakesAnExplicitNow) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  shop.clock.advance(10min);
  shop.visit(b, [](ShopSession&) {});
  shop.clock.advance(7min);
  shop.visit(b, [&](ShopSession& s) {
    EXPECT_EQ(s.get_access_age(), 7min);
    EXPECT_EQ(s.get_access_age(shop.clock.now() - 7min), 0min);
  });
}

TEST(Seed, AccessTimeIsRaisedOnlyBeyondTheResolution) {
  auto policy = plain_policy();
  policy.access_time_resolution = 1min;
  Shop shop(policy);
  Browser b;
  shop.visit(b, log_in);
  const auto first = shop.clock.now();
  shop.clock.advance(1min);  // not more than the resolution
  shop.visit(b, [](ShopSession&) {});
  EXPECT_EQ(shop.records().at(0).record.accessed, first);
  shop.clock.advance(1ms);
  shop.visit(b, [](ShopSession&) {});
  EXPECT_EQ(shop.records().at(0).record.accessed, shop.clock.now());
}

TEST(Seed, CreatedFormTokensQueueUpAndTheOldestGiveWay) {
  Shop shop;
  Browser b;
  std::vector<std::string> made;
  for (int i = 0; i < 17; ++i) shop.visit(b, [&](ShopSession& s) { made.push_back(s.create_form_token()); });
  shop.visit(b, [&](ShopSession& s) {
    EXPECT_FALSE(s.has_form_token(made[0]));
    for (std::size_t i = 1; i < 17; ++i) EXPECT_TRUE(s.has_form_token(made[i])) << i;
  });
}

TEST(Seed, HasFormTokenKnowsTheOutstandingOnes) {
  Shop shop;
  Browser b;
  shop.visit(b, [&](ShopSession& s) {
    const auto token = s.create_form_token();
    EXPECT_TRUE(s.has_form_token(token));
    EXPECT_FALSE(s.has_form_token(token + "x"));
    EXPECT_FALSE(s.has_form_token(""));
  });
}

TEST(Seed, RemovedFormTokensAreGoneAndAMissingOneIsFalse) {
  Shop shop;
  Browser b;
  std::string token;
  shop.visit(b, [&](ShopSession& s) { token = s.create_form_token(); s.set_user("ada"); });
  shop.visit(b, [&](ShopSession& s) {
    EXPECT_TRUE(s.remove_form_token(token));
    EXPECT_FALSE(s.has_form_token(token));
    EXPECT_FALSE(s.remove_form_token(token));
  });
  shop.visit(b, [&](ShopSession& s) { EXPECT_FALSE(s.has_form_token(token)); });
}

TEST(Seed, ASimpleSessionIsEnoughForAUser) {
  App<SimpleSession> app;
  Browser b;
  app.visit(b, [](SimpleSession& s) { s.set_user("ada"); });
  app.visit(b, [](SimpleSession& s) { EXPECT_EQ(s.get_user(), "ada"); EXPECT_TRUE(s.has_info()); });
}

}  // namespace
}  // namespace sancho::test
