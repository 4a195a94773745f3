#include "support.hpp"

namespace sancho::test {
namespace {

struct Item {
  std::string sku;
  int quantity = 1;
};
SANCHO_FIELDS(Item, sku, quantity)

struct Cart {
  std::vector<Item> items;
};
SANCHO_FIELDS(Cart, items)

struct ShopSession : Session {
  using Session::Session;
  Slot<Cart> cart{*this, "cart"};
  Counter visits{*this, "visits"};
};

using Shop = App<ShopSession>;

TEST(Manager, AStrangerCostsNothing) {
  Shop shop;
  Browser b;
  const auto lines = shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
  EXPECT_TRUE(lines.empty());
  EXPECT_EQ(shop.store->calls, 0u);
}

TEST(Manager, AUserIsRemembered) {
  Shop shop;
  Browser b;
  const auto lines = shop.visit(b, [](ShopSession& s) { s.set_user("ada"); });
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0].value.substr(0, 16), "__Host-Http-sid=");
  EXPECT_EQ(lines[0].value.substr(16 + 43), "; Path=/; Secure; HttpOnly; SameSite=Lax");
  EXPECT_EQ(lines[1], (HeaderLine{"Cache-Control", "no-store"}));
  shop.visit(b, [](ShopSession& s) {
    EXPECT_EQ(s.get_user(), "ada");
    EXPECT_FALSE(s.id().empty());
  });
  EXPECT_EQ(shop.ear.count(EventKind::login), 1u);
}

TEST(Manager, ReadingWritesNothingAndAsksOnce) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.set_user("ada"); });
  shop.store->reset();
  const auto lines = shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.cart.present()); EXPECT_EQ(s.visits.value(), 0); });
  EXPECT_TRUE(lines.empty());
  EXPECT_EQ(shop.store->calls, 1u);
  shop.clock.advance(std::chrono::minutes(2));
  shop.visit(b, [](ShopSession&) {});
  EXPECT_EQ(shop.store->calls, 3u);
  EXPECT_EQ(shop.store->touches, 1u);
}

TEST(Manager, SlotsAndCountersAreKept) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.cart.edit().items.push_back({"book", 2}); ++s.visits; s.set("theme", "dark"); });
  shop.visit(b, [](ShopSession& s) {
    ASSERT_EQ(s.cart->items.size(), 1u);
    EXPECT_EQ(s.cart->items[0].quantity, 2);
    EXPECT_EQ(s.visits.value(), 1);
    EXPECT_EQ(s.get<std::string>("theme"), "dark");
    EXPECT_TRUE(s.erase("theme"));
  });
  shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.contains("theme")); });
}

TEST(Manager, OverlappingRequestsKeepEachOthersWrites) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { ++s.visits; });
  const auto header = b.header();
  const std::string_view line = header;
  Request r;
  r.cookies = {&line, 1};
  auto slow = shop.sessions.start_request(r);
  ++slow->visits;
  slow->set("slow", 1);
  shop.visit(b, [](ShopSession& s) { ++s.visits; s.set("fast", 1); });
  slow.finish();
  shop.visit(b, [](ShopSession& s) {
    EXPECT_EQ(s.visits.value(), 3);
    EXPECT_TRUE(s.contains("slow"));
    EXPECT_TRUE(s.contains("fast"));
  });
  EXPECT_EQ(shop.ear.count(EventKind::merged), 1u);
}

TEST(Manager, AWriterInFlightNeverRevivesALoggedOutSession) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.set_user("ada"); });
  const auto header = b.header();
  const std::string_view line = header;
  Request r;
  r.cookies = {&line, 1};
  auto slow = shop.sessions.start_request(r);
  shop.visit(b, [](ShopSession&, auto& scope) { scope.expire_session(); });
  EXPECT_TRUE(b.jar.empty());
  ++slow->visits;
  EXPECT_TRUE(slow.finish().empty());
  EXPECT_EQ(shop.ear.count(EventKind::dropped), 1u);
  auto again = shop.sessions.start_request(r);
  EXPECT_FALSE(again->user());
  EXPECT_TRUE(again.finish().empty());
}

TEST(Manager, ALoginGivesANewIdAndEndsTheOld) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.cart.edit().items.push_back({"book"}); });
  auto before = b;
  shop.visit(b, [](ShopSession& s) { s.set_user("ada"); });
  EXPECT_NE(b.header(), before.header());
  shop.visit(b, [](ShopSession& s) { EXPECT_EQ(s.cart->items.size(), 1u); });
  shop.visit(before, [](ShopSession& s) { EXPECT_FALSE(s.user()); EXPECT_FALSE(s.cart.present()); });
}

TEST(Manager, ATokenIsConsumedOnce) {
  Shop shop;
  Browser b;
  std::string token;
  shop.visit(b, [&](ShopSession& s) { token = s.create_form_token(); });
  EXPECT_EQ(token.size(), 22u);
  shop.visit(b, [&](ShopSession& s) {
    EXPECT_TRUE(s.has_form_token(token));
    auto claim = s.consume_form_token(token);
    ASSERT_TRUE(claim);
    EXPECT_EQ(claim->id().size(), 16u);
    EXPECT_FALSE(s.consume_form_token(token));
    s.set_user("ada");
  });
  shop.visit(b, [&](ShopSession& s) { EXPECT_FALSE(s.consume_form_token(token)); EXPECT_EQ(s.get_user(), "ada"); });
}

