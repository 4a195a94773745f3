// Broken records, stores that are down, answers that are lost, observers that
// throw, and secrets that must not show.
#include <future>
#include <sstream>

#include "../support/counting_random.hpp"
#include "../support/misuse.hpp"
#include "shop.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;

// ## Records

TEST(Trouble, F10ACorruptRecordIsNoSessionAndStays) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  const auto [key, good] = shop.records().at(0);
  for (const std::size_t at : {std::size_t{0}, std::size_t{5}, good.payload.size() / 2, good.payload.size() - 1}) {
    auto bad = good;
    bad.payload[at] = static_cast<char>(bad.payload[at] ^ 1);
    shop.overwrite(key, bad);
    shop.ear.clear();
    const auto before = b;
    shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
    EXPECT_EQ(shop.ear.heard, std::vector{EventKind::record_corrupt});
    EXPECT_EQ(b.jar, before.jar);
    EXPECT_EQ(shop.records().at(0).record, bad);
    // And the visitor may log in anew.
    Browser anew = b;
    shop.visit(anew, [](ShopSession& s) { s.set_user("bob"); });
    shop.visit(anew, [](ShopSession& s) { EXPECT_EQ(s.get_user(), "bob"); });
    shop.visit(anew, [](ShopSession&, auto& scope) { scope.expire_session(); });
  }
}

TEST(Trouble, APayloadUnderAnotherRowsColumnsDoesNotOpen) {
  Shop shop;
  Browser ada, bob;
  shop.visit(ada, log_in);
  const auto adas = shop.records().at(0);
  auto forged = adas.record;
  forged.handle = Handle::draw(system_random());
  shop.overwrite(adas.key, forged);
  shop.visit(ada, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
  EXPECT_EQ(shop.ear.count(EventKind::record_corrupt), 1u);
}

TEST(Trouble, F12WhatANewerVersionWroteIsUnavailableAndStays) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  const auto [key, good] = shop.records().at(0);
  auto newer = good;
  newer.payload[3] = 2;
  shop.overwrite(key, newer);
  const auto before = b;
  EXPECT_EQ(trouble([&] { shop.visit(b, [](ShopSession&) { FAIL(); }); }), Trouble::unavailable);
  EXPECT_EQ(b.jar, before.jar);
  EXPECT_EQ(shop.records().at(0).record, newer);
  EXPECT_EQ(shop.ear.count(EventKind::store_unavailable), 1u);
}

// ## A store that is down (P8)

TEST(Trouble, AStoreThatIsDownAtTheEndKeepsNothingAndSendsNoCookie) {
  for (const auto kind : {Trouble::unavailable, Trouble::full, Trouble::refused, Trouble::corrupt}) {
    Shop shop;
    Browser b;
    shop.visit(b, log_in);
    auto scope = shop.start(b);
    ++scope->visits;
    shop.store->fail = kind;
    EXPECT_EQ(trouble([&] { scope.finish(); }), kind);
    EXPECT_THROW(scope.finish(), UsageError);  // it is over
    EXPECT_TRUE(scope.abort().empty());
    EXPECT_EQ(shop.ear.count(EventKind::store_unavailable), 1u);
    shop.store->fail.reset();
    shop.visit(b, [](ShopSession& s) { EXPECT_TRUE(s.user()); EXPECT_FALSE(s.visits.present()); });
  }
}

TEST(Trouble, ALoginThatCannotBeSavedIsNone) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { ++s.visits; });
  auto scope = shop.start(b);
  scope->set_user("ada");
  shop.store->fail = Trouble::full;
  shop.store->fail_verb = Verb::create;
  EXPECT_EQ(trouble([&] { scope.finish(); }), Trouble::full);
  shop.store->fail.reset();
  shop.visit(b, [](ShopSession& s) { EXPECT_FALSE(s.user()); EXPECT_EQ(s.visits.value(), 1); });
}

