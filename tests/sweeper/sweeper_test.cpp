// A sweeper by itself and among others, by clocks that are moved by hand.
#include "sancho/sweeper.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "sancho/decorators/faulty.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho {
namespace {

using namespace std::chrono_literals;
using Did = SweepStep::Did;

Deadline soon() { return Deadline::after(1min); }
SessionKey new_key() { return SessionKey::of("", SessionId::draw(system_random())); }

class Zero final : public RandomSource {  // draws 0, and then 1, 2, …: waits are the shortest there are
 public:
  void fill(std::span<std::byte> out) override {
    const auto n = next_++;
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = i < 2 ? static_cast<std::byte>(n >> 8 * i) : std::byte{0};
  }

 private:
  std::atomic<std::uint64_t> next_ = 1;
};

class SweeperTest : public testing::Test {
 protected:
  // Puts so many sessions there that end in a minute.
  std::set<std::string> put(int n) {
    std::set<std::string> handles;
    for (int i = 0; i < n; ++i) {
      Record record{.version = {system_random().draw_u64(), 1},
                    .created = clock.now(),
                    .accessed = clock.now(),
                    .idle = 1min,
                    .ends = clock.now() + 1min,
                    .handle = Handle::draw(system_random())};
      faulty->create(new_key(), record, soon());
      handles.emplace(record.handle.text());
    }
    return handles;
  }
  std::unique_ptr<Sweeper> make(SweeperOptions options = {}) {
    return std::make_unique<Sweeper>(
        *faulty, [this](const Handle& handle) { ++expired[std::string(handle.text())]; }, options, clock, random,
        steady);
  }
  void pass(Duration d) { clock.advance(d), steady.advance(d); }

