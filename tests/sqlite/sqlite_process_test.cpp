// Many threads, several processes, and a process that dies without a word.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <thread>
#include <vector>

#include "sqlite_fixture.hpp"

namespace sancho::sqlite_test {
namespace {

class SqliteProcess : public SqliteStoreTest {
 protected:
  // Reads, adds one, commits; again where another was quicker. Returns the new
  // value.
  int add_one(SessionStore& store) {
    auto current = store.load(key_of("counter"), soon());
    for (;;) {
      auto next = *current;
      ++next.version.counter;
      next.payload = std::to_string(std::stoi(next.payload) + 1);
      const auto answer = store.commit(key_of("counter"), current->version, next, soon());
      if (std::holds_alternative<Done>(answer)) return std::stoi(next.payload);
      current = std::get<Conflict>(answer).current;
    }
  }
  int value(SessionStore& store) { return std::stoi(store.load(key_of("counter"), soon())->payload); }

  // Runs `act` in a process of its own, whose end is its exit code.
  template <class Act>
  pid_t spawn(Act act) {
    const auto child = fork();
    if (child != 0) return child;
    try {
      act();
      _exit(0);
    } catch (const std::exception& e) {
      fprintf(stderr, "child: %s\n", e.what());
      _exit(1);
    }
  }
  void expect_success(pid_t child) {
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  }
};

TEST_F(SqliteProcess, ProcessesThatOpenANewDatabaseTogetherAllSucceed) {
  for (int round = 0; round < 10; ++round) {
    path = directory / (std::to_string(round) + ".db");
    std::vector<pid_t> children;
    for (int p = 0; p < 4; ++p)
      children.push_back(spawn([&, p] { open()->create(key_of(std::to_string(p)), record(), soon()); }));
    for (const auto child : children) expect_success(child);
    EXPECT_EQ(open()->scan()->count(soon()), 4u);
  }
}

TEST_F(SqliteProcess, NoUpdateIsLostBetweenTwoProcesses) {
  constexpr int rounds = 500;
  open()->create(key_of("counter"), record("0"), soon());
  const auto work = [&] {
    const auto store = open();
    for (int i = 0; i < rounds; ++i) add_one(*store);
  };
  const auto one = spawn(work), other = spawn(work);
  expect_success(one);
  expect_success(other);
  EXPECT_EQ(value(*open()), 2 * rounds);
}

TEST_F(SqliteProcess, NoUpdateIsLostBetweenManyThreads) {
  constexpr int threads = 8, rounds = 100;
  const auto store = open();
  store->create(key_of("counter"), record("0"), soon());
  std::vector<std::thread> crowd;
  for (int t = 0; t < threads; ++t)
    crowd.emplace_back([&] {
      for (int i = 0; i < rounds; ++i) add_one(*store);
    });
  for (auto& thread : crowd) thread.join();
  EXPECT_EQ(value(*store), threads * rounds);
}

TEST_F(SqliteProcess, ThreadsThatCreateSweepAndWalkDoNotDisturbEachOther) {
  const auto store = open();
  constexpr int each = 200;
  std::vector<std::thread> crowd;
  for (int t = 0; t < 4; ++t)
    crowd.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        auto r = record();
        if (i % 2 == 0) r.ends = clock.now();  // expired at once
        const auto key = key_of(std::to_string(t) + "/" + std::to_string(i));
        EXPECT_TRUE(std::holds_alternative<Done>(store->create(key, r, soon())));
        EXPECT_EQ(store->load(key, soon()).has_value(), i % 2 == 1);
      }
    });
  crowd.emplace_back([&] {
    for (int i = 0; i < 50; ++i) {
      store->sweep({.budget = 10, .accessed_before = {}}, soon());
      store->scan()->iter_sessions([](const KeyedRecord&) { return true; }, soon());
    }
  });
  for (auto& thread : crowd) thread.join();
  while (store->sweep({}, soon()).more) {
  }
  EXPECT_EQ(store->scan()->count(soon()), 4u * each / 2);
  EXPECT_EQ(Raw(path).ask("SELECT count(*) FROM sancho_sessions"), std::to_string(4 * each / 2));
}

// ## kill -9
//
// The writer tells every acknowledged value through a pipe and is killed after
// a different number of them each round, by a parent that reads: no sleeping.
TEST_F(SqliteProcess, WhatWasAcknowledgedSurvivesKillNine) {
  open()->create(key_of("counter"), record("0"), soon());
  for (int round = 0; round < 15; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const auto child = spawn([&] {
      close(ends[0]);
      const auto store = open({});
      for (;;) {
        const int done = add_one(*store);
        if (write(ends[1], &done, sizeof done) != sizeof done) _exit(1);
      }
    });
    close(ends[1]);
    int acknowledged = 0, got = 0;
    for (int i = 0; i < 1 + round * 5; ++i) {
      ASSERT_EQ(read(ends[0], &got, sizeof got), static_cast<ssize_t>(sizeof got));
      acknowledged = got;
    }
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    while (read(ends[0], &got, sizeof got) == static_cast<ssize_t>(sizeof got)) acknowledged = got;
    close(ends[0]);
    ASSERT_TRUE(WIFSIGNALED(status));
    const auto store = open();
    const int found = value(*store);
    EXPECT_GE(found, acknowledged);
    EXPECT_LE(found, acknowledged + 1) << "only the one in flight may be there unacknowledged";
    EXPECT_EQ(store->load(key_of("counter"), soon())->version.counter, static_cast<std::uint64_t>(found) + 1);
  }
}

}  // namespace
}  // namespace sancho::sqlite_test
