// Calls that are cancelled: everybody else gets the answer to what was asked, and
// not another's.
#include <atomic>
#include <random>

#include "../support/rounds.hpp"
#include "async_fixture.hpp"

namespace sancho::postgresql_test {
namespace {

class AsyncPostgresqlCancellation : public AsyncPostgresqlTest {};

// One connection takes 64 at once, and the first of them waits for a row.
TEST_F(AsyncPostgresqlCancellation, WhatHadBeenSentIsDoneAndWhatHadNotIsNot) {
  asio::io_context loop;
  const auto store = AsyncPostgresqlTest::open(loop);
  Ended created;
  run(loop, tell(store->create(key_of("a"), record_of_now(), soon()), created));
  RowLock lock(*place, key_of("a"));
  std::vector<Ended> some(63);
  Ended sent, unsent, behind;
  asio::cancellation_signal stop_sent, stop_unsent;
  begin(loop, store->touch(key_of("a"), 7, system_clock().now() + 1s, soon()), some[0]);
  begin(loop, store->create(key_of("sent"), record_of_now(), soon()), sent, stop_sent);
  for (std::size_t i = 1; i < some.size(); ++i) begin(loop, store->load(key_of("a"), soon()), some[i]);
  begin(loop, store->create(key_of("unsent"), record_of_now(), soon()), unsent, stop_unsent);
  begin(loop, store->load(key_of("a"), soon()), behind);
  ASSERT_TRUE(run_until(loop, [&] { return lock.held_up() == 1; }));
  stop_sent.emit(asio::cancellation_type::terminal);
  stop_unsent.emit(asio::cancellation_type::terminal);
  EXPECT_TRUE(run_until(loop, [&] { return !sent.how.empty() && !unsent.how.empty(); }));
  EXPECT_EQ(sent.how + " " + unsent.how, "cancelled cancelled") << "at once, whatever the server does";
  EXPECT_EQ(some[0].how, "");
  lock.release();
  loop.restart();
  loop.run();
  for (const auto& each : some) EXPECT_EQ(each.how, "done") << each.why;
  EXPECT_EQ(behind.how, "done") << behind.why;
  const auto there = [&](const std::string& name) {
    return place->ask("SELECT count(*) FROM sancho_sessions WHERE key = " + hex_of(key_of(name)));
  };
  EXPECT_EQ(there("sent"), "1");
  EXPECT_EQ(there("unsent"), "0");
  EXPECT_EQ(wire->connections(), 1);
}

struct Tally {
  std::atomic<int> right = 0, wrong = 0, cancelled = 0, failed = 0;
};

// Loads one of the sessions, which all differ, and looks whether it is that one.
awaitable<void> load(Store store, const SessionKey& key, const Record& record, Tally& tally) {
  try {
    const auto found = co_await store->load(key, soon());
    ++(found == record ? tally.right : tally.wrong);
  } catch (const boost::system::system_error&) {
    ++tally.cancelled;
  } catch (const StoreError&) {
    ++tally.failed;
  }
}

struct Session {
  SessionKey key;
  Record record;
};

// One after the other; many of them cancelled after a random number of turns.
awaitable<void> visit(Store store, const std::vector<Session>& sessions, std::uint64_t seed, int rounds, Tally& tally) {
  const auto executor = co_await asio::this_coro::executor;
  std::mt19937_64 chance(seed);
  for (int i = 0; i < rounds; ++i) {
    const auto& one = sessions[chance() % sessions.size()];
    asio::cancellation_signal stop;
    const auto over = std::make_shared<bool>(false);
    asio::co_spawn(executor, load(store, one.key, one.record, tally),
                   asio::bind_cancellation_slot(stop.slot(), [over](std::exception_ptr) { *over = true; }));
    for (auto turns = chance() % 6; turns > 0 && !*over; --turns) co_await test::yield();
    if (chance() % 2 == 0) stop.emit(asio::cancellation_type::terminal);
    while (!*over) co_await test::yield();
  }
}

TEST_F(AsyncPostgresqlCancellation, ACancelledCallShiftsNobodysAnswer) {
  const auto first = test::seed();
  for (const std::size_t threads : {1u, 3u}) {
    asio::thread_pool loop(threads);
    const auto store =
        asio::co_spawn(loop, open_async_postgresql_store(place->uri(), {.connections = 2}), asio::use_future).get();
    std::vector<Session> sessions;
    for (int i = 0; i < 16; ++i) {
      const auto name = std::to_string(threads) + " " + std::to_string(i);
      sessions.push_back({key_of(name), record_of_now("of " + name)});
      asio::co_spawn(loop, store->create(sessions.back().key, sessions.back().record, soon()), asio::use_future).get();
    }
    Tally tally;
    std::vector<std::future<void>> all;
    for (std::uint64_t i = 0; i < 32; ++i)
      all.push_back(asio::co_spawn(asio::make_strand(loop),
                                   visit(store, sessions, first + i, std::max(1, test::rounds() / 10), tally),
                                   asio::use_future));
    for (auto& each : all) each.get();
    EXPECT_EQ(tally.wrong, 0) << "SANCHO_SEED=" << first;
    EXPECT_EQ(tally.failed, 0) << "SANCHO_SEED=" << first;
    EXPECT_GT(tally.right, 0);
    EXPECT_GT(tally.cancelled, 0);
  }
}

}  // namespace
}  // namespace sancho::postgresql_test
