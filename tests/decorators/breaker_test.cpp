// What a breaker does, step by step and by a clock that is moved by hand.
#include "sancho/decorators/breaker.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "sancho/decorators/faulty.hpp"
#include "support.hpp"

namespace sancho::test {
namespace {

// Always the same byte: all zero draws the shortest backoff, half of it.
class ConstantRandom final : public RandomSource {
 public:
  void fill(std::span<std::byte> out) override { std::fill(out.begin(), out.end(), std::byte{0}); }
};

class NoRandom final : public RandomSource {
 public:
  void fill(std::span<std::byte>) override { throw RandomError("no randomness, says the test"); }
};

struct Told {
  Circuit circuit;
  CircuitState state;
  Duration backoff;
  std::uint64_t number;
  std::string why;
};

class BreakerTest : public testing::Test {
 protected:
  BreakerTest() {
    options.on_change = [this](const BreakerChange& c) {
      told.push_back({c.circuit, c.state, c.backoff, c.number, std::string(c.why)});
    };
  }

  void make() { breaker = with_breaker(faulty, options); }
  std::optional<Trouble> read() {
    return trouble([&] { breaker->load(key_of("a"), soon()); });
  }
  std::optional<Trouble> write() {
    return trouble([&] { breaker->erase(key_of("a"), std::nullopt, soon()); });
  }
  // Down, for calls of this verb or for all.
  void down(std::optional<StoreVerb> verb = {}, Trouble kind = Trouble::unavailable) {
    faulty->plan({.what = Fault::What::fail_before, .verb = verb, .kind = kind});
  }
  void break_reads() {
    down(StoreVerb::load);
    while (breaker->state(Circuit::reads) == CircuitState::closed) read();
  }

  ManualSteadyClock clock;
  ConstantRandom random;
  BreakerOptions options{
      .failures = 3, .ratio = 0.5, .backoff = 1s, .max_backoff = 4s, .clock = clock, .random = random};
  std::shared_ptr<Faulty> faulty = with_faults(open_memory_store());
  std::unique_ptr<Breaker> breaker;
  std::vector<Told> told;
};

TEST_F(BreakerTest, OpensWhenAStoreDoesNotAnswerAndThenAsksItNoMore) {
  make();
  down();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(read(), Trouble::unavailable);
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::open);
  const auto asked = faulty->calls();
  bool maybe_done = true;
  for (int i = 0; i < 100; ++i)
    EXPECT_EQ(trouble([&] { breaker->load(key_of("a"), soon()); }, &maybe_done), Trouble::unavailable);
  EXPECT_FALSE(maybe_done);
  EXPECT_EQ(faulty->calls(), asked);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_EQ(told[0].why, "3 of 3 calls within 10000 ms were not answered");
}

TEST_F(BreakerTest, SaysInItsErrorWhoWasNotAskedAndWhenItTriesAgain) {
  make();
  break_reads();
  try {
    breaker->load(key_of("a"), soon());
    FAIL();
  } catch (const StoreError& e) {
    EXPECT_STREQ(e.what(), "memory:: not asked: reads have not been answered lately; the next try is in 500 ms");
  }
}

TEST_F(BreakerTest, StaysClosedWhileMostCallsAreAnswered) {
  make();
  faulty->plan({.what = Fault::What::fail_before, .probability = 0.4});
  for (int i = 0; i < 7; ++i) write();  // nothing is decided by a few
  for (int i = 0; i < 2000; ++i, clock.advance(10ms)) read();
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::closed);
}

TEST_F(BreakerTest, ForgetsWhatIsOlderThanItsWindow) {
  make();
  down();
  for (int i = 0; i < 20; ++i) {
    read(), read();
    clock.advance(11s);
  }
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::closed);
  read(), read(), read();
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::open);
}

TEST_F(BreakerTest, CountsNothingButSilence) {
  make();
  for (const auto kind : {Trouble::corrupt, Trouble::full, Trouble::refused, Trouble::contention}) {
    faulty->heal();
    down({}, kind);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(read(), kind);
    EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::closed) << to_string(kind);
  }
  faulty->heal();
  for (int i = 0; i < 50; ++i) breaker->commit(key_of("a"), {1, 1}, record_of(), soon());  // gone
  EXPECT_EQ(breaker->state(Circuit::writes), CircuitState::closed);
  clock.advance(11s);
  down({}, Trouble::in_doubt);
  for (int i = 0; i < 3; ++i) read();
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::open);
}

TEST_F(BreakerTest, ALostAnswerIsSilenceToo) {
  make();
  faulty->plan({.what = Fault::What::drop_answer});
  bool maybe_done = false;
  for (int i = 0; i < 3; ++i) trouble([&] { breaker->erase(key_of("a"), std::nullopt, soon()); }, &maybe_done);
  EXPECT_TRUE(maybe_done);
  EXPECT_EQ(breaker->state(Circuit::writes), CircuitState::open);
}