TEST(Trouble, ATokenIsNotConsumedByAStoreThatIsDown) {
  Shop shop;
  Browser b;
  std::string token;
  shop.visit(b, [&](ShopSession& s) { token = s.create_form_token(); });
  auto scope = shop.start(b);
  shop.store->fail = Trouble::unavailable;
  EXPECT_EQ(trouble([&] { (void)scope->consume_form_token(token); }), Trouble::unavailable);
  shop.store->fail.reset();
  EXPECT_TRUE(scope->consume_form_token(token));
  scope.finish();
}

TEST(Trouble, ALogoutThatDidNotHappenSaysSo) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  auto scope = shop.start(b);
  shop.store->fail = Trouble::unavailable;
  EXPECT_EQ(trouble([&] { scope.expire_session(); }), Trouble::unavailable);
  shop.store->fail.reset();
  EXPECT_TRUE(scope->user());  // it still stands
  EXPECT_TRUE(scope.finish().empty());
}

TEST(Trouble, ATouchThatFailsIsAnEventAndNoError) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  shop.clock.advance(5min);
  auto scope = shop.start(b);
  shop.store->fail = Trouble::unavailable;
  EXPECT_NO_THROW(scope.finish());
  EXPECT_EQ(shop.ear.count(EventKind::touch_failed), 1u);
  EXPECT_EQ(shop.ear.count(EventKind::store_unavailable), 0u);
}

TEST(Trouble, AWriterThatNeverGetsInFirstGivesUpAtItsDeadline) {
  auto policy = plain_policy();
  policy.store_timeout = 50ms;
  Shop shop(policy);
  Browser b;
  shop.visit(b, log_in);
  auto slow = shop.start(b);
  ++slow->visits;
  shop.store->before = [&](Verb verb) {
    if (verb == Verb::commit) shop.visit(b, [](ShopSession& s) { ++s.visits; });
  };
  EXPECT_EQ(trouble([&] { slow.finish(); }), Trouble::contention);
}

// ## Answers that are lost (P3, P6)

// Runs `what` again and again, each time losing the answer of the next store
// call, until no call is left to lose; `check` sees what came of each.
template <class What, class Check>
std::size_t lose_each(What what, Check check) {
  for (std::size_t n = 1;; ++n) {
    Shop shop;
    Browser b;
    shop.visit(b, [](ShopSession& s) { s.set_user("ada"); s.visits = 10; s.set("token", s.create_form_token()); });
    bool threw = false;
    shop.store->reset();
    shop.store->lose_answer_of = n;
    const auto before = b;
    try {
      what(shop, b);
    } catch (const StoreError& e) {
      EXPECT_TRUE(e.maybe_done());
      threw = true;
    }
    const auto calls = shop.store->calls;
    shop.store->lose_answer_of = 0;
    check(shop, b, before, threw);
    if (calls < n) return n - 1;
  }
}

// The first call is the load at the beginning: that request fails as a whole.
TEST(Trouble, ALostAnswerNeverAppliesAWriteTwice) {
  const auto calls = lose_each([](Shop& shop, Browser& b) { shop.visit(b, [](ShopSession& s) { ++s.visits; }); },
                               [](Shop& shop, Browser& b, const Browser&, bool threw) {
                                 shop.visit(b, [&](ShopSession& s) { EXPECT_EQ(s.visits.value(), threw ? 10 : 11); });
                               });
  EXPECT_EQ(calls, 2u);  // load, commit
}

TEST(Trouble, ALostAnswerNeverConsumesATokenForNobody) {
  lose_each(
      [](Shop& shop, Browser& b) {
        shop.visit(b, [](ShopSession& s) {
          if (s.consume_form_token(*s.get<std::string>("token"))) s.visits += 100;
        });
      },
      [](Shop& shop, Browser& b, const Browser&, bool threw) {
        shop.visit(b, [&](ShopSession& s) {
          EXPECT_EQ(s.visits.value(), threw ? 10 : 110);
          EXPECT_EQ(s.has_form_token(*s.get<std::string>("token")), threw);
        });
      });
}

