// Connections that are shared, on a server that does as it is told.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "async_lane_calls.hpp"
#include "sancho/async/manager.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;

TEST(AsyncRedis, CallsOfManyCoroutinesLeaveInFewPacketsOverOneConnection) {
  FakeRedis server;
  asio::io_context loop;
  const auto store = open(loop, server.options());
  const auto before = server.counts();
  int done = 0;
  for (int i = 0; i < 64; ++i) asio::co_spawn(loop, load_often(store, 20, done), asio::detached);
  loop.restart();
  loop.run();
  const auto after = server.counts();
  EXPECT_EQ(done, 64 * 20);
  EXPECT_EQ(after.commands - before.commands, 64u * 20u);
  EXPECT_LT(after.packets - before.packets, 64u * 20u / 8u);
  EXPECT_EQ(after.connections, 1u);
}

// `go_on` never waits, so no timer and no answer can have been waited for.
TEST(AsyncRedis, WhatIsAskedLeavesAtOnceAndWaitsForNoTimer) {
  FakeRedis server;
  asio::io_context loop;
  const auto store = open(loop, server.options());
  server.hold("GET");
  Ended one, two;
  asio::co_spawn(loop, load(store, in_time(), one), asio::detached);
  go_on(loop);
  EXPECT_TRUE(server.has_got("GET", 1));
  asio::co_spawn(loop, load(store, in_time(), two), asio::detached);
  go_on(loop);
  EXPECT_TRUE(server.has_got("GET", 2)) << "nor does one wait for another's answer";
  server.release();
  loop.restart();
  loop.run();
  EXPECT_EQ(one.how, "done");
  EXPECT_EQ(two.how, "done");
}

TEST(AsyncRedis, NothingRunsWhileNobodyAsks) {
  FakeRedis server;
  asio::io_context loop;
  const auto store = open(loop, server.options());
  Ended ended;
  asio::co_spawn(loop, load(store, in_time(), ended), asio::detached);
  loop.restart();
  loop.run();  // until nothing is left to be done, as long as that takes
  EXPECT_EQ(ended.how, "done");
  EXPECT_TRUE(loop.stopped());
}

// A server that closes an idle connection may say so; what it says is no answer.
TEST(AsyncRedis, AConnectionThatIsOfNoUseAnyMoreIsReplacedBeforeAnythingIsSent) {
  FakeRedis server;
  asio::io_context loop;
  const auto store = open(loop, server.options());
  for (const bool hang_up : {false, true}) {
    server.say("-ERR goodbye\r\n");
    if (hang_up) server.hang_up();
    Ended ended;
    run(loop, commit(store, in_time(), ended));
    EXPECT_EQ(ended.how, "done");
  }
  EXPECT_EQ(server.counts().connections, 3u);
}

TEST(AsyncRedis, AConnectionThatBreaksLeavesWritesInDoubtAndReadsGoAgain) {
  FakeRedis server;
  asio::io_context loop;
  const auto store = open(loop, server.options());
  server.hold("GET");
  std::vector<Ended> loads(10), commits(3);
  for (auto& each : loads) asio::co_spawn(loop, load(store, in_time(), each), asio::detached);
  for (auto& each : commits) asio::co_spawn(loop, commit(store, in_time(), each), asio::detached);
  go_on(loop);
  ASSERT_TRUE(server.has_got("EVALSHA", 3));
  server.release();
  server.hold("EVALSHA");  // what was held is answered only if it is still there
  server.hang_up();
  loop.restart();
  loop.run();
  for (const auto& each : commits) {
    EXPECT_TRUE(is_unavailable(each) && each.maybe_done) << each.how;
  }
  for (const auto& each : loads) EXPECT_EQ(each.how, "done");
}

TEST(AsyncRedis, MoreThanMayWaitFailAtOnceAndWereNotDone) {
  FakeRedis server;
  asio::io_context loop;
  const auto store = open(loop, server.options(), {.max_waiting = 4});
  server.hold("GET");
  std::vector<Ended> some(4);
  for (auto& each : some) asio::co_spawn(loop, load(store, in_time(), each), asio::detached);
  go_on(loop);
  Ended fifth;
  asio::co_spawn(loop, commit(store, in_time(), fifth), asio::detached);
  go_on(loop);
  EXPECT_TRUE(is_unavailable(fifth) && !fifth.maybe_done) << fifth.how;
  EXPECT_NE(fifth.how.find("max_waiting"), std::string::npos) << fifth.how;
  server.release();
  loop.restart();
  loop.run();
  for (const auto& each : some) EXPECT_EQ(each.how, "done");
}