TEST_F(BreakerTest, WhoCannotBeWrittenIsStillRead) {
  make();
  for (const auto verb : {StoreVerb::create, StoreVerb::commit, StoreVerb::touch, StoreVerb::erase}) down(verb);
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(write(), Trouble::unavailable);
    EXPECT_EQ(read(), std::nullopt);
  }
  EXPECT_EQ(breaker->state(Circuit::writes), CircuitState::open);
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::closed);
  ASSERT_NE(breaker->health(), nullptr);
  EXPECT_TRUE(breaker->health()->can_read());
  EXPECT_FALSE(breaker->health()->can_write());
}

TEST_F(BreakerTest, OneProbePassesAfterTheBackoffAndItsAnswerCloses) {
  make();
  break_reads();
  faulty->heal();
  clock.advance(499ms);
  EXPECT_EQ(read(), Trouble::unavailable);
  EXPECT_FALSE(breaker->health()->can_read());
  clock.advance(1ms);
  EXPECT_TRUE(breaker->health()->can_read());  // or nobody would ever probe
  EXPECT_EQ(read(), std::nullopt);
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::closed);
  EXPECT_EQ(faulty->calls(), 1u);
  std::vector<CircuitState> states;
  for (const auto& t : told) states.push_back(t.state);
  EXPECT_EQ(states, (std::vector{CircuitState::open, CircuitState::half_open, CircuitState::closed}));
  for (std::size_t i = 0; i < told.size(); ++i) EXPECT_EQ(told[i].number, i + 1);
}

TEST_F(BreakerTest, WhileTheProbeIsOutNobodyElsePasses) {
  std::vector<std::optional<Trouble>> others;
  FaultyOptions meanwhile;
  meanwhile.delay = [&](StoreVerb, Deadline) { others.push_back(read()), others.push_back(read()); };
  faulty = with_faults(open_memory_store(), meanwhile);
  make();
  break_reads();
  faulty->heal();
  faulty->plan({.what = Fault::What::delay});
  clock.advance(500ms);
  EXPECT_EQ(read(), std::nullopt);
  EXPECT_EQ(others, (std::vector<std::optional<Trouble>>{Trouble::unavailable, Trouble::unavailable}));
}

TEST_F(BreakerTest, AProbeThatNeverComesBackIsFollowedByAnother) {
  bool nested = false;
  FaultyOptions meanwhile;
  meanwhile.delay = [&](StoreVerb, Deadline) {
    if (std::exchange(nested, true)) return;
    clock.advance(options.call_timeout);
    EXPECT_EQ(read(), std::nullopt);
    EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::closed);
  };
  faulty = with_faults(open_memory_store(), meanwhile);
  make();
  break_reads();
  faulty->heal();
  faulty->plan({.what = Fault::What::delay});
  faulty->plan({.what = Fault::What::fail_before, .at = 1});
  clock.advance(500ms);
  read();
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::closed);
}

TEST_F(BreakerTest, EachProbeThatFailsDoublesTheBackoffUpToItsMost) {
  make();
  break_reads();
  std::vector<Duration> backoffs{told.back().backoff};
  for (int i = 0; i < 4; ++i) {
    clock.advance(breaker->retry_after(Circuit::reads));
    EXPECT_EQ(read(), Trouble::unavailable);
    EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::open);
    backoffs.push_back(told.back().backoff);
  }
  EXPECT_EQ(backoffs, (std::vector<Duration>{500ms, 1s, 2s, 2s, 2s}));  // the draws are the shortest
  // An answer forgets it all.
  faulty->heal();
  clock.advance(2s);
  read();
  break_reads();
  EXPECT_EQ(told.back().backoff, 500ms);
}

TEST_F(BreakerTest, TheBackoffIsDrawnBetweenHalfAndAllOfIt) {
  BreakerOptions drawn{.failures = 1, .backoff = 1s, .clock = clock};
  drawn.on_change = options.on_change;
  for (int i = 0; i < 200; ++i) {
    breaker = with_breaker(faulty, drawn);
    break_reads();
  }
  auto [least, most] =
      std::minmax_element(told.begin(), told.end(), [](auto& a, auto& b) { return a.backoff < b.backoff; });
  EXPECT_GE(least->backoff, 500ms);
  EXPECT_LE(most->backoff, 1s);
  EXPECT_GT(most->backoff - least->backoff, 300ms);  // 200 draws from 500
}

TEST_F(BreakerTest, WithoutRandomnessTheBackoffIsWhole) {
  NoRandom none;
  BreakerOptions dry{.failures = 1, .backoff = 1s, .clock = clock, .random = none};
  breaker = with_breaker(faulty, dry);
  break_reads();
  EXPECT_EQ(breaker->retry_after(Circuit::reads), 1s);
}

