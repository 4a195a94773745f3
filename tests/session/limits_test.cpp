// Time is enforced by the server (promise P11).
#include <cstdlib>
#include <random>

#include "shop.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;

Policy limits(Duration idle, Duration absolute) {
  auto p = plain_policy();
  p.limits = {idle, absolute};
  p.access_time_resolution = 0ms;
  return p;
}

TEST(Limits, ASessionIdlesOutToTheMillisecond) {
  for (const auto& [wait, there] : {std::pair{30min - 1ms, true}, {Duration(30min), false}, {30min + 1ms, false}}) {
    Shop shop(limits(30min, 12h));
    Browser b;
    shop.visit(b, log_in);
    shop.clock.advance(wait);
    shop.visit(b, [&, there = there](ShopSession& s) { EXPECT_EQ(bool(s.user()), there); });
  }
}

TEST(Limits, TheAbsoluteLimitEndsASessionInUse) {
  Shop shop(limits(30min, 2h));
  Browser b;
  shop.visit(b, log_in);
  for (int i = 0; i < 7; ++i) {
    shop.clock.advance(15min);
    shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); ++s.visits; });
  }
  shop.clock.advance(15min - 1ms);
  shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); });
  shop.clock.advance(1ms);
  shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
  EXPECT_EQ(shop.ear.count(EventKind::unknown_id), 1u);
}

// Whatever a request does but log in or reauthenticate, the end stands.
TEST(Limits, NothingButALoginMovesTheAbsoluteLimit) {
  const char* given = std::getenv("SANCHO_SEED");
  const auto seed = given ? std::strtoul(given, nullptr, 10) : std::random_device{}();
  std::printf("SANCHO_SEED=%lu\n", static_cast<unsigned long>(seed));
  std::mt19937 chance(static_cast<std::mt19937::result_type>(seed));
  for (int round = 0; round < 50; ++round) {
    auto policy = limits(20min, 3h);
    policy.renewal = 40min;
    policy.access_time_resolution = 5min;
    Shop shop(policy);
    Browser b;
    shop.visit(b, log_in);
    auto ends = shop.clock.now() + 3h;
    for (int step = 0; step < 40; ++step) {
      shop.clock.advance(std::chrono::seconds(chance() % 900));
      const auto what = chance() % 9;
      bool user = false;
      shop.visit(b, [&](ShopSession& s, auto& scope) {
        user = bool(s.user());
        if (!user) return;
        switch (what) {
          case 0: break;
          case 1: ++s.visits; break;
          case 2: s.renew_id(); break;
          case 3: s.set_user("ada"); break;
          case 4: s.create_form_token(); break;
          case 5: s.keep_logged_in(); break;
          case 6: (void)s.consume_form_token(s.id().text()); break;
          case 7: shop.sessions.maintain_session(scope); break;
          case 8: if (chance() % 4 == 0) s.reauthenticated(), ends = shop.clock.now() + (s.kept_logged_in() ? Duration(24h * 30) : Duration(3h)); break;
        }
      });
      ASSERT_TRUE(!user || shop.clock.now() < ends) << "step " << step;
      if (!user) break;
      ASSERT_EQ(shop.count(), 1u);
      EXPECT_EQ(shop.records()[0].record.ends, ends) << "after " << what;
    }
  }
}

TEST(Limits, ReauthenticationStartsBothTimersAnew) {
  Shop shop(limits(30min, 1h));
  Browser b;
  shop.visit(b, log_in);
  shop.clock.advance(29min);
  shop.visit(b, [](ShopSession& s) { EXPECT_EQ(s.get_auth_age(), 29min); s.reauthenticated(); EXPECT_EQ(s.get_auth_age(), 0min); });
  shop.clock.advance(29min);
  shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); EXPECT_EQ(s.get_auth_age(), 29min); });
  shop.clock.advance(29min);
  shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); });
  shop.clock.advance(2min);
  shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
}

TEST(Limits, TheResolutionOnlyShortensTheIdleTime) {
  auto policy = limits(30min, 12h);
  policy.access_time_resolution = 10min;
  Shop shop(policy);
  Browser b;
  shop.visit(b, log_in);
  shop.clock.advance(10min);  // seen, but not written down
  shop.visit(b, [](ShopSession&) {});
  EXPECT_EQ(shop.store->touches, 0u);
  shop.clock.advance(20min);
  shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
}

TEST(Limits, AnIdIsRenewedWhenItIsDueAndNotBefore) {
  auto policy = limits(2h, 12h);
  policy.renewal = 1h;
  Shop shop(policy);
  Browser b;
  shop.visit(b, log_in);
  const auto first = b.header();
  shop.clock.advance(1h - 1ms);
  shop.visit(b, [](ShopSession&) {});
  EXPECT_EQ(b.header(), first);
  shop.clock.advance(1ms);
  shop.visit(b, [](ShopSession&) {});
  EXPECT_NE(b.header(), first);
  const auto second = b.header();
  shop.clock.advance(1h - 1ms);
  shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); });
  EXPECT_EQ(b.header(), second);
}