TEST(AsyncRedis, AFrozenServerHoldsNobodyUpBeyondTheDeadlineAndIsLeftForANewConnection) {
  FakeRedis server;
  asio::io_context loop;
  auto options = server.options();
  options.connect_timeout = 200ms;
  const auto store = open(loop, options);
  server.hold("GET");
  Ended loaded, committed, patient;
  const auto begin = Deadline::Steady::now();
  asio::co_spawn(loop, load(store, in(50ms), loaded), asio::detached);
  asio::co_spawn(loop, commit(store, in(50ms), committed), asio::detached);
  asio::co_spawn(loop, load(store, in_time(), patient), asio::detached);
  loop.restart();
  while (loaded.how.empty() || committed.how.empty()) loop.run_one();
  EXPECT_LT(Deadline::Steady::now() - begin, 10s);
  EXPECT_TRUE(is_unavailable(loaded) && !loaded.maybe_done) << loaded.how;
  EXPECT_TRUE(is_unavailable(committed) && committed.maybe_done) << committed.how;
  // It stays frozen until the connection was given up.
  while (server.counts().connections < 2) loop.run_one_for(20ms);
  server.release();
  loop.run();
  EXPECT_EQ(patient.how, "done");
}

TEST(AsyncRedis, WhatHadToWaitForAConnectionIsNotInDoubt) {
  FakeRedis server;
  asio::io_context loop;
  const auto store = open(loop, server.options());
  server.say("-ERR goodbye\r\n");
  server.hang_up();
  server.hold("CLIENT");  // the first word on a connection
  Ended ended;
  run(loop, commit(store, in(50ms), ended));
  EXPECT_TRUE(is_unavailable(ended) && !ended.maybe_done) << ended.how;
}

TEST(AsyncRedis, ACallThatWaitsForReplicasHoldsUpNobodyElse) {
  FakeRedis server;
  asio::io_context loop;
  auto options = server.options();
  options.wait = 1;
  options.connections = 3;
  const auto store = open(loop, options);
  server.hold("WAIT");
  std::vector<Ended> commits(8);
  for (auto& each : commits) asio::co_spawn(loop, commit(store, in_time(), each), asio::detached);
  Ended loaded;
  run(loop, load(store, in_time(), loaded));
  EXPECT_EQ(loaded.how, "done");
  server.release();
  loop.restart();
  loop.run();
  for (const auto& each : commits) EXPECT_EQ(each.how, "done");
  EXPECT_EQ(server.counts().connections, 3u);
}

// ## Requests over it

struct Shop : Session {
  using Session::Session;
  Counter visits{*this, "visits"};
};
using Shops = AsyncSessionManager<Shop>;

Policy patient_for(Duration time) {
  Policy policy;
  policy.store_timeout = time;
  policy.store_must.keeps = false;  // the server says nothing of its settings
  return policy;
}

awaitable<void> first_visit(Shops& shops, std::string& cookie) {
  const Request stranger;
  auto scope = co_await shops.start_request(stranger);
  ++scope->visits;
  const auto lines = co_await scope.finish();
  cookie = lines.front().value.substr(0, lines.front().value.find(';'));
}

awaitable<void> visit(Shops& shops, std::string_view cookie) {
  Request request;
  request.cookies = {&cookie, 1};
  auto scope = co_await shops.start_request(request);
  (void)co_await scope.finish();
}

// The store keeps the time itself: no timer runs beside it.
TEST(AsyncRedis, ARequestEndsAtItsDeadlineAndAtOnceWhenItIsCancelled) {
  FakeRedis server;
  asio::io_context loop;
  const auto store = open(loop, server.options());
  asio::io_context another;
  ASSERT_TRUE(store->punctual(loop));
  ASSERT_FALSE(store->punctual(another)) << "whose timers need not run";
  Shops hasty(store, patient_for(50ms)), patient(store, patient_for(30s));
  std::string cookie;
  run(loop, first_visit(patient, cookie));
  server.hold("GET");
  std::string late, cancelled;
  const auto begin = Deadline::Steady::now();
  asio::cancellation_signal stop;
  asio::co_spawn(loop, visit(hasty, cookie), [&](std::exception_ptr e) { late = how(e); });
  asio::co_spawn(loop, visit(patient, cookie),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e) { cancelled = how(e); }));
  loop.restart();
  while (late.empty()) loop.run_one();
  EXPECT_EQ(late, "unavailable");
  EXPECT_LT(Deadline::Steady::now() - begin, 10s);
  EXPECT_EQ(cancelled, "");
  stop.emit(asio::cancellation_type::terminal);
  go_on(loop);
  EXPECT_EQ(cancelled, "cancelled");
}