TEST_F(BreakerTest, AnAnswerThatIsNoneOfSilenceClosesAsWell) {
  make();
  break_reads();
  faulty->heal();
  down({}, Trouble::full);
  clock.advance(1s);
  EXPECT_EQ(read(), Trouble::full);
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::closed);
}

// Gives away how long it was given.
class Patient : public Decorated<Patient> {
 public:
  using Decorated::Decorated;
  template <class Call>
  auto through(StoreVerb, Deadline deadline, Call call) {
    given = deadline.left();
    return call(deadline);
  }
  Duration given{};
};

TEST_F(BreakerTest, NoCallGetsMoreThanItsTimeoutNorThanItsDeadline) {
  const auto patient = std::make_shared<Patient>(open_memory_store());
  options.call_timeout = 2s;
  options.walk_timeout = 30s;
  breaker = with_breaker(patient, options);
  breaker->load(key_of("a"), Deadline::after(1h));
  EXPECT_LE(patient->given, 2s);
  EXPECT_GT(patient->given, 1s);
  breaker->load(key_of("a"), Deadline::after(500ms));
  EXPECT_LE(patient->given, 500ms);
  breaker->scan()->count(Deadline::after(1h));
  EXPECT_LE(patient->given, 30s);
  EXPECT_GT(patient->given, 25s);
}

TEST_F(BreakerTest, ACallThatIsTooLateAlreadyIsNotMadeAndNotCounted) {
  make();
  for (int i = 0; i < 20; ++i)
    EXPECT_EQ(trouble([&] { breaker->load(key_of("a"), Deadline::after(-1ms)); }), Trouble::unavailable);
  EXPECT_EQ(faulty->calls(), 0u);
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::closed);
}

TEST_F(BreakerTest, WhatTheCallerOfAWalkThrowsIsItsOwn) {
  make();
  breaker->create(key_of("a"), record_of(), soon());
  const auto walk = [&] {
    breaker->scan()->walk([](const KeyedRecord&) -> bool { throw StoreError(Trouble::unavailable, "another store"); },
                          soon());
  };
  for (int i = 0; i < 20; ++i) EXPECT_EQ(trouble(walk), Trouble::unavailable);
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::closed);
}

TEST_F(BreakerTest, WhoWalksMayCallTheStore) {
  options.max_calls = 1;
  make();
  for (const auto* name : {"a", "b", "c"}) breaker->create(key_of(name), record_of(), soon());
  int erased = 0;
  breaker->scan()->walk(
      [&](const KeyedRecord& keyed) {
        erased += std::holds_alternative<Removed>(breaker->erase(keyed.key, std::nullopt, Deadline::after(5s)));
        return true;
      },
      soon());
  EXPECT_EQ(erased, 3);
}

struct Odd : Decorated<Odd> {
  using Decorated::Decorated;
  template <class Call>
  auto through(StoreVerb, Deadline deadline, Call call) {
    if (odd) throw std::bad_alloc();
    return call(deadline);
  }
  bool odd = true;
};

TEST_F(BreakerTest, WhatIsNoTroubleOfTheStoresIsNotCountedAndBlocksNoProbe) {
  const auto odd = std::make_shared<Odd>(faulty);
  breaker = with_breaker(odd, options);
  for (int i = 0; i < 20; ++i) EXPECT_THROW(breaker->load(key_of("a"), soon()), std::bad_alloc);
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::closed);
  odd->odd = false;
  break_reads();
  faulty->heal();
  clock.advance(1s);
  odd->odd = true;
  EXPECT_THROW(breaker->load(key_of("a"), soon()), std::bad_alloc);
  odd->odd = false;
  EXPECT_EQ(read(), std::nullopt);
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::closed);
}

TEST_F(BreakerTest, WhoListensAndThrowsChangesNothing) {
  options.on_change = [](const BreakerChange&) { throw 42; };
  make();
  break_reads();
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::open);
}

TEST_F(BreakerTest, AChildBeginsAnew) {
  make();
  break_reads();
  faulty->heal();
  const auto child = fork();
  if (child == 0) _exit(breaker->state(Circuit::reads) == CircuitState::closed && !read() ? 0 : 1);
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::open);
}

TEST_F(BreakerTest, OptionsThatCannotWorkAreRefused) {
  const auto refused = [&](auto change) {
    BreakerOptions wrong{};
    change(wrong);
    EXPECT_THROW(with_breaker(faulty, wrong), ConfigError);
  };
  refused([](auto& o) { o.call_timeout = 0s; });
  refused([](auto& o) { o.walk_timeout = 0s; });
  refused([](auto& o) { o.max_calls = 0; });
  refused([](auto& o) { o.window = 0s; });
  refused([](auto& o) { o.failures = 0; });
  refused([](auto& o) { o.ratio = 1.5; });
  refused([](auto& o) { o.backoff = 0s; });
  refused([](auto& o) { o.max_backoff = o.backoff / 2; });
  EXPECT_THROW(with_breaker(nullptr), ConfigError);
}

}  // namespace
}  // namespace sancho::test
