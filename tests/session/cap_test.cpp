// The cap on a user's sessions: what gives way, and that it is exact.
#include <atomic>
#include <set>
#include <thread>

#include "sancho/decorators/decorated.hpp"
#include "shop.hpp"

namespace sancho::test {
namespace {

using namespace std::chrono_literals;

Policy capped(AtCap at_cap, std::uint32_t most = 2) {
  auto policy = plain_policy();
  policy.cap = SessionCap{.most = most, .at_cap = at_cap};
  return policy;
}

struct Capped {
  explicit Capped(AtCap at_cap) : shop(capped(at_cap)) {
    for (auto* browser : {&first, &second}) {
      shop.visit(*browser, log_in);
      shop.clock.advance(1min);
    }
  }
  bool in(Browser& browser) {
    bool in = false;
    shop.visit(browser, [&](ShopSession& s) { in = bool(s.user()); });
    return in;
  }
  App<ShopSession> shop;
  Browser first, second, third;
};

TEST(Cap, OneMoreIsRefusedAndNothingChanges) {
  Capped c(AtCap::refuse);
  auto scope = c.shop.start(c.third);
  scope->set_user("ada");
  c.third.take(scope.finish());
  EXPECT_EQ(scope.login_outcome(), LoginOutcome::at_cap);
  EXPECT_EQ(c.shop.ear.count(EventKind::login_refused), 1u);
  EXPECT_FALSE(c.in(c.third));
  EXPECT_TRUE(c.in(c.first) && c.in(c.second));
}

TEST(Cap, ARefusedLoginLeavesTheVisitorsSessionAsItWas) {
  Capped c(AtCap::refuse);
  c.shop.visit(c.third, [](ShopSession& s) { s.visits += 3; });
  c.shop.visit(c.third, [](ShopSession& s) { s.visits += 1, s.set_user("ada"); });
  c.shop.visit(c.third, [](ShopSession& s) {
    EXPECT_FALSE(s.user());
    EXPECT_EQ(*s.visits, 3) << "what was meant for ada is not kept for a visitor";
  });
}

TEST(Cap, TheHandlerLearnsOfARefusalInTimeForAnotherPage) {
  Capped c(AtCap::refuse);
  auto scope = c.shop.start(c.third);
  scope->set_user("ada");
  EXPECT_EQ(scope.login_outcome(), LoginOutcome::none);
  c.shop.sessions.maintain_session(scope);
  EXPECT_EQ(scope.login_outcome(), LoginOutcome::at_cap);
  EXPECT_TRUE(scope.finish().empty());
}

TEST(Cap, TheOldestGivesWay) {
  Capped c(AtCap::evict_oldest);
  EXPECT_TRUE(c.in(c.first)) << "used last, and still the oldest";
  c.shop.visit(c.third, log_in);
  EXPECT_FALSE(c.in(c.first));
  EXPECT_TRUE(c.in(c.second) && c.in(c.third));
  EXPECT_EQ(c.shop.ear.count(EventKind::revoked), 1u);
  EXPECT_EQ(c.shop.ear.all.back().kind, EventKind::login);
}

TEST(Cap, TheIdlestGivesWay) {
  Capped c(AtCap::evict_idlest);
  EXPECT_TRUE(c.in(c.first));
  c.shop.visit(c.third, log_in);
  EXPECT_FALSE(c.in(c.second));
  EXPECT_TRUE(c.in(c.first) && c.in(c.third));
}

TEST(Cap, ALogoutMakesRoom) {
  Capped c(AtCap::refuse);
  c.shop.visit(c.first, [](ShopSession&, auto& scope) { scope.expire_session(); });
  c.shop.visit(c.third, log_in);
  EXPECT_TRUE(c.in(c.third));
}

TEST(Cap, RenewingAnIdOrReauthenticatingTakesNoPlace) {
  Capped c(AtCap::refuse);
  c.shop.visit(c.first, [](ShopSession& s) { s.renew_id(); });
  c.shop.visit(c.second, [](ShopSession& s) { s.reauthenticated(); });
  EXPECT_TRUE(c.in(c.first) && c.in(c.second));
  EXPECT_EQ(c.shop.count(), 2u);
}

// A request that died left a record that nobody can decide on any more.
TEST(Cap, WhatADeadRequestLeftHoldsNoPlaceForLong) {
  Capped c(AtCap::refuse);
  c.shop.visit(c.first, [](ShopSession&, auto& scope) { scope.expire_session(); });
  c.shop.visit(c.third, [](ShopSession& s) { ++s.visits; });
  {
    auto dies = c.shop.start(c.third);
    dies->set_user("ada");
    c.shop.store->before = [&](Verb verb) {
      if (verb == Verb::commit) throw StoreError(Trouble::unavailable, "the machine is gone, for a test");
    };
    EXPECT_THROW(dies.finish(), StoreError);
    c.shop.store->before = nullptr;
  }
  Browser fourth;
  c.shop.visit(fourth, log_in);
  EXPECT_FALSE(c.in(fourth)) << "the dead login may still be under way, for all anybody knows";
  c.shop.clock.advance(c.shop.sessions.policy().keep_ended);
  c.shop.visit(fourth, log_in);
  EXPECT_TRUE(c.in(fourth));
}

TEST(Cap, WhoGaveWayIsToldAlsoWhereTheLoginThenFails) {
  Capped c(AtCap::evict_oldest);
  auto scope = c.shop.start(c.third);
  scope->set_user("ada");
  int creates = 0;
  c.shop.store->before = [&](Verb verb) {
    if (verb == Verb::create && ++creates == 2) throw StoreError(Trouble::unavailable, "the store is down, for a test");
  };
  try {
    scope.finish();
    ADD_FAILURE() << "the second create was not noticed";
  } catch (const StoreError& e) {
    EXPECT_EQ(e.kind(), Trouble::in_doubt) << "a session has ended: that nothing happened would be a lie";
  }
  c.shop.store->before = nullptr;
  scope.abort();
  EXPECT_EQ(c.shop.ear.count(EventKind::revoked), 1u);
  EXPECT_FALSE(c.in(c.first));
}

// A store that counts what it does not list must not be asked for ever.
TEST(Cap, WhatIsCountedAndNotListedRefusesTheLoginInTheEnd) {
  Capped c(AtCap::evict_oldest);
  c.shop.store->lists_nobody = true;
  auto scope = c.shop.start(c.third);
  scope->set_user("ada");
  c.shop.store->reset();
  c.third.take(scope.finish());
  EXPECT_EQ(scope.login_outcome(), LoginOutcome::at_cap);
  EXPECT_LT(c.shop.store->calls, 250u);
}

TEST(Cap, NeedsAStoreThatCounts) {
  ManualClock clock;
  auto store = std::make_shared<Spy>(open_memory_store(clock));
  store->has_epochs = false;
  try {
    SessionManager<> sessions(store, capped(AtCap::refuse));
    FAIL() << "a cap that nobody keeps was accepted";
  } catch (const ConfigError& e) {
    EXPECT_NE(std::string(e.what()).find("cap"), std::string::npos) << e.what();
  }
}

// A store on whose way to the engine one login is held up: its answer is lost.
class HoldsUp final : public Decorated<HoldsUp> {
 public:
  using Decorated::Decorated;
  template <class Call>
  auto through(StoreVerb, Deadline deadline, Call call) {
    return call(deadline);
  }
  CreateAnswer create(const SessionKey& key, const Record& record, Deadline deadline,
                      const Admission* admission) override {
    if (!hold || !admission) return Decorated::create(key, record, deadline, admission);
    hold = false;
    arrive = [=, this, seen = *admission] { return Decorated::create(key, record, Deadline::after(5s), &seen); };
    throw StoreError(Trouble::unavailable, "the answer was lost, for a test", true);
  }
  bool hold = false;
  std::function<CreateAnswer()> arrive;
};

struct HeldUp {
  ManualClock clock;
  std::shared_ptr<HoldsUp> store =
      std::make_shared<HoldsUp>(std::shared_ptr<SessionStore>(open_memory_store(clock)));
  SessionManager<ShopSession> sessions{store, capped(AtCap::refuse, 1), {.clock = clock}};