TEST(Trouble, ALostAnswerNeverLogsInTwiceOrHalf) {
  const auto calls = lose_each([](Shop& shop, Browser& b) { shop.visit(b, [](ShopSession& s) { s.set_user("bob"); }); },
                               [](Shop& shop, Browser& b, const Browser& before, bool threw) {
                                 EXPECT_EQ(shop.count(), 1u);
                                 shop.visit(b, [&](ShopSession& s) { EXPECT_EQ(s.get_user(), threw ? "ada" : "bob"); });
                                 auto old = shop.start(before);
                                 EXPECT_EQ(bool(old->user()), threw);
                                 old.finish();
                               });
  EXPECT_GE(calls, 4u);
}

TEST(Trouble, ALostAnswerNeverLosesARenewedSession) {
  const auto calls = lose_each([](Shop& shop, Browser& b) { shop.visit(b, [](ShopSession& s) { s.renew_id(); ++s.visits; }); },
                               [](Shop& shop, Browser& b, const Browser& before, bool threw) {
                                 EXPECT_EQ(shop.count(), 1u);
                                 for (auto x : {b, before}) shop.visit(x, [&](ShopSession& s) { EXPECT_EQ(s.visits.value(), threw ? 10 : 11); });
                               });
  EXPECT_GE(calls, 4u);
}

TEST(Trouble, ALostAnswerNeverUndoesALogout) {
  lose_each([](Shop& shop, Browser& b) { shop.visit(b, [](ShopSession&, auto& scope) { scope.expire_session(); }); },
            [](Shop& shop, Browser&, const Browser& before, bool threw) {
              EXPECT_EQ(shop.count(), threw ? 1u : 0u);
              auto old = shop.start(before);
              EXPECT_EQ(bool(old->user()), threw);
              old.finish();
            });
}

TEST(Trouble, AnAnswerThatStaysLostIsInDoubt) {
  auto policy = plain_policy();
  policy.store_timeout = 50ms;
  ManualClock clock;
  struct Mute : Spy {
    using Spy::Spy;
    CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override {
      (void)Spy::commit(k, v, r, d);
      if (mute) throw StoreError(Trouble::unavailable, "no answer", true);
      return Done{};
    }
    bool mute = false;
  };
  const auto store = std::make_shared<Mute>(open_memory_store(clock));
  SessionManager<ShopSession> sessions(store, policy, {.clock = clock});
  auto first = sessions.start_request({});
  ++first->visits;
  Browser b;
  b.take(first.finish());
  const auto header = b.header();
  const std::string_view line = header;
  auto scope = sessions.start_request({.cookies = {&line, 1}});
  ++scope->visits;
  store->mute = true;
  EXPECT_EQ(trouble([&] { scope.finish(); }), Trouble::in_doubt);
  store->mute = false;
  auto after = sessions.start_request({.cookies = {&line, 1}});
  EXPECT_EQ(after->visits.value(), 2);  // once, whatever was resent
  after.finish();
}

// The answer to a commit is lost, and the next attempts find the store down: they
// did nothing for certain, the first one did.
struct GoesDown : Spy {
  using Spy::Spy;
  CommitAnswer commit(const SessionKey& k, const Version& v, const Record& r, Deadline d) override {
    if (lost && down > 0 && down-- > 0) throw StoreError(kind, "the store is down, for a test");
    auto answer = Spy::commit(k, v, r, d);
    if (down == 0 || lost) return answer;
    lost = true;
    throw StoreError(Trouble::unavailable, "the answer was lost, for a test", true);
  }
  int down = 0;
  bool lost = false;
  Trouble kind = Trouble::unavailable;
};

// One more visit, while the store goes down for so many attempts; then what the
// counter says, which was 1.
std::pair<std::optional<Trouble>, std::int64_t> visit_while_it_goes_down(int attempts, Trouble kind) {
  auto policy = plain_policy();
  if (attempts > 100) policy.store_timeout = 50ms;
  ManualClock clock;
  const auto store = std::make_shared<GoesDown>(open_memory_store(clock));
  SessionManager<ShopSession> sessions(store, policy, {.clock = clock});
  auto first = sessions.start_request({});
  ++first->visits;
  Browser b;
  b.take(first.finish());
  const auto header = b.header();
  const std::string_view line = header;
  auto scope = sessions.start_request({.cookies = {&line, 1}});
  ++scope->visits;
  store->down = attempts;
  store->kind = kind;
  const auto met = trouble([&] { scope.finish(); });
  store->down = 0;
  auto after = sessions.start_request({.cookies = {&line, 1}});
  const auto visits = after->visits.value();
  after.finish();
  return {met, visits};
}

