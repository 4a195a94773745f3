// Many threads, several processes, and a fork with the store open.
#include <thread>

#include "memcached_fixture.hpp"

namespace sancho::memcached_test {
namespace {

class MemcachedProcess : public MemcachedTest {
 protected:
  Server server;
  SessionKey key = key_of("counter");

  // Reads, adds one, commits; again where another was quicker.
  void add_one(SessionStore& store) {
    auto current = store.load(key, soon()).value();
    for (;;) {
      auto next = current;
      ++next.version.counter;
      next.payload = std::to_string(std::stoi(next.payload) + 1);
      const auto answer = store.commit(key, current.version, next, soon());
      if (std::holds_alternative<Done>(answer)) return;
      current = std::get<Conflict>(answer).current;
    }
  }
  static pid_t spawn(const auto& act) {
    const auto child = ::fork();
    if (child != 0) return child;
    try {
      act();
      ::_exit(0);
    } catch (const std::exception& e) {
      ::fprintf(stderr, "child: %s\n", e.what());
      ::_exit(1);
    }
  }
  static void expect_success(pid_t child) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
};

TEST_F(MemcachedProcess, NoUpdateIsLostBetweenManyThreads) {
  constexpr int threads = 8, each = 200;
  const auto store = open(server, {.connections = 3});
  put(*store, key, record("0"));
  {
    std::vector<std::jthread> crowd;
    for (int t = 0; t < threads; ++t)
      crowd.emplace_back([&] {
        for (int i = 0; i < each; ++i) add_one(*store);
      });
  }
  EXPECT_EQ(store->load(key, soon())->payload, std::to_string(threads * each));
}

TEST_F(MemcachedProcess, NoUpdateIsLostBetweenProcesses) {
  constexpr int each = 500;
  const auto store = open(server);
  put(*store, key, record("0"));
  const auto work = [&] {
    const auto mine = open(server);
    for (int i = 0; i < each; ++i) add_one(*mine);
  };
  const auto one = spawn(work), other = spawn(work);
  expect_success(one);
  expect_success(other);
  EXPECT_EQ(store->load(key, soon())->payload, std::to_string(2 * each));
}

// Both go on with the store that was open before, at the same time. If they
// shared a connection, answers would go astray.
TEST_F(MemcachedProcess, AfterAForkBothGoOnAndShareNoConnection) {
  constexpr int each = 300;
  const auto store = open(server);
  put(*store, key, record("0"));
  const auto before = Raw(server.port()).statistic("total_connections");
  const auto child = spawn([&] {
    for (int i = 0; i < each; ++i) add_one(*store);
  });
  for (int i = 0; i < each; ++i) add_one(*store);
  expect_success(child);
  EXPECT_EQ(store->load(key, soon())->payload, std::to_string(2 * each));
  // The question for this statistic, and one of the child.
  EXPECT_EQ(Raw(server.port()).statistic("total_connections"), before + 2);
}

TEST_F(MemcachedProcess, AChildThatClosesTheStoreLeavesTheParentsConnectionsAlone) {
  auto store = open(server);
  put(*store, key, record("0"));
  const auto before = Raw(server.port()).statistic("total_connections");
  expect_success(spawn([&] { store.reset(); }));
  EXPECT_TRUE(store->load(key, soon()));
  EXPECT_EQ(Raw(server.port()).statistic("total_connections"), before + 1) << "the parent had to connect anew";
}

// Another thread may hold any lock at the moment of the fork.
TEST_F(MemcachedProcess, AForkInTheMiddleOfCallsHangsNobody) {
  const auto store = open(server, {.connections = 2});
  put(*store, key, record("0"));
  std::atomic<bool> over = false;
  std::vector<std::jthread> crowd;
  for (int t = 0; t < 4; ++t)
    crowd.emplace_back([&] {
      while (!over) store->load(key, soon());
    });
  for (int round = 0; round < 50; ++round)
    expect_success(spawn([&] {
      if (!store->load(key, Deadline::after(5s))) throw std::runtime_error("the record is not there");
    }));
  over = true;
}

TEST_F(MemcachedProcess, ThereAreNoMoreConnectionsThanAllowed) {
  const auto store = open(server, {.connections = 2});
  put(*store, key, record("0"));
  const auto before = Raw(server.port()).statistic("total_connections");  // it has one
  {
    std::vector<std::jthread> crowd;
    for (int t = 0; t < 8; ++t)
      crowd.emplace_back([&] {
        for (int i = 0; i < 100; ++i) store->load(key, soon());
      });
  }
  EXPECT_LE(Raw(server.port()).statistic("total_connections"), before + 2) << "one more, and this question's";
  server.freeze();
  std::atomic<int> late = 0;
  const auto start = Deadline::Steady::now();
  {
    std::vector<std::jthread> crowd;
    for (int t = 0; t < 8; ++t)
      crowd.emplace_back([&] {
        try {
          store->load(key, Deadline::after(200ms));
        } catch (const StoreError& e) {
          late += e.kind() == Trouble::unavailable && !e.maybe_done();
        }
      });
  }
  EXPECT_EQ(late, 8);
  EXPECT_LT(Deadline::Steady::now() - start, 2s) << "those who wait for a connection have deadlines too";
}

}  // namespace
}  // namespace sancho::memcached_test
