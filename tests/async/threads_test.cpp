// Coroutines on several threads, and several over one session.
#include <random>
#include <set>
#include <thread>

#include "../support/misuse.hpp"
#include "../support/rounds.hpp"
#include "shop.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;

// A store whose calls take a little longer now and then, before and after.
void dawdle(SlowStore& store) {
  const SlowStore::Hook hook = [](Step, int n) -> awaitable<void> {
    if (n % 3 == 0)
      co_await pause(std::chrono::microseconds(n % 7 * 50));
    else
      co_await yield();
  };
  store.before = store.after = hook;
}

// Runs all of them at once, on a loop of two threads.
std::vector<std::string> run_all(std::vector<awaitable<void>> coroutines) {
  asio::io_context loop;
  std::vector<std::string> ended(coroutines.size());
  for (std::size_t i = 0; i < coroutines.size(); ++i)
    asio::co_spawn(loop, std::move(coroutines[i]), [&ended, i](std::exception_ptr e) { ended[i] = how(e); });
  std::thread second([&] { loop.run(); });
  loop.run();
  second.join();
  return ended;
}

TEST(AsyncThreads, ASessionMayMoveFromThreadToThread) {
  Told told;
  AsyncShop shop;
  Browser b;
  std::set<std::thread::id> threads;
  // Goes on until the other thread has taken it.
  const auto move = [&]() -> awaitable<void> {
    const auto here = std::this_thread::get_id();
    threads.insert(here);
    while (std::this_thread::get_id() == here) co_await yield();
    threads.insert(std::this_thread::get_id());
  };
  const auto request = [&]() -> awaitable<void> {
    auto scope = co_await shop.start(b);
    co_await move();
    ++scope->visits;
    co_await move();
    scope->set_user("ada");
    co_await move();
    const auto lines = co_await scope.finish();
    b.take(lines);
  };
  std::vector<awaitable<void>> one;
  one.push_back(request());
  EXPECT_EQ(run_all(std::move(one)), std::vector<std::string>{"done"});
  EXPECT_EQ(threads.size(), 2u);
  EXPECT_EQ(told.rules(), std::vector<Rule>{});
  run([&]() -> awaitable<void> {
    const auto seen = co_await shop.look(b);
    EXPECT_EQ(seen.user, "ada");
    EXPECT_EQ(seen.visits, 1);
  }());
}

// ## P1, P2, P3

TEST(AsyncThreads, OverlappingRequestsOfOneSessionKeepEachOthersWrites) {
  AsyncShop shop;
  Browser b;
  run(shop.visit(b, [](VisitSession& s) { ++s.visits; }));
  dawdle(*shop.store);
  const int requests = 50;
  const auto add = [&](int i) -> awaitable<void> {
    auto scope = co_await shop.start(b);
    co_await yield();
    ++scope->visits;
    scope->set("n" + std::to_string(i), i);
    co_await scope.finish();
  };
  std::vector<awaitable<void>> all;
  for (int i = 0; i < requests; ++i) all.push_back(add(i));
  EXPECT_EQ(run_all(std::move(all)), std::vector<std::string>(requests, "done"));
  EXPECT_GT(shop.ear.count(EventKind::merged), 0u) << "what does not overlap proves nothing";
  run([&]() -> awaitable<void> {
    shop.store->reset();
    auto scope = co_await shop.start(b);
    EXPECT_EQ(scope->visits.value(), requests + 1);
    for (int i = 0; i < requests; ++i) EXPECT_EQ(scope->get<int>("n" + std::to_string(i)), i);
    scope.abort();
  }());
}

TEST(AsyncThreads, LogoutWinsOverWhatIsInFlight) {
  for (int round = 0; round < rounds() / 50; ++round) {
    AsyncShop shop;
    Browser b;
    run(shop.visit(b, [](VisitSession& s) { s.set_user("ada"); }));
    dawdle(*shop.store);
    const auto write = [&]() -> awaitable<void> {
      auto scope = co_await shop.start(b);
      ++scope->visits;
      if (round % 2) scope->renew_id();
      const auto lines = co_await scope.finish();
      (void)lines;
    };
    const auto log_out = [&]() -> awaitable<void> {
      auto scope = co_await shop.start(b);
      co_await scope.expire_session();
      co_await scope.finish();
    };
    std::vector<awaitable<void>> all;
    for (int i = 0; i < 4; ++i) all.push_back(write());
    all.push_back(log_out());
    for (int i = 0; i < 4; ++i) all.push_back(write());
    EXPECT_EQ(run_all(std::move(all)), std::vector<std::string>(9, "done"));
    EXPECT_EQ(shop.store->inner().subjects()->find_by_subject("ada", Deadline::after(5s)).size(), 0u);
  }
}

