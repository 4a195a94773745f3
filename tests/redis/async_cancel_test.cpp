// Calls that are cancelled, on a real server: everybody gets the answer to what
// was asked, and not another's.
#include "../async/loop.hpp"
#include "../support/rounds.hpp"
#include "../support/skip.hpp"
#include "place.hpp"
#include "sancho/async/redis.hpp"
#include "sessions.hpp"

namespace sancho::test {
namespace {

using Store = std::shared_ptr<AsyncSessionStore>;

struct Tally {
  std::atomic<int> right = 0, wrong = 0, cancelled = 0, failed = 0;
};

// Loads one of the sessions, which all differ, and looks whether it is that one.
awaitable<void> load(Store store, const SessionKey& key, const Record& record, Tally& tally) {
  try {
    const auto found = co_await store->load(key, in_time());
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
    auto turns = chance() % 6;
    for (; turns > 0 && !*over; --turns) co_await yield();
    if (chance() % 2 == 0) stop.emit(asio::cancellation_type::terminal);
    while (!*over) co_await yield();
  }
}

class AsyncRedisCancellation : public testing::TestWithParam<std::size_t> {};

TEST_P(AsyncRedisCancellation, ACancelledCallShiftsNobodysAnswer) {
  if (server_uri("REDIS").empty()) SANCHO_SKIP("there is no server: run it by tests/servers/with_server.py");
  const auto first = seed();
  RedisPlace place("REDIS");
  asio::thread_pool loop(GetParam());
  const auto store = asio::co_spawn(loop, open_async_redis_store(place.options()), asio::use_future).get();
  std::vector<Session> sessions;
  for (int i = 0; i < 16; ++i) {
    sessions.push_back(
        {SessionKey::of("test", SessionId::draw(system_random())), session_of({}, "of " + std::to_string(i))});
    asio::co_spawn(loop, store->create(sessions.back().key, sessions.back().record, in_time()), asio::use_future).get();
  }
  Tally tally;
  std::vector<std::future<void>> all;
  for (std::uint64_t i = 0; i < 32; ++i)
    all.push_back(asio::co_spawn(asio::make_strand(loop),
                                 visit(store, sessions, first + i, std::max(1, rounds() / 5), tally),
                                 asio::use_future));
  for (auto& each : all) each.get();
  EXPECT_EQ(tally.wrong, 0) << "SANCHO_SEED=" << first;
  EXPECT_EQ(tally.failed, 0) << "SANCHO_SEED=" << first;
  EXPECT_GT(tally.right, 0);
  EXPECT_GT(tally.cancelled, 0);
}

INSTANTIATE_TEST_SUITE_P(Threads, AsyncRedisCancellation, testing::Values(1u, 3u),
                         [](const auto& threads) { return std::to_string(threads.param); });

}  // namespace
}  // namespace sancho::test