TEST(Limits, FreshnessIsMeasuredFromTheLastProof) {
  auto policy = limits(2h, 12h);
  policy.freshness = 15min;
  Shop shop(policy);
  Browser b;
  shop.visit(b, [](ShopSession& s, auto& scope) { EXPECT_FALSE(scope.is_fresh()); s.set_user("ada"); EXPECT_TRUE(scope.is_fresh()); });
  shop.clock.advance(15min);
  shop.visit(b, [](ShopSession& s, auto& scope) { EXPECT_TRUE(scope.is_fresh()); EXPECT_FALSE(scope.is_fresh(14min)); ++s.visits; });
  shop.clock.advance(1ms);
  shop.visit(b, [](ShopSession& s, auto& scope) { EXPECT_FALSE(scope.is_fresh()); EXPECT_TRUE(scope.is_fresh(16min)); s.renew_id(); });
  shop.visit(b, [](ShopSession& s, auto& scope) { EXPECT_FALSE(scope.is_fresh()); s.reauthenticated(); EXPECT_TRUE(scope.is_fresh()); });
  shop.visit(b, [](ShopSession&, auto& scope) { EXPECT_TRUE(scope.is_fresh()); });
}

std::optional<long> max_age(const HeaderLines& lines) {
  for (const auto& [name, value] : lines)
    if (const auto at = value.find("Max-Age="); name == "Set-Cookie" && at != std::string::npos) return std::stol(value.substr(at + 8));
  return std::nullopt;
}

TEST(Limits, KeptLoggedInHasLongerLimitsAndAMaxAge) {
  auto policy = limits(30min, 12h);
  policy.keep_logged_in = {24h * 20, 24h * 30};
  policy.renewal = 24h;
  Shop shop(policy);
  Browser b;
  const auto login = shop.visit(b, [](ShopSession& s) { s.set_user("ada"); s.keep_logged_in(); });
  EXPECT_EQ(max_age(login), 30 * 86400);
  shop.clock.advance(24h * 10);
  // Renewed, and the new cookie ends when the session does.
  EXPECT_EQ(max_age(shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); EXPECT_TRUE(s.kept_logged_in()); })), 20 * 86400);
  shop.clock.advance(24h * 20 - 1ms);
  shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); });
  shop.clock.advance(1ms);
  shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
}

TEST(Limits, WithoutItTheCookieGoesWithTheBrowser) {
  Shop shop;
  Browser b;
  EXPECT_EQ(max_age(shop.visit(b, log_in)), std::nullopt);
}

// ## Clocks that jump (F09)

TEST(Limits, F09AClockThatGoesBackLengthensNothing) {
  auto policy = limits(30min, 2h);
  Shop shop(policy);
  Browser b;
  shop.visit(b, log_in);
  const auto before = shop.records().at(0).record;
  shop.clock.advance(-1h);
  shop.visit(b, [](ShopSession& s, auto& scope) {
    EXPECT_TRUE(s.user());
    EXPECT_EQ(s.get_creation_age(), -1h);  // no underflow
    EXPECT_EQ(s.get_access_age(), -1h);
    EXPECT_TRUE(scope.is_fresh());
    ++s.visits;
  });
  const auto after = shop.records().at(0).record;
  EXPECT_EQ(after.ends, before.ends);
  EXPECT_EQ(after.accessed, before.accessed);  // never lowered
  shop.clock.advance(1h + 30min);
  shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
}

TEST(Limits, F09WhatWasSweptWhileTheClockWasAheadStaysGone) {
  Shop shop(limits(30min, 2h));
  Browser b;
  shop.visit(b, log_in);
  shop.clock.advance(24h * 365);
  shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
  EXPECT_FALSE(shop.sessions.sweep());
  EXPECT_EQ(shop.ear.count(EventKind::expired), 1u);
  shop.clock.advance(-24h * 365);
  shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
}

TEST(Limits, F09NoClockBringsBackALoggedOutSession) {
  Shop shop(limits(30min, 2h));
  Browser b;
  shop.visit(b, log_in);
  const auto before = b;
  shop.visit(b, [](ShopSession&, auto& scope) { scope.expire_session(); });
  for (const auto jump : {Duration(-1h), Duration(24h * 365), Duration(-24h * 365)}) {
    shop.clock.advance(jump);
    auto scope = shop.start(before);
    EXPECT_FALSE(scope->user());
    scope.finish();
  }
}

TEST(Limits, AnExpiredSessionIsGoneSweptOrNot) {
  Shop shop(limits(30min, 12h));
  Browser b;
  shop.visit(b, log_in);
  auto slow = shop.start(b);
  ++slow->visits;
  shop.clock.advance(31min);
  EXPECT_EQ(shop.count(), 0u);
  EXPECT_TRUE(slow.finish().empty());  // a request in flight does not bring it back
  EXPECT_EQ(shop.ear.count(EventKind::dropped), 1u);
  shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
}

TEST(Limits, KeepingOneUserLoggedInIsNotInheritedByTheNext) {
  for (const bool another : {false, true}) {
    Shop shop(limits(30min, 12h));
    Browser b;
    shop.visit(b, [](ShopSession& s) { s.set_user("ada"); s.keep_logged_in(); });
    const auto lines = shop.visit(b, [&](ShopSession& s) {
      s.set("theme", "dark");
      if (another) s.set_user("bob");
      else s.set_user(User{}), s.set("theme", "light");
    });
    ASSERT_FALSE(lines.empty());
    EXPECT_EQ(lines[0].value.find("Max-Age"), std::string::npos) << lines[0].value;
    shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.kept_logged_in()); });
  }
}

}  // namespace
}  // namespace sancho::test