TEST(AsyncThreads, AFormTokenHasOneWinnerOfEight) {
  for (int round = 0; round < rounds() / 50; ++round) {
    AsyncShop shop;
    Browser b;
    std::string token;
    run(shop.visit(b, [&](VisitSession& s) { token = s.create_form_token(); }));
    dawdle(*shop.store);
    std::atomic<int> won = 0;
    const auto submit = [&]() -> awaitable<void> {
      auto scope = co_await shop.start(b);
      const auto claim = co_await scope.consume_form_token(token);
      if (claim) ++won;
      co_await scope.finish();
    };
    std::vector<awaitable<void>> all;
    for (int i = 0; i < 8; ++i) all.push_back(submit());
    EXPECT_EQ(run_all(std::move(all)), std::vector<std::string>(8, "done"));
    EXPECT_EQ(won, 1);
  }
}

// ## Two coroutines of one request

TEST(AsyncThreads, TwoOperationsOfOneScopeAtOnceAreCaught) {
  SANCHO_NEEDS_CHECKS();
  Told told;
  AsyncShop shop;
  Browser b;
  std::string token, second, touched;
  run([&]() -> awaitable<void> {
    co_await shop.visit(b, [&](VisitSession& s) { token = s.create_form_token(); });
    auto scope = co_await shop.start(b);
    const auto overlap = [&]() -> awaitable<void> {
      second = co_await how(scope.finish());
      try {
        ++scope->visits;
      } catch (...) {
        touched = how(std::current_exception());
      }
      EXPECT_TRUE(scope.abort().empty());
    };
    shop.store->before = [&](Step, int) { return overlap(); };
    const auto claim = co_await scope.consume_form_token(token);
    shop.store->reset();
    EXPECT_TRUE(claim) << "the one that was first goes on";
    ++scope->visits;
    co_await scope.finish();
    const auto seen = co_await shop.look(b);
    EXPECT_EQ(seen.visits, 1);
  }());
  EXPECT_NE(second.find("rule broken: two coroutines of one request"), std::string::npos) << second;
  EXPECT_NE(touched.find("rule broken: a session is used while its request waits"), std::string::npos) << touched;
  EXPECT_EQ(told.rules(), std::vector{Rule::one_at_a_time});  // the second operation is told in every build
}

// Stays inside one of its functions for as long as it is told to.
struct HeldSession : VisitSession {
  using VisitSession::VisitSession;
  std::size_t max_form_tokens() const override {
    if (inside) inside();
    return VisitSession::max_form_tokens();
  }
  static inline thread_local std::function<void()> inside;
};

TEST(AsyncThreads, ASessionThatTwoThreadsUseAtOnceIsCaught) {
  SANCHO_NEEDS_CHECKS();
  Told told;
  ManualClock clock;
  AsyncSessionManager<HeldSession> sessions(std::make_shared<SlowStore>(clock), plain_policy(), {.clock = clock});
  run([&]() -> awaitable<void> {
    auto scope = co_await sessions.start_request({});
    auto& session = *scope;
    std::string met = "done";
    const auto second = [&] {
      try {
        session.visits = 3;
      } catch (...) {
        met = how(std::current_exception());
      }
    };
    HeldSession::inside = [&] { std::thread(second).join(); };
    session.create_form_token();
    HeldSession::inside = {};
    EXPECT_EQ(met, "broke a rule: rule broken: two threads use a session at once");
    EXPECT_EQ(told.rules(), std::vector{Rule::one_at_a_time});
    EXPECT_EQ(session.visits.value(), 0) << "who comes second changes nothing";

    // One after the other is right, on whatever threads.
    std::thread(second).join();
    EXPECT_EQ(session.visits.value(), 3);
    EXPECT_EQ(told.rules(), std::vector<Rule>{});
    co_await scope.finish();
  }());
}

}  // namespace
}  // namespace sancho::test