  LoginOutcome log_in() {
    auto scope = sessions.start_request({});
    scope->set_user("ada");
    scope.finish();
    return scope.login_outcome();
  }
  // As another device logs out.
  void make_room() {
    const auto found = store->subjects()->find_by_subject("ada", Deadline::after(5s));
    ASSERT_EQ(found.size(), 1u);
    store->erase(found[0].key, std::nullopt, Deadline::after(5s));
  }
};

TEST(Cap, ALoginThatWasRefusedWhenItsAnswerHadBeenLostIsNotMadeLater) {
  HeldUp held;
  EXPECT_EQ(held.log_in(), LoginOutcome::won);
  held.store->hold = true;
  EXPECT_EQ(held.log_in(), LoginOutcome::at_cap);
  held.make_room();
  EXPECT_TRUE(std::holds_alternative<Taken>(held.store->arrive()));
  EXPECT_TRUE(held.store->subjects()->find_by_subject("ada", Deadline::after(5s)).empty());
  EXPECT_EQ(held.log_in(), LoginOutcome::won) << "its place is held by a session that nobody has";
}

TEST(Cap, ARefusedLoginKeepsItsKeyClosedNoLongerThanRequestsLast) {
  HeldUp held;
  held.log_in();
  held.store->hold = true;
  held.log_in();
  std::size_t ended = 0;
  const auto count = [&](const KeyedRecord& each) { return ended += each.record.state == State::ended, true; };
  held.store->scan()->walk(count, Deadline::after(5s));
  EXPECT_EQ(ended, 1u);
  held.clock.advance(Policy{}.keep_ended);
  ended = 0;
  held.store->scan()->walk(count, Deadline::after(5s));
  EXPECT_EQ(ended, 0u);
}

// Fifty logins at once, thrice over: never more than three live, and in the end
// exactly three.
void fifty_log_in(AtCap at_cap) {
  ManualClock clock;
  auto store = std::shared_ptr<SessionStore>(open_memory_store(clock));
  SessionManager<ShopSession> sessions(store, capped(at_cap, 3), {.clock = clock});
  const auto live = [&] {
    std::set<Handle> handles;
    for (const auto& each : store->subjects()->find_by_subject("ada", Deadline::after(60s)))
      if (each.record.state == State::live) handles.insert(each.record.handle);
    return handles.size();
  };
  std::atomic<int> won = 0, refused = 0;
  std::atomic<bool> over = false;
  std::size_t most = 0;
  std::thread watch([&] {
    while (!over) most = std::max(most, live());
  });
  std::vector<std::thread> threads;
  for (int i = 0; i < 50; ++i)
    threads.emplace_back([&] {
      for (int n = 0; n < 3; ++n) {
        auto scope = sessions.start_request({});
        scope->set_user("ada");
        scope.finish();
        won += scope.login_outcome() == LoginOutcome::won;
        refused += scope.login_outcome() == LoginOutcome::at_cap;
      }
    });
  for (auto& thread : threads) thread.join();
  over = true;
  watch.join();
  EXPECT_EQ(live(), 3u);
  EXPECT_LE(most, 3u);
  if (at_cap == AtCap::refuse) {
    EXPECT_EQ(won, 3);
    EXPECT_EQ(refused, 147);
  } else {
    EXPECT_EQ(refused, 0);
    EXPECT_GE(won, 3);
  }
}

TEST(Cap, OfFiftyThatLogInAtOnceExactlyThreeAreLetIn) { fifty_log_in(AtCap::refuse); }
TEST(Cap, OfFiftyThatLogInAtOnceExactlyThreeAreLeftWhenTheOldestGiveWay) { fifty_log_in(AtCap::evict_oldest); }
TEST(Cap, OfFiftyThatLogInAtOnceExactlyThreeAreLeftWhenTheIdlestGiveWay) { fifty_log_in(AtCap::evict_idlest); }

}  // namespace
}  // namespace sancho::test
