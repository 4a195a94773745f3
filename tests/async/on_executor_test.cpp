// A blocking store on threads that the caller supplies: what waits, and for how
// long.
#include "sancho/async/on_executor.hpp"
#include "held_store.hpp"
#include "sancho/async/blocking.hpp"
#include "sancho/decorators/breaker.hpp"
#include "sancho/decorators/metered.hpp"
#include "shop.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;

Deadline soon() { return Deadline::after(60s); }
SessionKey a_key() { return SessionKey::of("test", SessionId::draw(system_random())); }
Record a_record() {
  Record record;
  record.created = record.accessed = system_clock().now();
  record.idle = 1h;
  record.ends = record.created + 1h;
  return record;
}

// What a call came to.
struct Fate {
  std::string how;
  bool maybe_done = false;
};
auto note(Fate& fate) {
  return [&fate](std::exception_ptr trouble, auto&&...) {
    fate.how = how(trouble);
    try {
      if (trouble) std::rethrow_exception(trouble);
    } catch (const StoreError& e) {
      fate.maybe_done = e.maybe_done();
    } catch (...) {  // it is in `how`
    }
  };
}

class AsyncOnExecutor : public testing::Test {
 protected:
  explicit AsyncOnExecutor(OnExecutorOptions options = {.max_waiting = 2})
      : store(on_executor(held, threads.get_executor(), options)) {}
  // One call is on the only thread, and stays there.
  void occupy(Fate& fate) {
    held->hold();
    const int begun = held->begun();
    asio::co_spawn(loop, store->load(a_key(), soon()), note(fate));
    loop.poll();
    held->wait_for(begun + 1);
  }
  void run_until(const std::function<bool()>& so) {
    while (!so()) loop.restart(), loop.run_one();
  }

  std::shared_ptr<HeldStore> held = std::make_shared<HeldStore>();
  asio::io_context loop;
  asio::thread_pool threads{1};
  std::shared_ptr<AsyncSessionStore> store;
};

TEST_F(AsyncOnExecutor, MoreThanMayWaitFailAtOnce) {
  Fate first, waiting[2], too_many;
  occupy(first);
  for (auto& fate : waiting) asio::co_spawn(loop, store->load(a_key(), soon()), note(fate));
  asio::co_spawn(loop, store->create(a_key(), a_record(), soon()), note(too_many));
  run_until([&] { return !too_many.how.empty(); });
  EXPECT_EQ(too_many.how, "unavailable");
  EXPECT_FALSE(too_many.maybe_done);
  EXPECT_EQ(held->begun(), 1);
  held->release();
  run_until([&] { return !waiting[0].how.empty() && !waiting[1].how.empty(); });
  EXPECT_EQ(first.how + waiting[0].how + waiting[1].how, "donedonedone");
  EXPECT_EQ(held->begun(), 3);
}

TEST_F(AsyncOnExecutor, WhatWaitsBeyondItsDeadlineIsNeverBegun) {
  Fate first, late;
  occupy(first);
  asio::co_spawn(loop, store->create(a_key(), a_record(), Deadline::after(30ms)), note(late));
  run_until([&] { return !late.how.empty(); });
  EXPECT_EQ(late.how, "unavailable");
  EXPECT_FALSE(late.maybe_done);
  // It gave its place to others.
  Fate next[2];
  for (auto& fate : next) asio::co_spawn(loop, store->load(a_key(), soon()), note(fate));
  held->release();
  run_until([&] { return !next[0].how.empty() && !next[1].how.empty(); });
  EXPECT_EQ(next[0].how + next[1].how, "donedone");
  EXPECT_EQ(held->begun(), 3);
}

TEST_F(AsyncOnExecutor, WhatIsCancelledWhileItWaitsIsNeverBegun) {
  Fate first, cancelled;
  occupy(first);
  asio::cancellation_signal stop;
  asio::co_spawn(loop, store->create(a_key(), a_record(), soon()),
                 asio::bind_cancellation_slot(stop.slot(), note(cancelled)));
  loop.restart();
  loop.poll();
  stop.emit(asio::cancellation_type::terminal);
  run_until([&] { return !cancelled.how.empty(); });
  EXPECT_EQ(cancelled.how, "cancelled");
  held->release();
  run_until([&] { return !first.how.empty(); });
  EXPECT_EQ(held->begun(), 1);
}

TEST_F(AsyncOnExecutor, WhatHasBegunEndsByItselfAndItsCallerIsLetGo) {
  Fate cancelled, late;
  const auto key = a_key();
  asio::cancellation_signal stop;
  held->hold();
  asio::co_spawn(loop, store->create(key, a_record(), soon()),
                 asio::bind_cancellation_slot(stop.slot(), note(cancelled)));
  loop.poll();
  held->wait_for(1);
  stop.emit(asio::cancellation_type::terminal);
  run_until([&] { return !cancelled.how.empty(); });
  EXPECT_EQ(cancelled.how, "cancelled");
  held->release();
  bool there = false;
  run(loop, [&]() -> awaitable<void> {
    const auto found = co_await store->load(key, soon());
    there = found.has_value();
  }());
  EXPECT_TRUE(there);
  held->hold();
  asio::co_spawn(loop, store->erase(key, std::nullopt, Deadline::after(30ms)), note(late));
  loop.restart();
  loop.poll();
  held->wait_for(3);
  run_until([&] { return !late.how.empty(); });
  EXPECT_EQ(late.how, "unavailable");
  EXPECT_TRUE(late.maybe_done);
  held->release();
}

