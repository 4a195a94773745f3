// Many threads, several processes, and a process that dies without a word, or
// stops in the middle of a write.
#include <signal.h>

#include <latch>
#include <thread>
#include <vector>

#include "lmdb_fixture.hpp"

namespace sancho::lmdb_test {
namespace {

class LmdbProcess : public LmdbStoreTest {
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

  // A process that gets into the middle of `act` and is sent `signal` there.
  pid_t struck_in(const std::function<void(SessionStore&)>& act, int signal) {
    const auto child = spawn([&] {
      const auto store = open();
      clock.ambush = [signal] { kill(getpid(), signal); };
      act(*store);
    });
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, WUNTRACED), child);
    EXPECT_TRUE(signal == SIGSTOP ? WIFSTOPPED(status) : WIFSIGNALED(status));
    return child;
  }
};

TEST_F(LmdbProcess, ProcessesThatOpenANewDatabaseTogetherAllSucceed) {
  for (int round = 0; round < 20; ++round) {
    path = directory / std::to_string(round);
    std::vector<pid_t> children;
    for (int p = 0; p < 4; ++p)
      children.push_back(spawn([&, p] { open()->create(key_of(std::to_string(p)), record(), soon()); }));
    for (const auto child : children) expect_success(child);
    EXPECT_EQ(open()->scan()->count(soon()), 4u);
  }
}