TEST(Manager, AnIdIsRenewedAndTheOldOneLeadsOn) {
  auto policy = Policy{};
  Shop shop(policy);
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.set_user("ada"); ++s.visits; });
  Handle h;
  shop.visit(b, [&](ShopSession& s) { h = s.id(); });
  for (int i = 0; i < 65; i += 5) shop.clock.advance(std::chrono::minutes(5)), shop.visit(b, [](ShopSession&) {});
  EXPECT_EQ(shop.ear.count(EventKind::rotated), 1u);
  shop.visit(b, [&](ShopSession& s) { EXPECT_EQ(s.id(), h); EXPECT_EQ(s.visits.value(), 1); });
}

TEST(Manager, AStoreThatIsDownIsNotALogout) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.set_user("ada"); });
  shop.store->fail = Trouble::unavailable;
  EXPECT_THROW(shop.visit(b, [](ShopSession&) {}), StoreError);
  shop.store->fail.reset();
  shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); });
}

TEST(Manager, FlashIsReadOnce) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.flash("hello"); s.set_user("ada"); });
  shop.visit(b, [](ShopSession& s) { EXPECT_EQ(s.take_flashes(), std::vector<std::string>{"hello"}); });
  shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.take_flashes().empty()); });
}

TEST(Manager, AnEmptySessionIsGone) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.flash("hello"); });
  EXPECT_EQ(b.jar.size(), 1u);
  shop.visit(b, [](ShopSession& s) { s.take_flashes(); });
  EXPECT_TRUE(b.jar.empty());
  EXPECT_EQ(shop.store->scan()->count(Deadline::after(std::chrono::seconds(1))), 0u);
}

TEST(Manager, ACsrfTokenIsTheSessionsOwn) {
  Shop shop;
  Browser b, other;
  std::string token;
  shop.visit(b, [&](ShopSession& s) { token = s.csrf_token("login"); });
  EXPECT_EQ(b.jar.size(), 1u);
  EXPECT_EQ(shop.store->calls, 0u);
  shop.visit(other, [&](ShopSession& s) { EXPECT_FALSE(s.check_csrf_token(token, "login")); });
  std::string next;
  shop.visit(b, [&](ShopSession& s) {
    EXPECT_TRUE(s.check_csrf_token(token, "login"));
    EXPECT_FALSE(s.check_csrf_token(token, "order"));
    s.set_user("ada");
    next = s.csrf_token("order");
  });
  EXPECT_EQ(b.jar.count("__Host-Http-pre"), 0u);
  shop.visit(b, [&](ShopSession& s) { EXPECT_TRUE(s.check_csrf_token(next, "order")); EXPECT_FALSE(s.check_csrf_token(token, "login")); });
}

TEST(Manager, SessionsOfAUserAreListedAndEndedByHandle) {
  Shop shop;
  Browser a, b, c;
  for (auto* x : {&a, &b, &c}) shop.visit(*x, [](ShopSession& s) { s.set_user("ada"); });
  shop.visit(a, [&](ShopSession&, auto& scope) {
    auto all = scope.sessions();
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(std::count_if(all.begin(), all.end(), [](auto& i) { return i.current; }), 1);
    EXPECT_EQ(scope.end_other_sessions(), 2u);
  });
  shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
  shop.visit(a, [](ShopSession& s) { EXPECT_TRUE(s.user()); });
}

// A request leaves its memory to the next one on its thread, and nothing else.
TEST(Manager, NothingOfARequestIsSeenByTheNext) {
  Shop shop;
  Browser b, stranger;
  const std::string name(300, 'n'), sku(5000, 's');
  Request request;
  request.peer_address = "2001:db8:85a3:8d3:1319:8a2e:370:7348";
  const std::string agent(150, 'a');
  request.user_agent = agent;
  for (int i = 0; i < 20; ++i) {
    {
      auto scope = shop.start(b, request);
      if (i == 0) scope->set_user(name);
      scope->cart.edit().items.push_back({sku, i});
      (void)scope->csrf_token();
      b.take(scope.finish());
    }
    {
      auto scope = shop.start(b);
      EXPECT_EQ(scope->get_user(), name);
      EXPECT_EQ(scope->cart->items.size(), static_cast<std::size_t>(i + 1));
      EXPECT_EQ(scope->get_user_agent(), agent);
      b.take(scope.finish());
    }
    auto scope = shop.start(stranger);
    EXPECT_FALSE(scope->user());
    EXPECT_TRUE(scope->cart->items.empty());
    EXPECT_TRUE(scope->id().empty());
    EXPECT_EQ(scope->get_remote_address() + scope->get_user_agent() + scope.remote_address(), "");
    EXPECT_FALSE(scope.ticket());
    EXPECT_TRUE(scope.finish().empty());
  }
}

struct Farewell : Session {
  using Session::Session;
  ~Farewell() override { last = to_string(); }
  static inline std::string last;
};

TEST(Manager, ASessionKnowsItsUserUntilItIsGone) {
  App<Farewell> shop;
  Browser b;
  shop.visit(b, [](Farewell& s) { s.set_user("somebody with a long name"); });
  shop.sessions.start_request({}).abort();
  EXPECT_EQ(Farewell::last, "session None (no user)");
  {
    auto scope = shop.start(b);
    scope.abort();
  }
  EXPECT_NE(Farewell::last.find("(user somebody with a long name)"), std::string::npos) << Farewell::last;
}

// A class of its own alignment, and one too large to be kept.
struct alignas(64) Wide : Session {
  using Session::Session;
  char page[10'000];
};

TEST(Manager, SessionsOfAnySizeAndAlignmentAreMade) {
  App<Wide> shop;
  Browser b;
  shop.visit(b, [](Wide& s) { s.set_user("ada"); });
  for (int i = 0; i < 20; ++i)
    shop.visit(b, [](Wide& s) {
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(&s) % alignof(Wide), 0u);
      EXPECT_EQ(s.get_user(), "ada");
      std::fill(std::begin(s.page), std::end(s.page), 'x');
    });
}

}  // namespace
}  // namespace sancho::test