  ManualClock clock;
  ManualSteadyClock steady;
  Zero random;
  std::shared_ptr<Faulty> faulty = with_faults(open_memory_store(clock));
  std::map<std::string, int> expired;
};

TEST_F(SweeperTest, RemovesWhatHasExpiredNoMoreThanItsBudgetAStep) {
  const auto sweeper = make({.budget = 10, .pause = 20ms});
  put(25);
  pass(1min);
  std::vector<std::size_t> removed;
  std::vector<Duration> next;
  for (int i = 0; i < 3; ++i) {
    const auto before = faulty->calls();
    const auto step = sweeper->step();
    EXPECT_EQ(step.did, Did::swept);
    EXPECT_LE(faulty->calls() - before, 3u);
    removed.push_back(step.removed), next.push_back(step.next);
    pass(step.next);
  }
  EXPECT_EQ(removed, (std::vector<std::size_t>{10, 10, 5}));
  EXPECT_EQ(next[0], 20ms);
  EXPECT_EQ(next[1], 20ms);
  EXPECT_GT(next[2], 40s);
  EXPECT_EQ(expired.size(), 25u);
}

TEST_F(SweeperTest, DoesNothingBeforeItIsTime) {
  const auto sweeper = make();
  const auto first = sweeper->step();
  const auto asked = faulty->calls();
  const auto early = sweeper->step();
  EXPECT_EQ(early.did, Did::waited);
  EXPECT_EQ(early.next, first.next);
  EXPECT_EQ(faulty->calls(), asked);
  pass(first.next);
  EXPECT_EQ(sweeper->step().did, Did::swept);
}

TEST_F(SweeperTest, WaitsDifferByChanceAndByNoMoreThanTheJitter) {
  Sweeper sweeper(*faulty, {}, {.interval = 100s, .jitter = 0.2}, clock, system_random(), steady);
  Duration least = 1h, most = 0s;
  for (int i = 0; i < 300; ++i) {
    const auto next = sweeper.step().next;
    least = std::min(least, next), most = std::max(most, next);
    pass(next);
  }
  EXPECT_GE(least, 80s);
  EXPECT_LE(most, 120s);
  EXPECT_GT(most - least, 25s);
}

// ## The lease

TEST_F(SweeperTest, OfManyOneSweepsAndTheOthersStandBack) {
  std::vector<std::unique_ptr<Sweeper>> sweepers;
  for (int i = 0; i < 5; ++i) sweepers.push_back(make());
  for (int round = 0; round < 20; ++round) {
    put(3);
    std::vector<Did> did;
    for (const auto& sweeper : sweepers) did.push_back(sweeper->step().did);
    EXPECT_EQ(did, (std::vector{Did::swept, Did::stood_back, Did::stood_back, Did::stood_back, Did::stood_back}));
    pass(80s);
  }
  EXPECT_EQ(expired.size(), 19u * 3);
}

TEST_F(SweeperTest, AHolderThatDiesIsSucceededWhenItsLeaseEndsAndNoEarlier) {
  auto dead = make({.lease = 3min});
  const auto heir = make({.lease = 3min});
  EXPECT_EQ(dead->step().did, Did::swept);
  dead.reset();  // without a word
  auto step = heir->step();
  const auto died = clock.now();
  while (step.did == Did::stood_back) {
    pass(step.next);
    step = heir->step();
  }
  EXPECT_EQ(step.did, Did::swept);
  EXPECT_GE(clock.now() - died, 3min);
  EXPECT_LE(clock.now() - died, 4min);
}

TEST_F(SweeperTest, WhoGivesTheLeaseBackIsSucceededAtOnce) {
  const auto first = make(), second = make();
  first->step();
  first->release();
  EXPECT_EQ(second->step().did, Did::swept);
  first->release();  // it is another's now, and stays so
  pass(1min);
  EXPECT_EQ(make()->step().did, Did::stood_back);
}

// One that slept through its own lease must not take it back from its heir.
TEST_F(SweeperTest, WhoComesBackAfterItsLeaseStandsBack) {
  const auto slow = make({.lease = 3min}), heir = make({.lease = 3min});
  slow->step();
  pass(3min);
  EXPECT_EQ(heir->step().did, Did::swept);
  EXPECT_EQ(slow->step().did, Did::stood_back);
  pass(1min);
  EXPECT_EQ(heir->step().did, Did::swept);
}

TEST_F(SweeperTest, SweepersOfOtherNamesHoldOtherLeases) {
  const auto one = make({.name_space = "one"}), two = make({.name_space = "two"});
  EXPECT_EQ(one->step().did, Did::swept);
  EXPECT_EQ(two->step().did, Did::swept);
}

TEST_F(SweeperTest, TheLeaseIsNoSession) {
  make()->step();
  EXPECT_EQ(faulty->scan()->count(soon()), 0u);
}

// ## Trouble

TEST_F(SweeperTest, WhateverCallFailsItTriesAgainAndReportsEachOnce) {
  for (const auto what : {Fault::What::fail_before, Fault::What::drop_answer})
    for (std::uint64_t n = 1; n <= 12; ++n) {
      SCOPED_TRACE(n);
      faulty = with_faults(open_memory_store(clock));
      expired.clear();
      const auto sweeper = make({.budget = 4});
      const auto handles = put(10);
      pass(1min);
      faulty->plan({.what = what, .at = n});
      int failures = 0;
      for (int i = 0; i < 12; ++i) {
        const auto step = sweeper->step();
        failures += step.did == Did::failed;
        EXPECT_NE(step.did, Did::stood_back);  // it knows its own lease again
        EXPECT_EQ(step.trouble.empty(), step.did != Did::failed);
        pass(step.next);
      }
      EXPECT_EQ(failures, faulty->injected());
      EXPECT_EQ(faulty->sweep({}, soon()).removed, 0u);
      for (const auto& [handle, times] : expired) EXPECT_EQ(times, 1);
      // Only an answer of a sweep that was lost takes its handles with it.
      if (what == Fault::What::fail_before)
        EXPECT_EQ(expired.size(), handles.size());
      else
        EXPECT_GE(expired.size(), handles.size() - 4);
    }
}

TEST_F(SweeperTest, TroubleOfAnyKindNeverStopsIt) {
  const auto sweeper = make();
  for (const auto kind : {Trouble::unavailable, Trouble::corrupt, Trouble::full, Trouble::refused, Trouble::contention,
                          Trouble::in_doubt}) {
    faulty->heal();
    faulty->plan({.verb = StoreVerb::sweep, .at = 1, .kind = kind});
    pass(90s);
    EXPECT_EQ(sweeper->step().did, Did::failed);
    pass(90s);
    EXPECT_EQ(sweeper->step().did, Did::swept);
  }
}

struct OutOfMemory : Decorated<OutOfMemory> {
  using Decorated::Decorated;
  template <class Call>
  auto through(StoreVerb verb, Deadline deadline, Call call) {
    if (verb == StoreVerb::sweep && ++sweeps == 1) throw std::bad_alloc();
    if (verb == StoreVerb::sweep && sweeps == 2) throw 42;
    return call(deadline);
  }
  int sweeps = 0;
};

TEST_F(SweeperTest, WhatIsNoTroubleOfTheStoresDoesNotStopItEither) {
  OutOfMemory store(faulty);
  Sweeper sweeper(store, {}, {}, clock, random, steady);
  for (const auto did : {Did::failed, Did::failed, Did::swept}) {
    EXPECT_EQ(sweeper.step().did, did);
    pass(90s);
  }
}

struct Restless : Decorated<Restless> {  // needs nobody
  using Decorated::Decorated;
  template <class Call>
  auto through(StoreVerb, Deadline deadline, Call call) {
    return call(deadline);
  }
  StoreTraits traits() const override {
    auto t = Decorated::traits();
    t.sweeps_itself = true;
    return t;
  }
};

TEST_F(SweeperTest, AStoreThatSweepsItselfIsLeftAlone) {
  Restless store(faulty);
  Sweeper sweeper(store, {}, {}, clock);
  EXPECT_EQ(sweeper.step().did, Did::needless);
  EXPECT_EQ(faulty->calls(), 0u);
  std::stop_source never;
  sweeper.run(never.get_token());  // comes back
}

TEST_F(SweeperTest, OptionsThatCannotWorkAreRefused) {
  for (const auto& wrong : {SweeperOptions{.interval = 0s},
                            {.jitter = 1},
                            {.jitter = -0.1},
                            {.budget = 0},
                            {.pause = -1ms},
                            {.lease = 119s},
                            {.store_timeout = 0s},
                            {.store_timeout = 3min}})
    EXPECT_THROW(Sweeper(*faulty, {}, wrong), ConfigError);
}

// ## With a manager

struct Ear : Observer {
  void on_event(const Event& event) override {
    const std::lock_guard lock(mutex);
    heard.emplace_back(event.kind, std::string(event.handle.text()));
    told.notify_all();
  }
  std::mutex mutex;
  std::condition_variable told;
  std::vector<std::pair<EventKind, std::string>> heard;
};

TEST_F(SweeperTest, AManagersObserverHearsOfEachSessionAndOfFailures) {
  Ear ear;
  SessionManager<> sessions(faulty, {}, {.clock = clock, .random = system_random(), .observer = &ear});
  const auto handles = put(3);
  pass(1min);
  Sweeper sweeper(sessions);
  sweeper.step();
  std::set<std::string> heard;
  for (const auto& [kind, handle] : ear.heard)
    if (kind == EventKind::expired) heard.insert(handle);
  EXPECT_EQ(heard, handles);
  ear.heard.clear();
  faulty->plan({.what = Fault::What::fail_before});
  Sweeper second(sessions);
  EXPECT_EQ(second.step().did, Did::failed);
  ASSERT_EQ(ear.heard.size(), 1u);
  EXPECT_EQ(ear.heard[0].first, EventKind::sweep_failed);
}

// ## A thread's loop

TEST_F(SweeperTest, AThreadOfItsOwnStopsWhenToldAndGivesTheLeaseBack) {
  Ear ear;
  SessionManager<> sessions(faulty, {}, {.clock = clock, .random = system_random(), .observer = &ear});
  put(1);
  pass(1min);
  Sweeper sweeper(sessions, {.interval = 1h, .lease = 3h});
  const auto began = std::chrono::steady_clock::now();
  {
    std::jthread thread([&](std::stop_token stop) { sweeper.run(stop); });
    std::unique_lock lock(ear.mutex);
    EXPECT_TRUE(ear.told.wait_for(lock, 1min, [&] { return !ear.heard.empty(); }));
  }
  EXPECT_LT(std::chrono::steady_clock::now() - began, 5min);  // of an interval of an hour
  EXPECT_EQ(make()->step().did, Did::swept);
}

// Threads with a sweeper each. However they meet, the store has one lease, and
// each session is reported once.
TEST_F(SweeperTest, ManyThreadsReportEachExpiryOnce) {
  const auto handles = put(2000);
  pass(1min);
  std::mutex mutex;
  std::atomic<std::size_t> heard = 0, holders = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 6; ++t)
    threads.emplace_back([&] {
      Sweeper sweeper(
          *faulty,
          [&](const Handle& handle) {
            const std::lock_guard lock(mutex);
            ++expired[std::string(handle.text())];
            ++heard;
          },
          {.interval = 1ms, .budget = 50, .pause = 0ms, .lease = 10s}, clock, system_random());
      bool held = false;
      for (const auto until = soon(); heard < handles.size() && !until.passed();)
        held |= sweeper.step().did == Did::swept;
      holders += held;
    });
  threads.clear();
  EXPECT_EQ(holders, 1u);
  EXPECT_EQ(expired.size(), handles.size());
  for (const auto& [handle, times] : expired) ASSERT_EQ(times, 1);
}

}  // namespace
}  // namespace sancho