// A store that crashed, or failed over, may have forgotten what a request has
// seen. Another's write in its place is not taken for it.
TEST(Trouble, AVersionThatTheStoreForgotNeverComesAgain) {
  Shop shop;
  Browser b;
  shop.visit(b, [](ShopSession& s) { ++s.visits; });
  const auto before = shop.records().at(0);
  shop.visit(b, [](ShopSession& s) { s.set("forgotten", 1); });
  auto slow = shop.start(b);  // has seen it
  shop.store->erase(before.key, std::nullopt, Deadline::after(5s));
  shop.store->create(before.key, before.record, Deadline::after(5s), nullptr);
  shop.visit(b, [](ShopSession& s) { ++s.visits; });
  ++slow->visits;
  slow.finish();
  shop.visit(b, [](ShopSession& s) { EXPECT_EQ(*s.visits, 3) << "an acknowledged write was overwritten"; });
}

TEST(Trouble, AnAnswerThatWasLostWhenTheStoreWentDownIsInDoubt) {
  for (const auto kind : {Trouble::unavailable, Trouble::refused, Trouble::full}) {
    const auto [met, visits] = visit_while_it_goes_down(1'000'000, kind);
    EXPECT_EQ(met, Trouble::in_doubt);
    EXPECT_EQ(visits, 2);
  }
}

TEST(Trouble, ALostAnswerIsAskedForUntilTheStoreIsBack) {
  const auto [met, visits] = visit_while_it_goes_down(3, Trouble::unavailable);
  EXPECT_FALSE(met);
  EXPECT_EQ(visits, 2);
}

// ## Observers (F29)

TEST(Trouble, F29AnObserverThatThrowsBlocksNothing) {
  for (const bool standard : {true, false}) {
    Shop shop;
    std::size_t thrown = 0;
    shop.ear.then = [&](const Event&) {
      ++thrown;
      if (standard) throw std::runtime_error("the log is full");
      throw 42;
    };
    Browser b;
    shop.visit(b, log_in);
    const auto before = b;
    shop.visit(b, [](ShopSession&, auto& scope) { scope.expire_session(); });
    EXPECT_EQ(shop.count(), 0u);
    EXPECT_TRUE(b.jar.empty());
    {
      const Told told;
      auto forgotten = shop.start(Browser{});
    }
    // Each time it was told once that it had failed.
    EXPECT_EQ(shop.ear.heard, (std::vector{EventKind::login, EventKind::observer_failed, EventKind::logout, EventKind::observer_failed,
                                           EventKind::unfinished, EventKind::observer_failed}));
    EXPECT_EQ(thrown, 6u);
  }
}

// ## Chance

// Runs dry after so many draws.
class DryRandom final : public RandomSource {
 public:
  void fill(std::span<std::byte> out) override {
    if (left-- == 0) throw RandomError("no randomness, says the test");
    system_random().fill(out);
  }
  std::size_t left = 1000;
};

TEST(Trouble, WithoutRandomnessNothingIsIssued) {
  std::size_t draws = 0;
  for (bool failed = true; failed; ++draws) {
    DryRandom random;
    Shop shop(plain_policy(), random);
    Browser b;
    random.left = draws;
    failed = false;
    try {
      shop.visit(b, log_in);
    } catch (const RandomError&) {
      failed = true;
    }
    EXPECT_EQ(shop.store->writes, failed ? 0u : 1u) << draws;
    EXPECT_EQ(b.jar.size(), failed ? 0u : 1u) << draws;
  }
  EXPECT_GT(draws, 3u);
  FailingRandom none;
  ManualClock clock;
  EXPECT_THROW(SessionManager<>(open_memory_store(clock), {}, {.clock = clock, .random = none}), RandomError);
}

// ## Secrets (F30)