// ... although the walk keeps the only thread.
TEST_F(AsyncOnExecutor, OneThreadIsEnoughForAWalkThatUsesTheStore) {
  std::vector<SessionKey> keys;
  for (int i = 0; i < 200; ++i) held->create(keys.emplace_back(a_key()), a_record(), soon());
  int seen = 0;
  run(loop, [&]() -> awaitable<void> {
    const AsyncScan::Each erase = [&](const KeyedRecord& found) -> awaitable<bool> {
      const auto answer = co_await store->erase(found.key, std::nullopt, soon());
      EXPECT_TRUE(std::holds_alternative<Removed>(answer));
      ++seen;
      co_return true;
    };
    co_await store->scan()->walk(erase, soon());
    const auto left = co_await store->scan()->count(soon());
    EXPECT_EQ(left, 0u);
  }());
  EXPECT_EQ(seen, 200);
}

TEST_F(AsyncOnExecutor, AWalkThatIsLeftGivesItsThreadBack) {
  for (int i = 0; i < 200; ++i) held->create(a_key(), a_record(), soon());
  const AsyncScan::Each stops = [](const KeyedRecord&) -> awaitable<bool> { co_return false; };
  const AsyncScan::Each throws = [](const KeyedRecord&) -> awaitable<bool> {
    throw std::runtime_error("oops");
    co_return true;
  };
  bool hanging = false;
  const AsyncScan::Each hangs = [&](const KeyedRecord&) -> awaitable<bool> {
    hanging = true;
    co_await for_ever();
    co_return true;
  };
  run(loop, store->scan()->walk(stops, soon()));
  EXPECT_THROW(run(loop, store->scan()->walk(throws, soon())), std::runtime_error);
  {
    asio::io_context another;  // torn down in the middle of it
    asio::co_spawn(another, store->scan()->walk(hangs, soon()), asio::detached);
    while (!hanging) another.run_one();
  }
  run(loop, store->scan()->walk(stops, soon()));
}

TEST_F(AsyncOnExecutor, AStoreOfNothingIsRefused) {
  EXPECT_THROW(on_executor(nullptr, threads.get_executor()), ConfigError);
  EXPECT_THROW(on_executor(held, threads.get_executor(), {.max_waiting = 0}), ConfigError);
}

// ## The other way round

TEST_F(AsyncOnExecutor, WhoWaitsMustNotBeWhoIsWaitedFor) {
  const auto waiter = std::make_shared<std::unique_ptr<SessionStore>>();
  const auto ask = [waiter] {
    try {
      (void)(*waiter)->load(a_key(), Deadline::after(1s));
    } catch (...) {
      return how(std::current_exception());
    }
    return std::string("done");
  };
  const auto caught =
      "broke a rule: rule broken: a thread would wait for a coroutine that it runs itself; "
      "call a blocking store from another thread than its executor's";
  asio::thread_pool pool(1);
  for (const asio::any_io_executor& executor :
       {asio::any_io_executor(pool.get_executor()), asio::any_io_executor(asio::make_strand(pool.get_executor())),
        asio::any_io_executor(asio::make_strand(asio::any_io_executor(pool.get_executor())))}) {
    *waiter = blocking(store, executor);
    EXPECT_EQ(asio::post(pool, asio::use_future(ask)).get(), caught);
    EXPECT_EQ(ask(), "done");
  }
  // An executor that nobody runs.
  *waiter = blocking(store, loop.get_executor());
  try {
    (*waiter)->erase(a_key(), std::nullopt, Deadline::after(30ms));
    ADD_FAILURE() << "nobody could have answered";
  } catch (const StoreError& e) {
    EXPECT_EQ(e.kind(), Trouble::unavailable);
    EXPECT_TRUE(e.maybe_done());
  }
  std::string in_loop;
  asio::post(loop, [&] { in_loop = ask(); });
  loop.restart();
  loop.poll();
  EXPECT_EQ(in_loop, caught);
  waiter->reset();
}

TEST(AsyncBlocking, AWalkThatIsCutOffAtItsDeadlineDoesNotLookComplete) {
  const auto store = std::make_shared<SlowStore>(system_clock());
  for (int i = 0; i < 3; ++i) store->inner().create(a_key(), a_record(), soon());
  asio::thread_pool pool(1);
  const auto waiter = blocking(store, pool.get_executor());
  int seen = 0;
  const auto walk = [&](bool on) {
    const auto until = Deadline::after(300ms);
    const auto beyond = until.at() + 300ms;
    waiter->scan()->walk([&](const KeyedRecord&) { return std::this_thread::sleep_until(beyond), ++seen, on; }, until);
  };
  try {
    walk(true);
    ADD_FAILURE() << "it saw " << seen << " of three";
  } catch (const StoreError& e) {
    EXPECT_EQ(e.kind(), Trouble::unavailable);
  }
  walk(false);  // who wants no more has all that was wanted
  EXPECT_EQ(seen, 2);
}