TEST_F(LmdbProcess, NoUpdateIsLostBetweenTwoProcessesAndNeitherIsKeptOut) {
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

TEST_F(LmdbProcess, NoUpdateIsLostBetweenManyThreads) {
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

TEST_F(LmdbProcess, ThreadsThatCreateSweepAndWalkDoNotDisturbEachOther) {
  auto store = open();
  constexpr int each = 200;
  std::vector<std::thread> crowd;
  for (int t = 0; t < 4; ++t)
    crowd.emplace_back([&, t] {
      for (int i = 0; i < each; ++i) {
        auto r = record();
        r.subject = std::to_string(i % 7);
        if (i % 2 == 0) r.ends = clock.time;  // expired at once
        const auto key = key_of(std::to_string(t) + "/" + std::to_string(i));
        EXPECT_TRUE(std::holds_alternative<Done>(store->create(key, r, soon())));
        EXPECT_EQ(store->load(key, soon()).has_value(), i % 2 == 1);
      }
    });
  crowd.emplace_back([&] {
    for (int i = 0; i < 50; ++i) {
      store->sweep({.budget = 10, .accessed_before = {}}, soon());
      store->scan()->iter_sessions([](const KeyedRecord&) { return true; }, soon());
      store->subjects()->find_by_subject("3", soon());
    }
  });
  for (auto& thread : crowd) thread.join();
  while (store->sweep({}, soon()).more) {
  }
  EXPECT_EQ(store->scan()->count(soon()), 4u * each / 2);
  store.reset();
  expect_whole();
  EXPECT_EQ(Raw(path).part("s/").size(), 4u * each / 2);
}

TEST_F(LmdbProcess, StoresOfOneProcessShareTheDatabaseAndOutliveEachOther) {
  auto one = open(), other = open({.sync = LmdbOptions::Sync::normal});
  EXPECT_TRUE(one->traits().power_safe);
  EXPECT_FALSE(other->traits().power_safe);
  one->create(key_of("a"), record("x"), soon());
  EXPECT_EQ(other->load(key_of("a"), soon())->payload, "x");
  one.reset();
  EXPECT_TRUE(std::holds_alternative<Done>(other->commit(key_of("a"), {7, 1}, record("y", 2), soon())));
  std::filesystem::create_directory_symlink(path, directory / "link");
  const auto linked = open_lmdb_store(directory / "link", {}, clock);
  EXPECT_EQ(linked->load(key_of("a"), soon())->payload, "y");
}

TEST_F(LmdbProcess, SeveralHundredThreadsReadAtOnce) {
  const auto store = open();
  store->create(key_of("a"), record(), soon());
  struct Meeting final : Clock {
    explicit Meeting(Time t) : time(t) {}
    Time now() const override {
      all.arrive_and_wait();  // in the middle of a read
      return time;
    }
    Time time;
    mutable std::latch all{300};
  };
  const Meeting meeting(clock.time);
  const auto reader = open_lmdb_store(path, {}, meeting);
  std::vector<std::thread> crowd;
  for (int i = 0; i < 300; ++i) crowd.emplace_back([&] { EXPECT_TRUE(reader->load(key_of("a"), soon())); });
  for (auto& thread : crowd) thread.join();
}

// ## kill -9
//
// The writer tells every acknowledged value through a pipe and is killed after
// a different number of them each round, by a parent that reads: no sleeping.
TEST_F(LmdbProcess, WhatWasAcknowledgedSurvivesKillNine) {
  open()->create(key_of("counter"), record("0"), soon());
  for (int round = 0; round < 25; ++round) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const auto child = spawn([&] {
      close(ends[0]);
      const auto store = open();
      for (;;) {
        const int done = add_one(*store);
        auto r = record(std::string(3000, 'x'));
        r.subject = "somebody";
        store->create(key_of(std::to_string(round) + "/" + std::to_string(done)), r, soon());
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
    {
      const auto store = open();
      const int found = value(*store);
      EXPECT_GE(found, acknowledged);
      EXPECT_LE(found, acknowledged + 1) << "only the one in flight may be there unacknowledged";
      EXPECT_TRUE(store->load(key_of(std::to_string(round) + "/" + std::to_string(acknowledged)), soon()));
    }
    expect_whole();
  }
}

TEST_F(LmdbProcess, AWriterKilledInTheMiddleLeavesNothingBehindAndKeepsNobodyOut) {
  for (const bool others_have_it_open : {false, true}) {
    path = directory / (others_have_it_open ? "open" : "closed");
    open()->create(key_of("a"), record(), soon());
    std::unique_ptr<SessionStore> store;
    pid_t child = 0;
    std::thread([&] {  // the child has what the parent has open, so it comes first
      child = spawn([&] {
        const auto mine = open();
        kill(getpid(), SIGSTOP);
        clock.ambush = [] { kill(getpid(), SIGKILL); };
        mine->commit(key_of("a"), {7, 1}, record("half", 2), soon());
      });
    })
        .join();
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
    ASSERT_TRUE(WIFSTOPPED(status));
    if (others_have_it_open) store = open();
    kill(child, SIGCONT);
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    if (!store) store = open();
    EXPECT_EQ(store->load(key_of("a"), soon()), record());
    EXPECT_TRUE(std::holds_alternative<Done>(store->commit(key_of("a"), {7, 1}, record("x", 2), Deadline::after(2s))));
  }
}

// What it saw must be kept as long as it may look, which without more would be
// for ever: the map would fill up.
TEST_F(LmdbProcess, AReaderKilledInTheMiddleDoesNotFillTheMap) {
  const LmdbOptions small{.map_size = 4 << 20};
  { open(small)->create(key_of("a"), record(), soon()); }
  const auto child = spawn([&] {
    const auto store = open(small);
    kill(getpid(), SIGSTOP);
    clock.ambush = [] { kill(getpid(), SIGKILL); };
    store->load(key_of("a"), soon());
  });
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  const auto store = open(small);  // before it dies, or the last to come would clean up
  kill(child, SIGCONT);
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  for (std::uint64_t n = 1; n < 2000; ++n)
    ASSERT_TRUE(
        std::holds_alternative<Done>(store->commit(key_of("a"), {7, n}, record(std::string(3000, 'x'), n + 1), soon())))
        << n;
}

// ## A process that stops

TEST_F(LmdbProcess, AWriterStoppedInTheMiddleHoldsOthersToTheirDeadlinesAndReadersNotAtAll) {
  { open()->create(key_of("a"), record(), soon()); }
  const auto child = struck_in(
      [&](SessionStore& s) {
        s.commit(key_of("a"), {7, 1}, record("theirs", 2), soon());
      },
      SIGSTOP);
  {
    const auto store = open();  // everything is there: it waits for nobody
    const auto begin = Deadline::Steady::now();
    bool maybe_done = true;
    try {
      store->commit(key_of("a"), {7, 1}, record("ours", 2), Deadline::after(200ms));
      ADD_FAILURE() << "it wrote through a lock";
    } catch (const StoreError& e) {
      EXPECT_EQ(e.kind(), Trouble::unavailable);
      EXPECT_NE(std::string(e.what()).find("another process"), std::string::npos) << e.what();
      maybe_done = e.maybe_done();
    }
    const auto took = Deadline::Steady::now() - begin;
    EXPECT_FALSE(maybe_done);
    EXPECT_GE(took, 190ms);
    EXPECT_LE(took, 300ms);
    std::vector<std::thread> crowd;
    for (int i = 0; i < 4; ++i)
      crowd.emplace_back([&] {
        const auto start = Deadline::Steady::now();
        EXPECT_EQ(trouble_of([&] { store->touch(key_of("a"), 7, clock.time + 1s, Deadline::after(200ms)); }),
                  Trouble::unavailable);
        EXPECT_LE(Deadline::Steady::now() - start, 300ms);
      });
    for (auto& thread : crowd) thread.join();
    EXPECT_EQ(store->load(key_of("a"), Deadline::after(1s)), record()) << "readers wait for nobody";
    EXPECT_EQ(store->scan()->count(Deadline::after(1s)), 1u);
    kill(child, SIGCONT);
    expect_success(child);
    const auto answer = store->commit(key_of("a"), {7, 1}, record("ours", 2), soon());
    EXPECT_EQ(std::get<Conflict>(answer).current.payload, "theirs");
  }
}

TEST_F(LmdbProcess, OpeningANewNamespaceWaitsForNoWriter) {
  { open()->create(key_of("a"), record(), soon()); }
  const auto child = struck_in([&](SessionStore& s) { s.erase(key_of("a"), {}, soon()); }, SIGSTOP);
  EXPECT_EQ(open({.name_space = "new", .open_timeout = 200ms})->scan()->count(soon()), 0u);
  kill(child, SIGCONT);
  expect_success(child);
}

TEST_F(LmdbProcess, OpeningThatHasToWriteWaitsForAStoppedWriterUntilItsTimeout) {
  make_of_many_trees();  // there a namespace has tables of its own
  { open()->create(key_of("a"), record(), soon()); }
  const auto child = struck_in([&](SessionStore& s) { s.erase(key_of("a"), {}, soon()); }, SIGSTOP);
  const auto begin = Deadline::Steady::now();
  EXPECT_EQ(trouble_of([&] { open({.name_space = "new", .open_timeout = 200ms}); }), Trouble::unavailable);
  EXPECT_LE(Deadline::Steady::now() - begin, 2s);
  kill(child, SIGCONT);
  expect_success(child);
}

TEST_F(LmdbProcess, WritersOfOneStoreWaitForEachOtherUntilTheirDeadline) {
  const auto store = open();
  store->create(key_of("a"), record(), soon());
  std::latch inside(1), enough(1);
  clock.ambush = [&] {
    inside.count_down();
    enough.wait();
  };
  std::thread first([&] { EXPECT_TRUE(std::holds_alternative<Removed>(store->erase(key_of("a"), {}, soon()))); });
  inside.wait();
  const auto begin = Deadline::Steady::now();
  EXPECT_EQ(trouble_of([&] { store->create(key_of("b"), record(), Deadline::after(200ms)); }), Trouble::unavailable);
  EXPECT_LE(Deadline::Steady::now() - begin, 300ms);
  EXPECT_TRUE(store->load(key_of("a"), Deadline::after(200ms)));
  enough.count_down();
  first.join();
  EXPECT_TRUE(std::holds_alternative<Done>(store->create(key_of("b"), record(), soon())));
}

}  // namespace
}  // namespace sancho::lmdb_test
