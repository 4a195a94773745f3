// Connections that are shared: what leaves together, what stands behind whom, and
// what becomes of it when one breaks.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <deque>

#include "async_fixture.hpp"

namespace sancho::postgresql_test {
namespace {

class AsyncPostgresqlLanes : public AsyncPostgresqlTest {
 protected:
  // A store with a record "a" in it.
  Store with_a_record(asio::io_context& loop, const PostgresqlOptions& options = {.connections = 1},
                      AsyncPostgresqlOptions more = {}) {
    auto store = AsyncPostgresqlTest::open(loop, options, more);
    Ended ended;
    run(loop, tell(store->create(key_of("a"), record_of_now(), soon()), ended));
    EXPECT_EQ(ended.how, "done") << ended.why;
    return store;
  }
  static awaitable<TouchAnswer> touch(Store store, const std::string& name, Deadline until = soon()) {
    return store->touch(key_of(name), 7, system_clock().now() + 1s, until);
  }
};

TEST_F(AsyncPostgresqlLanes, SixteenCallsOverOneConnectionTakeAboutOneRoundTrip) {
  asio::io_context loop;
  const auto store = with_a_record(loop);
  wire->slow(100);
  const int round_trips = wire->round_trips();
  std::vector<Ended> loads(16);
  const auto begin = Deadline::Steady::now();
  for (auto& each : loads) this->begin(loop, store->load(key_of("a"), soon()), each);
  loop.restart();
  loop.run();
  const auto took = Deadline::Steady::now() - begin;
  for (const auto& each : loads) EXPECT_EQ(each.how, "done") << each.why;
  EXPECT_EQ(wire->round_trips() - round_trips, 16) << "each has a mark of its own";
  EXPECT_EQ(wire->connections(), 1);
  EXPECT_GT(took, 100ms);
  EXPECT_LT(took, 800ms) << "one after the other they would take 1600 ms";
}

TEST_F(AsyncPostgresqlLanes, WhatFailsInOneCallDoesNothingToTheOthers) {
  asio::io_context loop;
  const auto store = AsyncPostgresqlTest::open(loop);
  place->ask(
      "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.payload = 'bad' THEN RAISE EXCEPTION "
      "'no'; END IF; RETURN NEW; END$$; CREATE TRIGGER no BEFORE INSERT ON sancho_sessions FOR EACH ROW EXECUTE "
      "FUNCTION no()");
  std::vector<Ended> creates(30);
  for (std::size_t i = 0; i < creates.size(); ++i)
    begin(loop, store->create(key_of(std::to_string(i)), record_of_now(i % 3 ? "good" : "bad"), soon()), creates[i]);
  loop.restart();
  loop.run();
  for (std::size_t i = 0; i < creates.size(); ++i) {
    EXPECT_EQ(creates[i].how, i % 3 ? "done" : "unavailable") << creates[i].why;
    EXPECT_FALSE(creates[i].maybe_done);
  }
  EXPECT_EQ(place->ask("SELECT count(*) FROM sancho_sessions"), "20");
  EXPECT_EQ(wire->connections(), 1);
}

TEST_F(AsyncPostgresqlLanes, NothingRunsWhileNobodyAsks) {
  asio::io_context loop;
  const auto store = with_a_record(loop);
  Ended ended;
  begin(loop, store->load(key_of("a"), soon()), ended);
  loop.restart();
  loop.run();  // until nothing is left to be done
  EXPECT_EQ(ended.how, "done") << ended.why;
  EXPECT_TRUE(loop.stopped());
}

TEST_F(AsyncPostgresqlLanes, MoreThanMayWaitFailAtOnceAndWereNotDone) {
  asio::io_context loop;
  const auto store = with_a_record(loop, {.connections = 1}, {.max_waiting = 4});
  RowLock lock(*place, key_of("a"));
  std::vector<Ended> some(4);
  for (auto& each : some) begin(loop, touch(store, "a"), each);
  ASSERT_TRUE(run_until(loop, [&] { return lock.held_up() == 1; }));
  Ended fifth;
  begin(loop, store->create(key_of("b"), record_of_now(), soon()), fifth);
  loop.poll();
  EXPECT_EQ(fifth.how, "unavailable");
  EXPECT_FALSE(fifth.maybe_done);
  EXPECT_NE(fifth.why.find("max_waiting"), std::string::npos) << fifth.why;
  lock.release();
  loop.restart();
  loop.run();
  for (const auto& each : some) EXPECT_EQ(each.how, "done") << each.why;
  EXPECT_EQ(place->ask("SELECT count(*) FROM sancho_sessions"), "1");
}

TEST_F(AsyncPostgresqlLanes, WhoWaitsForARowHoldsUpNobodyOnAnotherConnection) {
  asio::io_context loop;
  const auto store = with_a_record(loop, {.connections = 2});
  RowLock lock(*place, key_of("a"));
  std::vector<Ended> stuck(4);
  for (auto& each : stuck) begin(loop, touch(store, "a"), each);
  // Another connection is opened for those who are still to come. Who comes
  // before it is there stands behind the others.
  std::deque<Ended> loads;
  auto next = Deadline::Steady::now();
  EXPECT_TRUE(run_until(loop, [&] {
    if (std::ranges::any_of(loads, [](const Ended& each) { return each.how == "done"; })) return true;
    if (loads.size() >= 60 || Deadline::Steady::now() < next) return false;  // one takes 64
    next = Deadline::Steady::now() + 200ms;
    begin(loop, store->load(key_of("a"), soon()), loads.emplace_back());
    return false;
  }));
  EXPECT_EQ(stuck[0].how, "");
  lock.release();
  loop.restart();
  loop.run();
  for (const auto& each : stuck) EXPECT_EQ(each.how, "done") << each.why;
  for (const auto& each : loads) EXPECT_EQ(each.how, "done") << each.why;
  EXPECT_EQ(wire->connections(), 2);
}

// The store keeps the time itself: no timer runs beside it.
TEST_F(AsyncPostgresqlLanes, WhoIsLateBehindARowLeavesAConnectionThatTheServerForgets) {
  asio::io_context loop, another;
  const auto store = with_a_record(loop);
  EXPECT_TRUE(store->punctual(loop));
  EXPECT_FALSE(store->punctual(another)) << "whose timers need not run";
  RowLock lock(*place, key_of("a"));
  Ended late, loaded;
  begin(loop, touch(store, "a", Deadline::after(200ms)), late);
  EXPECT_TRUE(run_until(loop, [&] { return !late.how.empty(); }));
  EXPECT_EQ(late.how, "unavailable");
  EXPECT_TRUE(late.maybe_done);
  run(loop, tell(store->load(key_of("a"), soon()), loaded));
  EXPECT_EQ(loaded.how, "done") << "over another connection: " << loaded.why;
  EXPECT_EQ(wire->connections(), 2);
  EXPECT_TRUE(run_until(loop, [&] { return lock.held_up() == 0; }));
  lock.release();
}

// ## Connections that break

TEST_F(AsyncPostgresqlLanes, AConnectionThatBreaksLeavesWritesInDoubtAndReadsGoAgain) {
  asio::io_context loop;
  const auto store = with_a_record(loop);
  RowLock lock(*place, key_of("a"));
  std::vector<Ended> touches(3), loads(10);
  for (auto& each : touches) begin(loop, touch(store, "a"), each);
  for (auto& each : loads) begin(loop, store->load(key_of("a"), soon()), each);
  ASSERT_TRUE(run_until(loop, [&] { return lock.held_up() == 1; }));
  wire->cut();
  loop.restart();
  loop.run();
  for (const auto& each : touches) {
    EXPECT_EQ(each.how, "unavailable");
    EXPECT_TRUE(each.maybe_done) << each.why;
  }
  for (const auto& each : loads) EXPECT_EQ(each.how, "done") << each.why;
  EXPECT_EQ(wire->connections(), 2);
  lock.release();
}

// Its last words say that the first was not done, and those behind were not begun.
TEST_F(AsyncPostgresqlLanes, WhatAServerThatSaysFarewellHadNotBegunIsDoneOverAnotherConnection) {
  asio::io_context loop;
  const auto store = with_a_record(loop);
  RowLock lock(*place, key_of("a"));
  std::vector<Ended> calls(8);
  for (std::size_t i = 0; i < calls.size(); ++i) begin(loop, touch(store, "a"), calls[i]);
  Ended created;
  begin(loop, store->create(key_of("b"), record_of_now(), soon()), created);
  ASSERT_TRUE(run_until(loop, [&] { return lock.held_up() == 1; }));
  EXPECT_EQ(lock.raw.ask("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pg_blocking_pids(pid) @> "
                         "ARRAY[pg_backend_pid()]"),
            "1");
  ASSERT_TRUE(run_until(loop, [&] { return wire->connections() == 2 && lock.held_up() == 1; }));
  lock.release();
  loop.restart();
  loop.run();
  for (const auto& each : calls) EXPECT_EQ(each.how, "done") << each.why;
  EXPECT_EQ(created.how, "done") << created.why;
}

TEST_F(AsyncPostgresqlLanes, AttemptsToConnectPauseMoreAndMore) {
  asio::io_context loop;
  const auto store = with_a_record(loop);
  wire->lose_questions(true);
  wire->cut();
  const auto over = Deadline::after(1s);
  int failed = 0;
  while (!over.passed()) {
    Ended ended;
    run(loop, tell(store->load(key_of("a"), soon()), ended));
    failed += ended.how == "unavailable";
  }
  EXPECT_GT(failed, 1);
  EXPECT_LT(wire->connections(), 12) << "50 ms, 100 ms, 200 ms, ... and a part less by chance";
  wire->lose_questions(false);
  Ended ended;
  run(loop, tell(store->load(key_of("a"), soon()), ended));
  EXPECT_EQ(ended.how, "done") << ended.why;
}

TEST_F(AsyncPostgresqlLanes, AHostThatIsANameIsLookedUp) {
  asio::io_context loop;
  auto named = uri();
  named.replace(named.find("127.0.0.1"), 9, "localhost");
  Store store;
  run(loop, [](Store& out, std::string at) -> awaitable<void> {
    out = co_await open_async_postgresql_store(at);
  }(store, named));
  Ended loaded, nowhere;
  run(loop, tell(store->load(key_of("a"), soon()), loaded));
  EXPECT_EQ(loaded.how, "done") << loaded.why;
  run(loop, tell(open_async_postgresql_store("postgresql://nobody.invalid/shop"), nowhere));
  EXPECT_EQ(nowhere.how, "unavailable");
  EXPECT_NE(nowhere.why.find("nobody.invalid cannot be found"), std::string::npos) << nowhere.why;
}

// ## Ends, in every order

TEST_F(AsyncPostgresqlLanes, StoreAndLoopMayGoInAnyOrderWithCallsUnderWay) {
  for (const bool loop_first : {true, false}) {
    auto loop = std::make_unique<asio::io_context>();
    auto store = AsyncPostgresqlTest::open(*loop);
    if (loop_first) {
      Ended ended;
      run(*loop, tell(store->create(key_of("a"), record_of_now(), soon()), ended));
    }
    RowLock lock(*place, key_of("a"));
    std::vector<Ended> some(5);
    for (auto& each : some) begin(*loop, touch(store, "a"), each);
    ASSERT_TRUE(run_until(*loop, [&] { return lock.held_up() == 1; }));
    if (loop_first) loop.reset();
    store.reset();
    lock.release();
    if (!loop_first) loop->restart(), loop->run();
    for (const auto& each : some) EXPECT_EQ(each.how, loop_first ? "" : "done") << each.why;
  }
}

TEST_F(AsyncPostgresqlLanes, WhoWaitsOnAnotherLoopIsToldWhenThatOfTheStoreIsGone) {
  auto home = std::make_unique<asio::io_context>();
  asio::io_context elsewhere;
  const auto store = with_a_record(*home);
  RowLock lock(*place, key_of("a"));
  Ended early, late;
  begin(elsewhere, touch(store, "a"), early);
  ASSERT_TRUE(run_until(elsewhere, [&] {
    home->restart();
    home->poll();
    return lock.held_up() == 1;
  }));
  home.reset();
  EXPECT_TRUE(run_until(elsewhere, [&] { return !early.how.empty(); }));
  EXPECT_EQ(early.how, "unavailable") << early.why;
  EXPECT_TRUE(early.maybe_done);
  begin(elsewhere, touch(store, "a"), late);
  EXPECT_TRUE(run_until(elsewhere, [&] { return !late.how.empty(); }));
  EXPECT_EQ(late.how, "unavailable") << late.why;
  EXPECT_FALSE(late.maybe_done);
  lock.release();
}

awaitable<void> load_often(Store store, int times) {
  const auto key = key_of("a");
  for (int i = 0; i < times; ++i) (void)co_await store->load(key, soon());
}

// Answers come on one thread while the loop of those who wait goes away on another.
TEST_F(AsyncPostgresqlLanes, AnAnswerThatComesWhileTheLoopIsDestroyedHurtsNobody) {
  asio::thread_pool home(1);
  const auto store =
      asio::co_spawn(home, open_async_postgresql_store(uri(), {.connections = 2}), asio::use_future).get();
  for (int round = 0; round < 100; ++round) {
    asio::io_context loop;
    for (int i = 0; i < 20; ++i) asio::co_spawn(loop, load_often(store, 5), asio::detached);
    loop.poll();
    for (int i = 0; i < round % 20; ++i) loop.run_one_for(1ms);
  }
  // And the store goes on.
  EXPECT_FALSE(asio::co_spawn(home, store->load(key_of("a"), soon()), asio::use_future).get());
}

TEST_F(AsyncPostgresqlLanes, AChildOfAForkIsRefusedAndDoesTheParentNoHarm) {
  asio::io_context loop;
  auto store = with_a_record(loop);
  const pid_t child = ::fork();
  if (child == 0) {
    asio::io_context own;
    Ended ended;
    run(own, tell(store->load(key_of("a"), soon()), ended));
    store.reset();
    ::_exit(ended.how == "refused" ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  Ended ended;
  run(loop, tell(store->load(key_of("a"), soon()), ended));
  EXPECT_EQ(ended.how, "done") << ended.why;
  EXPECT_EQ(wire->connections(), 1);
}

TEST(AsyncPostgresql, OptionsThatCannotBeAreToldBeforeAnythingIsAwaited) {
  EXPECT_THROW((void)open_async_postgresql_store("postgresql://host/shop?no_such=1"), ConfigError);
  EXPECT_THROW((void)open_async_postgresql_store("postgresql://host", {.name_space = "A"}), ConfigError);
  EXPECT_THROW((void)open_async_postgresql_store("postgresql://host", {.connections = 0}), ConfigError);
  EXPECT_THROW((void)open_async_postgresql_store("postgresql://host", {}, {.max_waiting = 0}), ConfigError);
}

}  // namespace
}  // namespace sancho::postgresql_test