TEST(Trouble, F30SecretsShowNowhere) {
  auto policy = plain_policy();
  policy.end_session_on_replay = true;
  Shop shop(policy);
  Browser b;
  std::vector<std::string> secrets;
  std::string seen;
  const auto look = [&](ShopSession& s) {
    std::ostringstream out;
    s.dump(out);
    seen += out.str() + s.to_string() + s.repr();
  };
  const auto keep = [&] { for (const auto& [name, value] : b.jar) secrets.push_back(value); };
  std::string token;
  shop.visit(b, [&](ShopSession& s) { secrets.push_back(s.csrf_token()); look(s); });
  keep();
  shop.visit(b, [&](ShopSession& s) { s.set_user("ada"); token = s.create_form_token(); secrets.push_back(token); look(s); });
  keep();
  shop.visit(b, [&](ShopSession& s) { secrets.push_back(s.csrf_token()); EXPECT_TRUE(s.consume_form_token(token)); s.renew_id(); look(s); });
  const auto old = b;
  keep();
  shop.visit(b, [&](ShopSession& s) { s.reauthenticated(); look(s); });
  keep();
  shop.store->fail = Trouble::unavailable;
  try {
    shop.visit(b, look);
  } catch (const StoreError& e) {
    seen += e.what();
  }
  shop.store->fail.reset();
  shop.clock.advance(10min);
  shop.visit(b, [&](ShopSession& s, auto& scope) { look(s); scope.expire_session(); });
  for (const auto& e : shop.ear.all) seen += e.handle + " " + e.subject + " " + e.detail + "\n";
  // The raw bytes too: what base64url carries.
  seen += shop.store->bytes;
  ASSERT_GT(secrets.size(), 6u);
  for (const auto& secret : secrets) {
    EXPECT_EQ(seen.find(secret), std::string::npos);
    const auto id = SessionId::parse(secret);
    if (!id) continue;
    std::string raw;  // decoded by hand, so that no accessor for it is needed
    unsigned bits = 0, n = 0;
    for (const char c : secret) {
      const std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
      bits = bits << 6 | static_cast<unsigned>(alphabet.find(c)), n += 6;
      if (n >= 8) n -= 8, raw.push_back(static_cast<char>(bits >> n & 0xff));
    }
    EXPECT_EQ(seen.find(raw), std::string::npos);
  }
  // The scan can find something: the user's name is there.
  EXPECT_NE(seen.find("ada"), std::string::npos);
}

TEST(Trouble, ALogoutsCookieGoesEvenIfTheEndFails) {
  Shop shop;
  Browser b;
  shop.visit(b, log_in);
  auto scope = shop.start(b);
  scope.expire_session();
  scope->set_user("bob");
  shop.store->fail = Trouble::unavailable;
  EXPECT_THROW(scope.finish(), StoreError);
  b.take(scope.abort());
  EXPECT_TRUE(b.jar.empty());
  EXPECT_EQ(shop.ear.count(EventKind::unfinished), 0u);
}

// The first request with a renewed id has some bookkeeping to do. That there is
// no room for it must keep nobody from looking, nor from logging out.
TEST(Trouble, WhoseIdWasJustRenewedCanLogOutOnAFullStore) {
  auto policy = plain_policy();
  policy.renewal = std::chrono::minutes(10);
  Shop shop(policy);
  Browser b;
  shop.visit(b, log_in);
  shop.clock.advance(std::chrono::minutes(11));
  shop.visit(b, [](ShopSession&) {});
  ASSERT_EQ(shop.ear.count(EventKind::rotated), 1u);
  const auto before = b;
  shop.store->fail = Trouble::full;
  shop.store->fail_verb = Verb::commit;
  shop.visit(b, [](ShopSession& s) { EXPECT_EQ(s.get_user(), "ada"); });
  EXPECT_EQ(shop.ear.count(EventKind::touch_failed), 1u);
  auto scope = shop.start(b);
  shop.store->fail.reset();  // the store makes room for logouts, as each page says
  scope.expire_session();
  b.take(scope.finish());
  auto stolen = before;
  shop.visit(stolen, [](ShopSession& s) { EXPECT_FALSE(s.user()); });
}

}  // namespace
}  // namespace sancho::test
