// Loops and threads that end while requests are under way. AddressSanitizer
// watches these best: nothing may leak, or be used when it is gone.
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include "../support/misuse.hpp"
#include "held_store.hpp"
#include "sancho/async/on_executor.hpp"
#include "shop.hpp"
#include "waiting_store.hpp"

namespace sancho::test {
namespace {
using namespace std::chrono_literals;

// Requests that hang at each of their waits: in the store's calls, and between
// them in something of the handler's own.
awaitable<void> hang(AsyncShop& shop, Browser& b, int& begun) {
  auto scope = co_await shop.start(b);
  ++scope->visits;
  ++begun;
  co_await for_ever();
  co_await scope.finish();
}
awaitable<void> finish(AsyncShop& shop, Browser& b, int& begun) {
  auto scope = co_await shop.start(b);
  ++scope->visits;
  scope->set_user("ada");
  ++begun;
  co_await scope.finish();
}

TEST(AsyncShutdown, RequestsThatAreTornDownSaveNothingAndBreakNoRule) {
  for (const auto at : {Step::load, Step::epochs, Step::create, Step::commit}) {
    AsyncShop shop;
    Browser b;
    run(shop.visit(b, [](VisitSession& s) { ++s.visits; }));
    shop.ear.clear();
    shop.store->before = [at](Step step, int) -> awaitable<void> {
      if (step == at) co_await for_ever();
    };
    int begun = 0;
    {
      asio::io_context loop;
      for (int i = 0; i < 3; ++i) {
        asio::co_spawn(loop, hang(shop, b, begun), asio::detached);
        asio::co_spawn(loop, finish(shop, b, begun), asio::detached);
      }
      // As far as it goes.
      while (loop.poll() > 0) {
      }
    }
    EXPECT_EQ(begun, at == Step::load ? 0 : 6);
    EXPECT_TRUE(shop.ear.heard.empty());
    run([&]() -> awaitable<void> {
      const auto seen = co_await shop.look(b);
      EXPECT_EQ(seen.visits, 1);
      EXPECT_EQ(seen.user, "");
    }());
  }
}

TEST(AsyncShutdown, TheManagerMayGoBeforeTheLoop) {
  asio::io_context loop;
  auto shop = std::make_unique<AsyncShop>();
  Browser b;
  run(loop, shop->visit(b, [](VisitSession& s) { ++s.visits; }));
  shop->store->before = [](Step, int) { return for_ever(); };
  int begun = 0;
  asio::co_spawn(loop, finish(*shop, b, begun), asio::detached);
  loop.restart();
  while (loop.poll() > 0) {
  }
  EXPECT_GT(shop->store->calls(), 1);
  shop.reset();
}

// The threads are in the middle of calls when the loop that waits for them is
// destroyed, and are joined afterwards; or the other way round.
TEST(AsyncShutdown, TheLoopAndTheThreadsEndInWhateverOrder) {
  for (const bool loop_first : {true, false}) {
    const auto held = std::make_shared<HeldStore>();
    auto threads = std::make_unique<asio::thread_pool>(2);
    AsyncShop shop(plain_policy(), on_executor(held, threads->get_executor()));
    Browser b;
    auto loop = std::make_unique<asio::io_context>();
    run(*loop, shop.visit(b, [](VisitSession& s) { ++s.visits; }));
    held->hold();
    const int before = held->begun();
    int begun = 0;
    for (int i = 0; i < 5; ++i) asio::co_spawn(*loop, hang(shop, b, begun), asio::detached);
    loop->restart();
    while (loop->poll() > 0) {
    }
    held->wait_for(before + 2);
    if (loop_first) {
      loop.reset();
      held->release();
      threads->join();
      threads.reset();
    } else {
      held->release();
      threads->stop();
      threads->join();
      threads.reset();
      loop.reset();
    }
    EXPECT_EQ(begun, 0);
    EXPECT_EQ(shop.ear.count(EventKind::unfinished), 0u);
  }
}

// ## Clients that leave

struct CountedSession : VisitSession {
  explicit CountedSession(const SessionContext& context) : VisitSession(context) { ++alive; }
  ~CountedSession() override { --alive; }
  static inline std::atomic<int> alive = 0;
};

// A request whose body follows when its session is there already.
awaitable<void> serve(asio::ip::tcp::socket client, AsyncSessionManager<CountedSession>& sessions, const Browser& b,
                      std::size_t body) {
  const auto header = b.header();
  const std::string_view line = header;
  auto scope = co_await sessions.start_request({.cookies = {&line, 1}});
  ++scope->visits;
  scope->set_user("eve");
  std::string text(body, ' ');
  co_await asio::async_read(client, asio::buffer(text), asio::use_awaitable);
  co_await scope.finish();
  co_await asio::async_write(client, asio::buffer("done", 4), asio::use_awaitable);
}

TEST(AsyncClients, OneThatLeavesInTheMiddleSavesNothingAndLeavesNothingBehind) {
  AsyncShop shop;
  Told told;
  AsyncSessionManager<CountedSession> sessions(shop.store, plain_policy(),
                                               {.clock = shop.clock, .observer = &shop.ear});
  Browser b;
  run(shop.visit(b, [](VisitSession& s) { s.set_user("ada"); }));
  shop.ear.clear();
  shop.store->before = [](Step, int) { return pause(1ms); };
  asio::io_context loop;
  asio::ip::tcp::acceptor acceptor(loop, {asio::ip::make_address("127.0.0.1"), 0});
  const std::size_t body = 10;
  for (std::size_t sent = 0; sent < body; ++sent)
    run(loop, [&]() -> awaitable<void> {
      const auto executor = co_await asio::this_coro::executor;
      asio::ip::tcp::socket client(executor);
      co_await client.async_connect(acceptor.local_endpoint(), asio::use_awaitable);
      auto accepted = co_await acceptor.async_accept(asio::use_awaitable);
      std::string ended;
      asio::co_spawn(executor, serve(std::move(accepted), sessions, b, body),
                     [&](std::exception_ptr e) { ended = how(e); });
      while (CountedSession::alive == 0) co_await pause(1ms);
      const std::string part(sent, 'x');
      co_await asio::async_write(client, asio::buffer(part), asio::use_awaitable);
      client.close();
      while (ended.empty()) co_await pause(1ms);
      EXPECT_EQ(ended, "threw");  // the end of the stream
      EXPECT_EQ(CountedSession::alive, 0);
    }());
  EXPECT_TRUE(shop.ear.heard.empty());
  EXPECT_TRUE(told.rules().empty());
  run([&]() -> awaitable<void> {
    const auto seen = co_await shop.look(b);
    EXPECT_EQ(seen.user, "ada");
    EXPECT_EQ(seen.visits, 0);
    EXPECT_EQ(shop.store->inner().scan()->count(Deadline::after(5s)), 1u);
  }());
}

// Rung again and again while the loop goes away.
TEST(AsyncShutdown, AnAnswerThatComesWhileTheLoopIsDestroyedHurtsNobody) {
  for (int round = 0; round < 100; ++round) {
    asio::thread_pool threads(1);
    const auto store = on_executor(std::make_shared<WaitingStore>(), threads.get_executor(), {.max_waiting = 1000});
    asio::io_context loop;
    for (int i = 0; i < 20; ++i)
      asio::co_spawn(loop, store->load(SessionKey::of("", SessionId::draw(system_random())), Deadline::after(60s)),
                     asio::detached);
    loop.poll();
    for (int i = 0; i < round % 20; ++i) loop.run_one_for(1ms);
    // And the store goes on, for whoever waits elsewhere.
    asio::io_context another;
    auto found =
        asio::co_spawn(another, store->load(SessionKey::of("", SessionId::draw(system_random())), Deadline::after(60s)),
                       asio::use_future);
    another.run();
    ASSERT_EQ(found.get(), std::nullopt) << "round " << round;
  }
}

}  // namespace
}  // namespace sancho::test
