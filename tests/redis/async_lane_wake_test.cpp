// Who is answered together, and goes on together.
#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "async_lane_calls.hpp"

namespace sancho::test {
namespace {

// Where one thread runs the loop: no handler to each call.
TEST(AsyncRedis, ThoseWhoAreAnsweredTogetherGoOnInOneHandler) {
  FakeRedis server;
  asio::io_context loop;
  const auto store = open(loop, server.options());
  int done = 0;
  for (int i = 0; i < 16; ++i) asio::co_spawn(loop, load_often(store, 100, done), asio::detached);
  loop.restart();
  const auto handlers = loop.run();
  EXPECT_EQ(done, 16 * 100);
  EXPECT_LT(handlers, 16u * 100u / 2u);
}

awaitable<void> load_and_throw(Store store, int times, int& done) {
  co_await load_often(store, times, done);
  throw std::runtime_error("enough");
}

TEST(AsyncRedis, WhatOneOfThemThrowsComesOutOfTheLoopAndTheOthersGoOn) {
  FakeRedis server;
  asio::io_context loop;
  const auto store = open(loop, server.options());
  int done = 0, thrown = 0;
  const auto rethrow = [](const std::exception_ptr& e) {
    if (e) std::rethrow_exception(e);
  };
  for (int i = 0; i < 16; ++i)
    asio::co_spawn(loop, i % 5 == 0 ? load_and_throw(store, 50 + i, done) : load_often(store, 100, done), rethrow);
  loop.restart();
  for (bool more = true; more;) {
    try {
      loop.run();
      more = false;
    } catch (const std::runtime_error& e) {
      EXPECT_STREQ(e.what(), "enough");
      ++thrown;
    }
  }
  EXPECT_EQ(thrown, 4);
  EXPECT_EQ(done, 12 * 100 + 50 + 55 + 60 + 65);
}

// One that goes on within a handler may run the loop in there, and even wait for
// another that is answered only then.
TEST(AsyncRedis, OneOfThemMayRunTheLoopUntilAnotherIsAnswered) {
  FakeRedis server;
  asio::io_context loop;
  const auto store = open(loop, server.options());
  int done = 0, more = 0;
  for (int i = 0; i < 15; ++i) asio::co_spawn(loop, load_often(store, 100, done), asio::detached);
  const auto patient = [](Store from, asio::io_context& own, int& count) -> awaitable<void> {
    int first = 0;
    co_await load_often(from, 50, first);
    asio::co_spawn(own, load_often(from, 10, count), asio::detached);
    for (const auto until = in_time(); count < 10 && !until.passed();) own.poll();
  };
  asio::co_spawn(loop, patient(store, loop, more), asio::detached);
  loop.restart();
  loop.run();
  EXPECT_EQ(more, 10);
  EXPECT_EQ(done, 15 * 100);
}

TEST(AsyncRedis, SeveralThreadsMayRunTheLoopNowAndThen) {
  FakeRedis server;
  asio::io_context loop;
  const auto store = open(loop, server.options());
  for (const int threads : {1, 4, 1, 3}) {
    std::vector<int> done(32);
    for (auto& each : done) asio::co_spawn(asio::make_strand(loop), load_often(store, 30, each), asio::detached);
    std::vector<int> on_loop(32);
    for (auto& each : on_loop) asio::co_spawn(loop, load_often(store, 30, each), asio::detached);
    loop.restart();
    std::vector<std::thread> others;
    for (int i = 1; i < threads; ++i) others.emplace_back([&] { loop.run(); });
    loop.run();
    for (auto& each : others) each.join();
    EXPECT_EQ(done, std::vector<int>(32, 30));
    EXPECT_EQ(on_loop, std::vector<int>(32, 30));
  }
}

}  // namespace
}  // namespace sancho::test
