// Groups of writers, and processes that fork or die while one is under way.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sqlite_gate.hpp"

namespace sancho::sqlite_test {
namespace {

class SqliteGroupProcess : public SqliteGroup {};

// ## Forks

TEST_F(SqliteGroupProcess, AChildOfAProcessWhoseWritersWaitCanLetItsCopyGo) {
  auto store = open({});
  fill(*store, 3);
  Crowd crowd;
  hold_the_first(*store);
  for (int i = 0; i < 3; ++i) crowd.add([&, i] { EXPECT_TRUE(next(*store, i)); });
  crowd.wait_until_all_wait();
  const auto child = fork();
  if (child == 0) {
    alarm(20);  // instead of waiting for ever
    store.reset();
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status)) << status;
  let_the_first_go(crowd);
  crowd.join();
}

// ## kill -9

// In a process of its own: a group stands before one of its writes or its sync, and
// then the process dies. Each of the group tells what it was told, which is nothing.
TEST_F(SqliteGroupProcess, AProcessThatDiesWithinAGroupHasToldNobodyAndLeavesAllOfItOrNothing) {
  constexpr int writers = 6;
  int all = 0, none = 0;
  for (const auto at : {Gate::At::write, Gate::At::sync})
    for (int skipped = 0; skipped < (at == Gate::At::write ? 4 : 1); ++skipped) {
      path = directory / (std::to_string(static_cast<int>(at)) + std::to_string(skipped) + ".db");
      int ready[2], told[2];
      ASSERT_EQ(pipe(ready) | pipe(told), 0);
      const auto child = fork();
      if (child == 0) {
        const auto store = open({});
        fill(*store, writers);
        Crowd crowd;
        hold_the_first(*store);
        for (int i = 0; i < writers; ++i)
          crowd.add([&, i] {
            next(*store, i, std::string(600, 'n'));
            if (write(told[1], "t", 1) != 1) _exit(1);
          });
        crowd.wait_until_all_wait();
        Gate::close(at, skipped);
        Gate::let_one_pass();
        first_.join();
        Gate::wait_until_reached();
        if (write(ready[1], "r", 1) != 1) _exit(1);
        pause();
      }
      close(ready[1]), close(told[1]);
      char byte = 0;
      EXPECT_EQ(read(ready[0], &byte, 1), 1);
      kill(child, SIGKILL);
      int status = 0;
      waitpid(child, &status, 0);
      EXPECT_TRUE(WIFSIGNALED(status));
      EXPECT_EQ(read(told[0], &byte, 1), 0) << "somebody was told";
      close(ready[0]), close(told[0]);
      const auto store = open();
      int found = 0;
      for (int i = 0; i < writers; ++i) found += store->load(key_of(numbered(i)), soon())->version.counter == 2;
      EXPECT_TRUE(found == 0 || found == writers) << found;
      ++(found == 0 ? none : all);
    }
  EXPECT_GE(none, 2) << "no group was cut off within its writes";
  EXPECT_GE(all, 1) << "no group was cut off at its sync";
}

TEST_F(SqliteGroupProcess, WhatWasAcknowledgedToAnyOfManyWritersSurvivesKillNine) {
  constexpr int writers = 8;
  for (int round = 0; round < 5; ++round) {
    path = directory / ("round" + std::to_string(round) + ".db");
    struct Told {
      int writer, value;
    };
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const auto child = fork();
    if (child == 0) {
      const auto store = open({});
      fill(*store, writers);
      Crowd crowd;
      for (int i = 0; i < writers; ++i)
        crowd.add([&, i] {
          for (std::uint64_t n = 1;; ++n) {
            if (!done(store->commit(key_of(numbered(i)), {7, n}, record("x", n + 1), soon()))) _exit(1);
            const Told t{i, static_cast<int>(n + 1)};
            if (write(ends[1], &t, sizeof t) != sizeof t) _exit(1);
          }
        });
      crowd.join();
    }
    close(ends[1]);
    std::uint64_t last[writers] = {};
    Told told{};
    const auto hear = [&] {
      if (read(ends[0], &told, sizeof told) != static_cast<ssize_t>(sizeof told)) return false;
      last[told.writer] = static_cast<std::uint64_t>(told.value);
      return true;
    };
    for (int i = 0; i < 20 + round * 13; ++i) ASSERT_TRUE(hear());
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    while (hear()) {
    }
    close(ends[0]);
    ASSERT_TRUE(WIFSIGNALED(status));
    const auto store = open();
    for (int i = 0; i < writers; ++i) {
      const auto found = store->load(key_of(numbered(i)), soon())->version.counter;
      EXPECT_GE(found, last[i]);
      EXPECT_LE(found, std::max<std::uint64_t>(last[i], 1) + 1) << "only the one in flight may be there unacknowledged";
    }
  }
}

}  // namespace
}  // namespace sancho::sqlite_test
