// Slots: what they hold, what becomes of them at a login, and how they merge.
#include "shop.hpp"

namespace sancho::test {
namespace {
using namespace std::string_literals;

// ## Types

struct Account {
  int number = 0;
  std::string name;
  bool operator==(const Account&) const = default;
};
SANCHO_FIELDS(Account, number, name)
std::string subject_of(const Account& a) { return std::to_string(a.number); }

TEST(Slots, AStructIsASlotAndAUserByOneLine) {
  struct S : Session {
    using Session::Session;
    Slot<Account> shown{*this, "shown"};
  };
  App<S> app;
  Browser b;
  app.visit(b, [](S& s) { s.set_user(Account{7, "Ada"}), s.shown = Account{8, "Bob"}; });
  app.visit(b, [](S& s) {
    EXPECT_EQ(s.get_user<Account>(), (Account{7, "Ada"}));
    EXPECT_EQ(s.user().subject(), "7");
    EXPECT_EQ(*s.shown, (Account{8, "Bob"}));
  });
}

struct Old {
  int a = 1;
};
SANCHO_FIELDS(Old, a)
struct New {
  int a = 1;
  std::string b = "default";
};
SANCHO_FIELDS(New, a, b)
struct OldSession : Session {
  using Session::Session;
  Slot<Old> value{*this, "value"};
  Slot<int> mine{*this, "mine"};
};
struct NewSession : Session {
  using Session::Session;
  Slot<New> value{*this, "value"};
};

// Two programs on one store, at once: a rolling upgrade.
struct Upgrade {
  ManualClock clock;
  std::shared_ptr<SessionStore> store = open_memory_store(clock);
  SessionManager<OldSession> before{store, plain_policy(), {.clock = clock}};
  SessionManager<NewSession> after{store, plain_policy(), {.clock = clock}};
  Browser browser;
  template <class M, class F>
  void visit(M& manager, F handler) {
    const auto header = browser.header();
    const std::string_view line = header;
    Request r;
    if (!header.empty()) r.cookies = {&line, 1};
    auto scope = manager.start_request(r);
    handler(*scope);
    browser.take(scope.finish());
  }
};

TEST(Slots, AStructMayGrowAndShrink) {
  Upgrade u;
  u.visit(u.before, [](OldSession& s) { s.value.edit().a = 5; });
  u.visit(u.after, [](NewSession& s) {
    EXPECT_EQ(s.value->a, 5);
    EXPECT_EQ(s.value->b, "default");
    s.value.edit().b = "more";
  });
  u.visit(u.before, [](OldSession& s) { EXPECT_EQ(s.value->a, 5); });
}

TEST(Slots, LookingThroughEditLosesNoNewerField) {
  Upgrade u;
  u.visit(u.after, [](NewSession& s) { s.value = New{5, "more"}; });
  u.visit(u.before, [](OldSession& s) { EXPECT_EQ(s.value.edit().a, 5); });
  u.visit(u.after, [](NewSession& s) { EXPECT_EQ(s.value->b, "more"); });
}

TEST(Slots, AnotherProgramsSlotsAreCarriedAlong) {
  Upgrade u;
  u.visit(u.before, [](OldSession& s) { s.mine = 3; });
  u.visit(u.after, [](NewSession& s) { s.value.edit().a = 2; s.set_user("ada"); });
  u.visit(u.after, [](NewSession& s) { s.value.edit().a = 9; });
  u.visit(u.before, [](OldSession& s) { EXPECT_EQ(s.value->a, 9); });
}

// ## A slot that does not decode

struct WrongSession : Session {
  using Session::Session;
  Slot<std::string> number{*this, "visits"};
  Slot<Cart> cart{*this, "cart"};
};

TEST(Slots, AWrongTypeIsAnErrorAndTheSlotStays) {
  ManualClock clock;
  Ear ear;
  const std::shared_ptr<SessionStore> store = open_memory_store(clock);
  SessionManager<ShopSession> right(store, plain_policy(), {.clock = clock});
  SessionManager<WrongSession> wrong(store, plain_policy(), {.clock = clock, .observer = &ear});
  auto first = right.start_request({});
  ++first->visits, first->cart.edit().items.push_back({"book"});
  Browser b;
  b.take(first.finish());
  const auto header = b.header();
  const std::string_view line = header;
  const Request r{.cookies = {&line, 1}};
  auto second = wrong.start_request(r);
  EXPECT_TRUE(second->number.present());
  EXPECT_THROW((void)*second->number, DecodeError);
  EXPECT_THROW(second->number.edit(), DecodeError);
  EXPECT_THROW((void)second->get<std::string>("visits"), DecodeError);
  EXPECT_EQ(ear.count(EventKind::slot_quarantined), 2u);
  second->cart.edit().items.push_back({"pen"});  // the others work
  second.finish();
  auto third = right.start_request(r);
  EXPECT_EQ(third->visits.value(), 1);
  EXPECT_EQ(third->cart->items.size(), 2u);
  third.finish();
  auto fourth = wrong.start_request(r);
  fourth->number = "assigned"s;  // and an assignment heals it
  EXPECT_EQ(*fourth->number, "assigned");
  fourth.finish();
  auto fifth = wrong.start_request(r);
  EXPECT_EQ(*fifth->number, "assigned");
  fifth.finish();
}

// ## Writing

TEST(Slots, AnEditThatChangesNothingSavesNothing) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.cart.edit().items.push_back({"book"}); ++s.visits; });
  shop.store->reset();
  shop.visit(b, [](ShopSession& s) {
    (void)s.cart.edit();
    s.cart.edit().items.push_back({"pen"}), s.cart.edit().items.pop_back();
    s.visits = 1;
  });
  EXPECT_EQ(shop.store->writes, 0u);
  shop.visit(b, [](ShopSession& s) { s.set("absent", "x"), s.erase("absent"); });
  EXPECT_EQ(shop.store->writes, 0u);
}