// ## Under the manager

TEST(AsyncOnExecutorShop, AWriteThatNeverHadItsTurnWasNotDone) {
  auto policy = plain_policy();
  policy.store_timeout = 100ms;
  asio::thread_pool threads(1);
  const auto held = std::make_shared<HeldStore>();
  AsyncShop shop(policy, on_executor(held, threads.get_executor()));
  Browser b;
  asio::io_context loop;
  run(loop, [&]() -> awaitable<void> {
    co_await shop.visit(b, [](VisitSession& s) { ++s.visits; });
    auto scope = co_await shop.start(b);
    ++scope->visits;
    // Somebody else has the only thread.
    held->hold();
    const int begun = held->begun();
    asio::co_spawn(loop, shop.sessions.store().load(a_key(), soon()), asio::detached);
    while (held->begun() == begun) co_await yield();
    const auto ended = co_await how(scope.finish());
    EXPECT_EQ(ended, "unavailable") << "and not in doubt";
    held->release();
  }());
}

// ## Stores that never wait

class AsyncInPlace : public testing::Test {
 protected:
  asio::io_context loop, idle;  // runs nothing unless it is told to
  ManualClock clock;  // as the shop's
  std::shared_ptr<SessionStore> memory = open_memory_store(clock);
  std::shared_ptr<AsyncSessionStore> store = on_executor(memory, idle.get_executor());
};

TEST_F(AsyncInPlace, ARequestNeedsNoThread) {
  AsyncShop shop(plain_policy(), store);
  Browser b;
  run(loop, shop.visit(b, [](VisitSession& s) { s.set_user("ada"); }));
  run(loop, shop.visit(b, [](VisitSession& s) { ++s.visits; }));
  EXPECT_EQ(memory->subjects()->find_by_subject("ada", soon()).size(), 1u);
  run(loop, [&]() -> awaitable<void> { co_await shop.sessions.end_sessions_of("ada"); }());
  EXPECT_EQ(memory->subjects()->find_by_subject("ada", soon()).size(), 0u);
  EXPECT_EQ(idle.poll(), 0u) << "something waits for a thread";
}

TEST_F(AsyncInPlace, WhatTakesLongGoesToTheThreads) {
  Fate swept;
  asio::co_spawn(loop, store->sweep({}, soon()), note(swept));
  loop.poll();
  EXPECT_EQ(swept.how, "");
  EXPECT_EQ(idle.poll(), 1u);
  loop.restart();
  loop.run();
  EXPECT_EQ(swept.how, "done");
}

TEST_F(AsyncInPlace, ACallThatComesTooLateIsNotBegun) {
  Fate late;
  const auto key = a_key();
  asio::co_spawn(loop, store->create(key, a_record(), Deadline(std::chrono::steady_clock::now() - 1s)), note(late));
  loop.run();
  EXPECT_EQ(late.how, "unavailable");
  EXPECT_FALSE(late.maybe_done);
  EXPECT_FALSE(memory->load(key, soon()));
}

TEST_F(AsyncInPlace, OthersAreAskedByTheirCoroutinesAlone) {
  EXPECT_EQ(store->in_place(), memory.get());
  EXPECT_EQ(on_executor(std::make_shared<HeldStore>(), idle.get_executor())->in_place(), nullptr);
}

// Also where Asio was told not to throw by itself.
TEST_F(AsyncInPlace, WhoWasCancelledWritesNothing) {
  AsyncShop shop(plain_policy(), store);
  asio::cancellation_signal stop;
  std::string ended;
  const auto request = [&](bool cancelled) -> awaitable<void> {
    Browser b;
    auto scope = co_await shop.start(b);
    scope->set_user("ada");
    co_await asio::this_coro::throw_if_cancelled(false);
    if (cancelled) stop.emit(asio::cancellation_type::terminal);
    ended = co_await how(scope.finish());
  };
  for (const bool cancelled : {true, false}) {
    asio::co_spawn(loop, request(cancelled), asio::bind_cancellation_slot(stop.slot(), asio::detached));
    loop.restart();
    loop.run();
    EXPECT_EQ(ended, cancelled ? "cancelled" : "done");
    EXPECT_EQ(memory->subjects()->find_by_subject("ada", soon()).size(), cancelled ? 0u : 1u);
  }
}

// A decorator may wait, whatever is inside; ours do not.
TEST_F(AsyncInPlace, AStoreSaysThatItNeverWaits) {
  EXPECT_TRUE(memory->traits().never_waits);
  EXPECT_TRUE(with_meter(memory)->traits().never_waits);
  EXPECT_TRUE(with_breaker(memory)->traits().never_waits);
  EXPECT_FALSE(HeldStore().traits().never_waits);
}

}  // namespace
}  // namespace sancho::test