// A question that is taken back before it was sent leaves nothing that runs.
TEST(AsyncRedis, WhatIsTakenBackBeforeItIsSentKeepsNoLoopRunning) {
  FakeRedis server;
  asio::io_context loop;
  const auto store = open(loop, server.options());
  const auto before = server.counts().commands;
  Ended answered;
  asio::cancellation_signal stop;
  std::string cancelled;
  // Asks as soon as the other is answered, and is cancelled in the same turn.
  const auto one_after_the_other = [](Store of, Ended& ended, asio::cancellation_signal& signal) -> awaitable<void> {
    co_await load(of, in_time(), ended);
    const auto executor = co_await asio::this_coro::executor;
    asio::post(executor, [&signal] { signal.emit(asio::cancellation_type::terminal); });
    const auto key = some_key();
    (void)co_await of->load(key, in_time());
  };
  asio::co_spawn(loop, one_after_the_other(store, answered, stop),
                 asio::bind_cancellation_slot(stop.slot(), [&](std::exception_ptr e) { cancelled = how(e); }));
  const auto begin = Deadline::Steady::now();
  loop.restart();
  loop.run();
  EXPECT_EQ(answered.how, "done");
  EXPECT_EQ(cancelled, "cancelled");
  EXPECT_LT(Deadline::Steady::now() - begin, 10s);
  EXPECT_EQ(server.counts().commands - before, 1u) << "it was sent, so this tries nothing";
}

// ## Ends, in every order

TEST(AsyncRedis, StoreAndLoopMayGoInAnyOrderWithCallsUnderWay) {
  for (const bool loop_first : {true, false}) {
    FakeRedis server;
    auto loop = std::make_unique<asio::io_context>();
    auto store = open(*loop, server.options());
    server.hold("GET");
    std::vector<Ended> some(5);
    for (auto& each : some) asio::co_spawn(*loop, load(store, in_time(), each), asio::detached);
    go_on(*loop);
    if (loop_first) loop.reset();
    store.reset();
    if (!loop_first) server.release(), loop->restart(), loop->run();
    for (const auto& each : some) EXPECT_EQ(each.how, loop_first ? "" : "done");
  }
}

TEST(AsyncRedis, WhoWaitsOnAnotherLoopIsToldWhenThatOfTheStoreIsGone) {
  FakeRedis server;
  auto home = std::make_unique<asio::io_context>();
  asio::io_context elsewhere;
  const auto store = open(*home, server.options());
  server.hold("GET");
  Ended early, late;
  asio::co_spawn(elsewhere, load(store, in_time(), early), asio::detached);
  go_on(elsewhere);
  go_on(*home);
  ASSERT_TRUE(server.has_got("GET", 1));
  home.reset();
  go_on(elsewhere);
  EXPECT_TRUE(is_unavailable(early)) << early.how;
  asio::co_spawn(elsewhere, load(store, in_time(), late), asio::detached);
  go_on(elsewhere);
  EXPECT_TRUE(is_unavailable(late)) << late.how;
  Ended later;
  asio::co_spawn(elsewhere, load(store, in_time(), later), asio::detached);
  go_on(elsewhere);
  EXPECT_TRUE(is_unavailable(later)) << later.how;
}

TEST(AsyncRedis, NoConnectionIsMadeOnALoopThatIsGone) {
  FakeRedis server;
  auto home = std::make_unique<asio::io_context>();
  asio::io_context elsewhere;
  const auto store = open(*home, server.options());
  home.reset();
  Ended late;
  asio::co_spawn(elsewhere, load(store, in_time(), late), asio::detached);
  go_on(elsewhere);
  EXPECT_TRUE(is_unavailable(late)) << late.how;
}

// Replies come on one thread while the loop of those who wait goes away on another.
TEST(AsyncRedis, AnAnswerThatComesWhileTheLoopIsDestroyedHurtsNobody) {
  FakeRedis server;
  asio::thread_pool home(1);
  const auto store = asio::co_spawn(home, open_async_redis_store(server.options()), asio::use_future).get();
  for (int round = 0; round < 200; ++round) {
    asio::io_context loop;
    int done = 0;
    for (int i = 0; i < 20; ++i) asio::co_spawn(loop, load_often(store, 5, done), asio::detached);
    loop.poll();
    for (int i = 0; i < round % 20; ++i) loop.run_one_for(1ms);
  }
  // And the store goes on, over the same connection.
  EXPECT_FALSE(asio::co_spawn(home, store->load(some_key(), in_time()), asio::use_future).get());
  EXPECT_EQ(server.counts().connections, 1u);
}

TEST(AsyncRedis, AChildOfAForkIsRefusedAndDoesTheParentNoHarm) {
  FakeRedis server;
  asio::io_context loop;
  auto store = open(loop, server.options());
  const pid_t child = ::fork();
  if (child == 0) {
    asio::io_context own;
    Ended ended;
    run(own, load(store, in_time(), ended));
    store.reset();
    ::_exit(ended.how.starts_with("refused: ") ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  Ended ended;
  run(loop, load(store, in_time(), ended));
  EXPECT_EQ(ended.how, "done");
  EXPECT_EQ(server.counts().connections, 1u);
}

TEST(AsyncRedis, OptionsThatCannotBeAreToldBeforeAnythingIsAwaited) {
  EXPECT_THROW((void)open_async_redis_store("redis://host/none"), ConfigError);
  EXPECT_THROW((void)open_async_redis_store(RedisOptions{}), ConfigError);
  EXPECT_THROW((void)open_async_redis_store("redis://host", {.max_waiting = 0}), ConfigError);
}

}  // namespace
}  // namespace sancho::test