TEST(Slots, LookingAtAnAbsentSlotDoesNotMakeIt) {
  Shop shop;
  Browser b;
  EXPECT_TRUE(shop.visit(b, [](ShopSession& s) { (void)s.cart.edit(); (void)*s.visits; }).empty());
  EXPECT_EQ(shop.store->calls, 0u);
}

TEST(Slots, AnErasedSlotIsGone) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.set_user("ada"); ++s.visits; s.cart.edit().items.push_back({"book"}); });
  shop.visit(b, [](ShopSession& s) { s.cart.erase(); EXPECT_FALSE(s.cart.present()); EXPECT_TRUE(s.cart->items.empty()); });
  shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.cart.present()); EXPECT_EQ(s.visits.value(), 1); });
}

TEST(Slots, TheirNamesAreChecked) {
  Shop shop;
  auto scope = shop.sessions.start_request({});
  EXPECT_THROW(scope->set("", 1), UsageError);
  EXPECT_THROW(scope->set("_flash", 1), UsageError);
  EXPECT_THROW(scope->set(std::string(65, 'x'), 1), UsageError);
  EXPECT_NO_THROW(scope->set(std::string(64, 'x'), 1));
  scope.abort();
  struct Twice : Session {
    using Session::Session;
    Slot<int> a{*this, "same"}, b{*this, "same"};
  };
  App<Twice> app;
  EXPECT_THROW(app.sessions.start_request({}), UsageError);
}

TEST(Slots, ASessionThatGrowsTooLargeIsRefusedAndTheOldOneStays) {
  auto policy = plain_policy();
  policy.max_session_bytes = 2000;
  Shop shop(policy);
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.set_user("ada"); s.set("text", std::string(1200, 'x')); });
  for (const bool as_user : {false, true}) {
    try {
      shop.visit(b, [&](ShopSession& s) { as_user ? s.set_user(std::string(3000, 'a')) : s.set("more", std::string(1200, 'y')); });
      ADD_FAILURE();
    } catch (const StoreError& e) {
      EXPECT_EQ(e.kind(), Trouble::full);
    }
    shop.visit(b, [](ShopSession& s) { EXPECT_EQ(s.get_user(), "ada"); EXPECT_FALSE(s.contains("more")); });
  }
  // Another value in the place of one is not more.
  shop.visit(b, [](ShopSession& s) { s.set("text", std::string(1200, 'z')); });
  shop.visit(b, [](ShopSession& s) { EXPECT_EQ(s.get<std::string>("text"), std::string(1200, 'z')); });
}

TEST(Slots, ASessionThatIsTooLargeAlreadyMayShrink) {
  auto large = plain_policy(), small = plain_policy();
  small.max_session_bytes = 1024;
  ManualClock clock;
  const std::shared_ptr<SessionStore> store = open_memory_store(clock);
  SessionManager<> before(store, large, {.clock = clock}), after(store, small, {.clock = clock});
  auto first = before.start_request({});
  first->set("a", std::string(2000, 'x')), first->set("b", std::string(2000, 'x'));
  Browser b;
  b.take(first.finish());
  const auto header = b.header();
  const std::string_view line = header;
  auto second = after.start_request({.cookies = {&line, 1}});
  second->erase("a");
  EXPECT_NO_THROW(second.finish());
}

// ## At a login

