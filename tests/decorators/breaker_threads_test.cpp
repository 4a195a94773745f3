// A breaker between many threads and a store.
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "../support/rounds.hpp"
#include "sancho/decorators/breaker.hpp"
#include "sancho/decorators/faulty.hpp"
#include "support.hpp"

namespace sancho::test {
namespace {

// Calls wait inside until they are let go.
class Cellar {
 public:
  void wait() {
    std::unique_lock lock(mutex_);
    most_ = std::max(most_, ++inside_);
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
    --inside_;
  }
  void until_inside(int n) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return inside_ == n; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  int most() {
    const std::lock_guard lock(mutex_);
    return most_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int inside_ = 0, most_ = 0;
};

class CrowdedBreaker : public testing::Test {
 protected:
  CrowdedBreaker() {
    FaultyOptions waiting;
    waiting.delay = [this](StoreVerb, Deadline) { cellar.wait(); };
    faulty = with_faults(open_memory_store(), waiting);
    faulty->plan({.what = Fault::What::delay});
  }
  void call_in_background() {
    threads.emplace_back([&] { answered += !trouble([&] { breaker->load(key_of("a"), soon()); }); });
  }
  Cellar cellar;
  std::shared_ptr<Faulty> faulty;
  std::unique_ptr<Breaker> breaker;
  std::atomic<int> answered = 0;
  std::vector<std::jthread> threads;  // last: they use all of it
};

TEST_F(CrowdedBreaker, NoMoreThanSoManyCallsAreInTheStoreAtOnceAndTheOthersFollow) {
  breaker = with_breaker(faulty, {.max_calls = 3});
  for (int i = 0; i < 20; ++i) call_in_background();
  cellar.until_inside(3);
  EXPECT_EQ(faulty->calls(), 3u);
  cellar.open();
  threads.clear();
  EXPECT_EQ(answered, 20);
  EXPECT_LE(cellar.most(), 3);
}

TEST_F(CrowdedBreaker, WhatDoesNotFitIntoTheLineFailsAtOnceAndUndone) {
  breaker = with_breaker(faulty, {.max_calls = 2, .max_waiting = 0});
  for (int i = 0; i < 2; ++i) call_in_background();
  cellar.until_inside(2);
  bool maybe_done = true;
  EXPECT_EQ(trouble([&] { breaker->erase(key_of("a"), std::nullopt, soon()); }, &maybe_done), Trouble::unavailable);
  EXPECT_FALSE(maybe_done);
  EXPECT_EQ(faulty->calls(), 2u);
  cellar.open();
}

TEST_F(CrowdedBreaker, WhoWaitsGivesUpAtTheDeadlineAndCountsAsNoFailure) {
  breaker = with_breaker(faulty, {.max_calls = 1, .failures = 1, .ratio = 0});
  call_in_background();
  cellar.until_inside(1);
  const auto deadline = Deadline::after(20ms);
  EXPECT_EQ(trouble([&] { breaker->load(key_of("a"), deadline); }), Trouble::unavailable);
  EXPECT_TRUE(deadline.passed());
  EXPECT_EQ(faulty->calls(), 1u);
  EXPECT_EQ(breaker->state(Circuit::reads), CircuitState::closed);
  cellar.open();
  threads.clear();
  // Its place in the line went with it.
  EXPECT_EQ(trouble([&] { breaker->load(key_of("a"), soon()); }), std::nullopt);
}

// Threads that read and write while the store comes and goes. Whatever happens,
// all places are free again at the end, a refused write did not happen, and the
// circuits close when the store is there.
TEST(BreakerRace, NothingIsLostBetweenManyThreadsAndAStoreThatComesAndGoes) {
  const auto memory = std::shared_ptr<SessionStore>(open_memory_store());
  const std::shared_ptr<Faulty> faulty = with_faults(memory);
  ManualSteadyClock clock;
  std::mutex mutex;
  std::vector<std::uint64_t> numbers[2];
  std::atomic<bool> opened[2] = {false, false};
  // No ratio: while the clock's thread has to wait, any number of calls is answered.
  BreakerOptions options{
      .max_calls = 2, .max_waiting = 3, .failures = 4, .ratio = 0, .backoff = 10ms, .max_backoff = 40ms, .clock = clock};
  options.on_change = [&](const BreakerChange& change) {
    const std::lock_guard lock(mutex);
    auto& list = numbers[static_cast<std::size_t>(change.circuit)];
    list.push_back(change.number);
    opened[static_cast<std::size_t>(change.circuit)] = true;
  };
  const auto breaker = with_breaker(faulty, options);
  memory->create(key_of("counter"), record_of("0"), soon());

  const int each = rounds();
  std::atomic<std::uint64_t> turns = 0, done = 0, doubtful = 0, refused = 0;
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 6; ++t)
      threads.emplace_back([&] {
        const auto enough = soon();
        for (int i = 0; (i < each || !opened[0] || !opened[1] || done == 0) && !enough.passed(); ++i) {
          ++turns;
          try {
            const auto seen = breaker->load(key_of("counter"), soon());
            auto next = *seen;
            ++next.version.counter;
            next.payload = std::to_string(std::stoull(seen->payload) + 1);
            done += std::holds_alternative<Done>(breaker->commit(key_of("counter"), seen->version, next, soon()));
          } catch (const StoreError& e) {
            EXPECT_EQ(e.kind(), Trouble::unavailable);
            ++(e.maybe_done() ? doubtful : refused);
          }
        }
      });
    threads.emplace_back([&](const std::stop_token& stop) {
      // Down, then only without answers to writes, then well; each for sixty
      // calls and more. Time goes on with the calls, a millisecond at a time: long
      // enough for a circuit that opened to be tried again in the next phase, and
      // never so fast that failures are forgotten while a busy machine lets
      // nobody call.
      for (int phase = 0; !stop.stop_requested(); phase = (phase + 1) % 3) {
        faulty->heal();
        if (phase == 0) faulty->plan({.what = Fault::What::fail_before, .probability = 0.8});
        if (phase == 1) faulty->plan({.what = Fault::What::drop_answer, .verb = StoreVerb::commit, .probability = 0.8});
        auto last = turns.load();
        for (int ms = 0; ms < 60 && !stop.stop_requested(); std::this_thread::yield()) {
          if (turns == last) continue;
          last = turns;
          clock.advance(1ms);
          ++ms;
        }
      }
    });
    for (std::size_t t = 0; t < 6; ++t) threads[t].join();
  }
  const auto value = std::stoull(memory->load(key_of("counter"), soon())->payload);
  EXPECT_GE(value, done);
  EXPECT_LE(value, done + doubtful);
  EXPECT_GT(done, 0u);
  EXPECT_GT(refused, 0u);

  faulty->heal();
  clock.advance(1min);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(trouble([&] { breaker->load(key_of("counter"), soon()); }), std::nullopt);
    EXPECT_EQ(trouble([&] { breaker->erase(key_of("nothing"), std::nullopt, soon()); }), std::nullopt);
  }
  // Each change was told once.
  for (auto& list : numbers) {
    std::sort(list.begin(), list.end());
    EXPECT_FALSE(list.empty());
    for (std::size_t i = 0; i < list.size(); ++i) ASSERT_EQ(list[i], i + 1);
  }
}

}  // namespace
}  // namespace sancho::test