struct Carrying : Session {
  using Session::Session;
  Slot<int> yes{*this, "yes"};
  Slot<int> no{*this, "no", {.carry_at_login = false}};
};

App<Carrying> carrying() {
  auto policy = plain_policy();
  policy.carry_at_login = {"listed"};
  return App<Carrying>(policy);
}

void fill(Carrying& s) { s.yes = 1, s.no = 2, s.set("listed", 3), s.set("unlisted", 4), s.flash("hello"); }

TEST(Slots, AtLoginOnlyWhatIsAllowedGoesAlong) {
  auto app = carrying();
  Browser b;
  app.visit(b, fill);
  app.visit(b, [](Carrying& s) { s.set_user("ada"); });
  app.visit(b, [](Carrying& s) {
    EXPECT_EQ(*s.yes, 1);
    EXPECT_FALSE(s.no.present());
    EXPECT_EQ(s.get<int>("listed"), 3);
    EXPECT_FALSE(s.contains("unlisted"));
    EXPECT_EQ(s.take_flashes(), std::vector{"hello"s});
  });
}

TEST(Slots, WhatTheLoginItselfWroteIsTheUsers) {
  auto app = carrying();
  Browser b;
  app.visit(b, fill);
  app.visit(b, [](Carrying& s) { s.set_user("ada"); s.no = 5, s.set("unlisted", 6); });
  app.visit(b, [](Carrying& s) { EXPECT_EQ(*s.no, 5); EXPECT_EQ(s.get<int>("unlisted"), 6); });
}

TEST(Slots, NothingGoesFromOneUserToAnother) {
  auto app = carrying();
  Browser b;
  app.visit(b, [](Carrying& s) { s.set_user("ada"); fill(s); });
  app.visit(b, [](Carrying& s) { s.set_user("bob"); });
  app.visit(b, [](Carrying& s) {
    EXPECT_EQ(s.get_user(), "bob");
    EXPECT_FALSE(s.yes.present() || s.no.present() || s.contains("listed") || s.contains("unlisted"));
  });
}

TEST(Slots, InTheSwitchingRequestTheOldUsersAreOutOfSight) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { s.set_user("ada"); s.visits = 5; s.cart.edit().items.push_back({"adas secret"}); s.set("note", "ada"); });
  shop.visit(b, [](ShopSession& s) {
    EXPECT_EQ(s.visits.value(), 5);
    s.cart.edit().items.push_back({"ada's too"});
    s.set_user("bob");
    EXPECT_EQ(s.visits.value(), 0);
    EXPECT_FALSE(s.cart.present());
    EXPECT_FALSE(s.contains("note"));
    ++s.visits;
  });
  shop.visit(b, [](ShopSession& s) {
    EXPECT_EQ(s.get_user(), "bob");
    EXPECT_EQ(s.visits.value(), 1);
    EXPECT_FALSE(s.cart.present());
  });
}

// ## Merging: two requests begin, both write, both are saved

struct Merging : Session {
  using Session::Session;
  Slot<std::string> last{*this, "last"};
  Slot<int> sum{*this, "sum", {.merge = Merge::add()}};
  Slot<double> level{*this, "level", {.merge = Merge::add()}};
  Slot<int> best{*this, "best", {.merge = Merge::max()}};
  Slot<std::set<std::string>> tags{*this, "tags", {.merge = Merge::set_union()}};
  Slot<std::vector<int>> log{*this, "log", {.merge = Merge::append(4)}};
  Slot<std::string> both{*this, "both", {.merge = Merge::custom([](auto, std::string_view theirs, std::string_view mine) {
    return encode(decode<std::string>(theirs) + "+" + decode<std::string>(mine));
  })}};
};

// `theirs` is saved while `mine` runs; then `mine` is.
template <class A, class B, class C>
void race(A before, B theirs, B mine, C after) {
  App<Merging> app;
  Browser b;
  app.visit(b, [&](Merging& s) { s.set_user("ada"); before(s); });
  auto slow = app.start(b);
  mine(*slow);
  app.visit(b, [&](Merging& s) { theirs(s); });
  slow.finish();
  app.visit(b, [&](Merging& s) { after(s); });
}
using Edits = std::function<void(Merging&)>;

TEST(SlotMerges, TheLaterCommitWinsAndErasedStaysErased) {
  race([](Merging& s) { s.last = "base"; }, Edits([](Merging& s) { s.last = "theirs"; }), Edits([](Merging& s) { s.last = "mine"; }),
       [](Merging& s) { EXPECT_EQ(*s.last, "mine"); });
  race([](Merging& s) { s.last = "base"; }, Edits([](Merging& s) { s.last = "theirs"; }), Edits([](Merging& s) { s.last.erase(); }),
       [](Merging& s) { EXPECT_FALSE(s.last.present()); });
  race([](Merging& s) { s.last = "base"; }, Edits([](Merging& s) { s.last.erase(); }), Edits([](Merging& s) { ++s.sum.edit(); }),
       [](Merging& s) { EXPECT_FALSE(s.last.present()); });
  race([](Merging& s) { s.last = "base"; }, Edits([](Merging& s) { s.last.erase(); }), Edits([](Merging& s) { s.last = "mine"; }),
       [](Merging& s) { EXPECT_EQ(*s.last, "mine"); });
}

TEST(SlotMerges, NumbersAddUp) {
  race([](Merging& s) { s.sum = 10, s.level = 1.5; }, Edits([](Merging& s) { s.sum = 13, s.level = 2.0; }), Edits([](Merging& s) { s.sum = 5, s.level = 4.5; }),
       [](Merging& s) { EXPECT_EQ(*s.sum, 8); EXPECT_DOUBLE_EQ(*s.level, 5.0); });
  race([](Merging&) {}, Edits([](Merging& s) { s.sum = 3; }), Edits([](Merging& s) { s.sum = 4; }), [](Merging& s) { EXPECT_EQ(*s.sum, 7); });
}

TEST(SlotMerges, TheGreaterNumberStays) {
  race([](Merging& s) { s.best = 10; }, Edits([](Merging& s) { s.best = 30; }), Edits([](Merging& s) { s.best = 20; }), [](Merging& s) { EXPECT_EQ(*s.best, 30); });
  race([](Merging& s) { s.best = 10; }, Edits([](Merging& s) { s.best = 20; }), Edits([](Merging& s) { s.best = 30; }), [](Merging& s) { EXPECT_EQ(*s.best, 30); });
}

TEST(SlotMerges, SetsKeepEachSidesAdditionsAndRemovals) {
  using Tags = std::set<std::string>;
  race([](Merging& s) { s.tags = Tags{"a", "b", "c"}; }, Edits([](Merging& s) { s.tags.edit().erase("a"), s.tags.edit().insert("d"); }),
       Edits([](Merging& s) { s.tags.edit().erase("b"), s.tags.edit().insert("e"); }), [](Merging& s) { EXPECT_EQ(*s.tags, (Tags{"c", "d", "e"})); });
}

TEST(SlotMerges, ListsGrowAtTheEndAndKeepTheNewest) {
  using Log = std::vector<int>;
  race([](Merging& s) { s.log = Log{1, 2}; }, Edits([](Merging& s) { s.log.edit().push_back(3); }), Edits([](Merging& s) { s.log.edit().push_back(4); }),
       [](Merging& s) { EXPECT_EQ(*s.log, (Log{1, 2, 3, 4})); });
  race([](Merging& s) { s.log = Log{1, 2, 3}; }, Edits([](Merging& s) { s.log.edit().push_back(4); }), Edits([](Merging& s) { s.log.edit().push_back(5); }),
       [](Merging& s) { EXPECT_EQ(*s.log, (Log{2, 3, 4, 5})); });
}

TEST(SlotMerges, AnApplicationsOwnFunctionDecides) {
  race([](Merging& s) { s.both = "base"; }, Edits([](Merging& s) { s.both = "theirs"; }), Edits([](Merging& s) { s.both = "mine"; }),
       [](Merging& s) { EXPECT_EQ(*s.both, "theirs+mine"); });
}

TEST(SlotMerges, FlashesOfBothSidesAreShownOnce) {
  App<Merging> app;
  Browser b;
  app.visit(b, [](Merging& s) { s.set_user("ada"); s.flash("one"); });
  auto slow = app.start(b);
  EXPECT_EQ(slow->take_flashes(), std::vector{"one"s});
  slow->flash("three");
  app.visit(b, [](Merging& s) { s.flash("two"); });
  slow.finish();
  app.visit(b, [](Merging& s) { EXPECT_EQ(s.take_flashes(), (std::vector{"two"s, "three"s})); });
  app.visit(b, [](Merging& s) { EXPECT_TRUE(s.take_flashes().empty()); });
}

TEST(Flash, BeyondItsBoundTheOldestGiveWay) {
  Shop shop;
  Browser b;
  for (int i = 0; i < 40; ++i) shop.visit(b, [&](ShopSession& s) { s.flash(std::to_string(i)); });
  shop.visit(b, [](ShopSession& s) {
    const auto all = s.take_flashes();
    ASSERT_EQ(all.size(), Session::max_flashes);
    EXPECT_EQ(all.front(), "8");
    EXPECT_EQ(all.back(), "39");
  });
}

}  // namespace
}  // namespace sancho::test
