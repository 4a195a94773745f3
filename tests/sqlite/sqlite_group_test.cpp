// Writers that come together share a transaction and a sync, and nothing else: each
// has its own verdict, none before it is true, and none waits where it is alone.
//
// The WAL's file has a gate: who writes or syncs it stops there, and meanwhile the
// others come. So groups are made here and not hoped for.
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>
#include <vector>

#include "sqlite_fixture.hpp"

namespace sancho::sqlite_test {
namespace {

class Gate {
 public:
  enum class At { nothing, write, sync };
  // Stops the call after the next `skipped` ones of this kind.
  static void close(At at, int skipped = 0) {
    const std::lock_guard lock(mutex);
    closed = at, to_skip = skipped, reached = false;
  }
  // Lets go who stands there, and stops the next.
  static void let_one_pass() {
    const std::lock_guard lock(mutex);
    ++passes, reached = false;
    changed.notify_all();
  }
  static void open() {
    const std::lock_guard lock(mutex);
    closed = At::nothing;
    changed.notify_all();
  }
  static void wait_until_reached() {
    std::unique_lock lock(mutex);
    ASSERT_TRUE(changed.wait_for(lock, 20s, [] { return reached; }));
  }
  static void fail_next(At at, int with) {
    const std::lock_guard lock(mutex);
    failing = at, error = with;
  }
  static inline std::atomic<int> syncs = 0;

  static void install() {
    real_vfs = sqlite3_vfs_find(nullptr);
    vfs = *real_vfs;
    vfs.zName = "sancho-gate";
    vfs.pNext = nullptr;
    vfs.xOpen = open_file;
    sqlite3_vfs_register(&vfs, 1);
    closed = failing = At::nothing, syncs = passes = 0;
  }
  static void remove() {
    sqlite3_vfs_unregister(&vfs);
    sqlite3_vfs_register(real_vfs, 1);
  }

 private:
  static int pass(At at) {
    std::unique_lock lock(mutex);
    if (closed == at && to_skip-- <= 0) {
      reached = true;
      changed.notify_all();
      changed.wait(lock, [] { return closed == At::nothing || passes > 0; });
      if (passes > 0) --passes;
    }
    if (failing != at) return SQLITE_OK;
    failing = At::nothing;
    return error;
  }
  static int write(sqlite3_file* f, const void* bytes, int size, sqlite3_int64 at) {
    if (const int rc = pass(At::write)) return rc;
    return real->xWrite(f, bytes, size, at);
  }
  static int sync(sqlite3_file* f, int flags) {
    ++syncs;
    const int rc = real->xSync(f, flags), failed = pass(At::sync);
    return failed ? failed : rc;
  }
  static int open_file(sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* out) {
    const int rc = real_vfs->xOpen(real_vfs, name, f, flags, out);
    if (rc != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return rc;
    const std::lock_guard lock(mutex);
    real = f->pMethods;
    methods = *real;
    methods.xWrite = write;
    methods.xSync = sync;
    f->pMethods = &methods;
    return rc;
  }

  static inline std::mutex mutex;
  static inline std::condition_variable changed;
  static inline At closed = At::nothing, failing = At::nothing;
  static inline int to_skip = 0, passes = 0, error = 0;
  static inline bool reached = false;
  static inline sqlite3_vfs vfs{};
  static inline sqlite3_vfs* real_vfs = nullptr;
  static inline sqlite3_io_methods methods{};
  static inline const sqlite3_io_methods* real = nullptr;
};

// Threads of which one can see that all of them wait.
class Crowd {
 public:
  ~Crowd() { join(); }
  template <class Act>
  void add(Act act) {
    ids_.push_back(std::make_unique<std::atomic<pid_t>>(0));
    threads_.emplace_back([act, id = ids_.back().get()] {
      *id = gettid();
      act();
    });
  }
  void join() {
    for (auto& thread : threads_)
      if (thread.joinable()) thread.join();
  }
  void wait_until_all_wait() const {
    const auto until = soon();
    for (int quiet = 0; quiet < 5; std::this_thread::sleep_for(2ms)) {
      ASSERT_FALSE(until.passed());
      quiet = std::all_of(ids_.begin(), ids_.end(), [](const auto& id) { return asleep(*id); }) ? quiet + 1 : 0;
    }
  }

 private:
  static bool asleep(pid_t id) {
    std::ifstream in("/proc/self/task/" + std::to_string(id) + "/stat");
    const std::string stat(std::istreambuf_iterator<char>(in), {});
    const auto name_ends = stat.rfind(')');
    return id != 0 && name_ends != stat.npos && stat[name_ends + 2] == 'S';
  }
  std::vector<std::unique_ptr<std::atomic<pid_t>>> ids_;
  std::vector<std::thread> threads_;
};

class SqliteGroup : public SqliteStoreTest {
 protected:
  SqliteGroup() { Gate::install(); }
  ~SqliteGroup() override {
    Gate::open();
    Gate::remove();
  }
  static std::string numbered(int i) { return "n" + std::to_string(i); }

  void fill(SessionStore& store, int count) {
    for (int i = 0; i < count; ++i) store.create(key_of(numbered(i)), record(), soon());
    store.create(key_of("first"), record(), soon());
  }
  // A first writer stands at the gate. Those who come meanwhile are one group, which
  // begins when the first has been let go.
  void hold_the_first(SessionStore& store, Gate::At at = Gate::At::sync) {
    Gate::close(at);
    first_ = std::thread([&] { EXPECT_TRUE(done(store.commit(key_of("first"), {7, 1}, record("x", 2), soon()))); });
    Gate::wait_until_reached();
    before_ = Gate::syncs;
  }
  void let_the_first_go(const Crowd& crowd) {
    crowd.wait_until_all_wait();
    Gate::open();
    first_.join();
  }
  // The same, and then the group stands at its own sync.
  void hold_the_group(const Crowd& crowd) {
    crowd.wait_until_all_wait();
    Gate::let_one_pass();
    first_.join();
    Gate::wait_until_reached();
  }
  int syncs() const { return Gate::syncs - before_; }
  static bool done(const CommitAnswer& answer) { return std::holds_alternative<Done>(answer); }
  bool next(SessionStore& store, int i, const std::string& payload = "next") {
    return done(store.commit(key_of(numbered(i)), {7, 1}, record(payload, 2), soon()));
  }

  std::thread first_;
  int before_ = 0;
};

TEST_F(SqliteGroup, WritersThatComeTogetherShareOneSync) {
  constexpr int writers = 16;
  const auto store = open({});
  fill(*store, writers);
  Crowd crowd;
  hold_the_first(*store);
  for (int i = 0; i < writers; ++i) crowd.add([&, i] { EXPECT_TRUE(next(*store, i)); });
  let_the_first_go(crowd);
  crowd.join();
  EXPECT_EQ(syncs(), 1);
  for (int i = 0; i < writers; ++i) EXPECT_EQ(store->load(key_of(numbered(i)), soon()), record("next", 2));
}

TEST_F(SqliteGroup, AGroupIsBounded) {
  constexpr int writers = 70;
  const auto store = open({});
  fill(*store, writers);
  Crowd crowd;
  hold_the_first(*store);
  for (int i = 0; i < writers; ++i) crowd.add([&, i] { EXPECT_TRUE(next(*store, i)); });
  let_the_first_go(crowd);
  crowd.join();
  EXPECT_EQ(syncs(), 3) << "of 32 each, at most";
}

TEST_F(SqliteGroup, EachHasItsOwnVerdict) {
  const auto store = open({});
  fill(*store, 8);
  Raw(path).run("UPDATE sancho_sessions SET crc = crc + 1 WHERE key = x'" + key_of(numbered(6)).hex() + "'");
  const auto admission = Admission{.seen = {}, .cap = 1};
  Crowd crowd;
  hold_the_first(*store);
  std::atomic<int> created = 0, refused = 0;
  crowd.add([&] { EXPECT_TRUE(next(*store, 0)); });
  crowd.add([&] { EXPECT_TRUE(std::holds_alternative<Conflict>(store->commit(key_of(numbered(1)), {7, 9}, record("no", 10), soon()))); });
  crowd.add([&] { EXPECT_TRUE(std::holds_alternative<Gone>(store->commit(key_of("none"), {7, 1}, record("no", 2), soon()))); });
  crowd.add([&] { EXPECT_TRUE(std::holds_alternative<Done>(store->touch(key_of(numbered(2)), 7, clock.now() + 1s, soon()))); });
  crowd.add([&] { EXPECT_TRUE(std::holds_alternative<Removed>(store->erase(key_of(numbered(3)), {}, soon()))); });
  crowd.add([&] { EXPECT_TRUE(std::holds_alternative<Taken>(store->create(key_of(numbered(4)), record("no"), soon()))); });
  crowd.add([&] {
    auto r = record("no", 2);
    r.subject = "another";
    EXPECT_EQ(trouble_of([&] { store->commit(key_of(numbered(5)), {7, 1}, r, soon()); }), Trouble::refused);
  });
  crowd.add([&] { EXPECT_EQ(trouble_of([&] { store->commit(key_of(numbered(6)), {7, 1}, record("no", 2), soon()); }), Trouble::corrupt); });
  for (int i = 0; i < 3; ++i)
    crowd.add([&, i] {
      auto r = record();
      r.subject = "one at a time", r.handle = Handle::draw(system_random());
      const auto answer = store->create(key_of("login" + std::to_string(i)), r, soon(), &admission);
      ++(std::holds_alternative<Done>(answer) ? created : refused);
    });
  crowd.add([&] { EXPECT_NO_THROW(store->epochs()->set_epoch("somebody", 5, clock.now() + 1h, soon())); });
  crowd.add([&] { EXPECT_TRUE(next(*store, 7)); });
  let_the_first_go(crowd);
  crowd.join();
  EXPECT_EQ(syncs(), 1);
  EXPECT_EQ(created, 1);
  EXPECT_EQ(refused, 2);
  EXPECT_EQ(store->load(key_of(numbered(0)), soon()), record("next", 2));
  EXPECT_EQ(store->load(key_of(numbered(1)), soon()), record());
  EXPECT_EQ(store->load(key_of(numbered(2)), soon())->accessed, clock.now() + 1s);
  EXPECT_FALSE(store->load(key_of(numbered(3)), soon()));
  EXPECT_EQ(store->load(key_of(numbered(5)), soon()), record());
  EXPECT_EQ(store->load(key_of(numbered(7)), soon()), record("next", 2));
  EXPECT_EQ(store->epochs()->epochs("somebody", soon()).subject, 5u);
}

TEST_F(SqliteGroup, OfThoseWhoWantTheSameOneIsDone) {
  constexpr int writers = 12;
  const auto store = open({});
  fill(*store, 1);
  Crowd crowd;
  hold_the_first(*store);
  std::atomic<int> won = 0;
  for (int i = 0; i < writers; ++i) crowd.add([&, i] { won += next(*store, 0, std::to_string(i)); });
  let_the_first_go(crowd);
  crowd.join();
  EXPECT_EQ(won, 1);
}

TEST_F(SqliteGroup, NobodyHearsAnythingBeforeItIsDurable) {
  constexpr int writers = 6;
  const auto store = open({});
  fill(*store, writers);
  Crowd crowd;
  hold_the_first(*store);
  std::atomic<int> told = 0, won = 0;
  for (int i = 0; i < writers; ++i)
    crowd.add([&, i] {
      won += next(*store, i < 3 ? 0 : i);  // of three, two lose to one that is not durable yet
      ++told;
    });
  hold_the_group(crowd);
  crowd.wait_until_all_wait();
  EXPECT_EQ(told, 0);
  for (int i = 0; i < writers; ++i) EXPECT_EQ(store->load(key_of(numbered(i)), soon()), record());
  Gate::open();
  crowd.join();
  EXPECT_EQ(won, 4);
}

// ## Who fails, fails alone

TEST_F(SqliteGroup, AGroupThatFindsNoRoomIsDoneOneByOne) {
  constexpr int writers = 8;
  const auto store = open({});
  fill(*store, writers);
  Crowd crowd;
  hold_the_first(*store);
  for (int i = 0; i < writers; ++i) crowd.add([&, i] { EXPECT_TRUE(next(*store, i)); });
  Gate::fail_next(Gate::At::write, SQLITE_FULL);
  let_the_first_go(crowd);
  crowd.join();
  EXPECT_EQ(syncs(), writers);
  for (int i = 0; i < writers; ++i) EXPECT_EQ(store->load(key_of(numbered(i)), soon()), record("next", 2));
}

TEST_F(SqliteGroup, WhatIsTooLargeForTheDatabaseHurtsNobodyElse) {
  constexpr int writers = 8;
  const auto store = open({.max_pages = 200});
  fill(*store, writers);
  Crowd crowd;
  hold_the_first(*store);
  for (int i = 0; i < writers; ++i)
    crowd.add([&, i] {
      const bool large = i % 3 == 1;
      const auto trouble = trouble_of([&] { EXPECT_TRUE(next(*store, i, std::string(large ? 2000000 : 100, 'x'))); });
      EXPECT_EQ(trouble, large ? std::optional(Trouble::full) : std::nullopt) << i;
    });
  let_the_first_go(crowd);
  crowd.join();
  for (int i = 0; i < writers; ++i) EXPECT_EQ(store->load(key_of(numbered(i)), soon())->version.counter, i % 3 == 1 ? 1u : 2u);
}

TEST_F(SqliteGroup, WhereTheSyncsAnswerIsLostAllOfTheGroupAreInDoubt) {
  constexpr int writers = 5;
  const auto store = open({});
  fill(*store, writers);
  Crowd crowd;
  hold_the_first(*store);
  std::atomic<int> doubts = 0;
  for (int i = 0; i < writers; ++i)
    crowd.add([&, i] {
      try {
        next(*store, i);
      } catch (const StoreError& e) {
        doubts += e.kind() == Trouble::unavailable && e.maybe_done();
      }
    });
  hold_the_group(crowd);
  Gate::fail_next(Gate::At::sync, SQLITE_IOERR_FSYNC);
  Gate::open();
  crowd.join();
  EXPECT_EQ(doubts, writers);
  for (int i = 0; i < writers; ++i) {
    const auto found = store->load(key_of(numbered(i)), soon());
    EXPECT_TRUE(found == record() || found == record("next", 2));
    EXPECT_EQ(found, store->load(key_of(numbered(0)), soon())) << "wholly there or wholly absent";
  }
}

// ## Deadlines

TEST_F(SqliteGroup, WhoseDeadlinePassesBeforeItsTurnWithdraws) {
  const auto store = open({});
  fill(*store, 2);
  Crowd crowd;
  hold_the_first(*store);
  std::atomic<bool> withdrew = false;
  crowd.add([&] { EXPECT_TRUE(next(*store, 0)); });
  std::thread late([&] {
    try {
      store->commit(key_of(numbered(1)), {7, 1}, record("late", 2), Deadline::after(50ms));
    } catch (const StoreError& e) {
      withdrew = e.kind() == Trouble::unavailable && !e.maybe_done();
    }
  });
  late.join();
  EXPECT_TRUE(withdrew) << "while the first one still stands there";
  let_the_first_go(crowd);
  crowd.join();
  EXPECT_EQ(store->load(key_of(numbered(0)), soon()), record("next", 2));
  EXPECT_EQ(store->load(key_of(numbered(1)), soon()), record());
}

TEST_F(SqliteGroup, WhatHasBegunIsWaitedForBeyondItsDeadline) {
  const auto store = open({});
  fill(*store, 2);
  Crowd crowd;
  hold_the_first(*store);
  const auto deadline = Deadline::after(3s);
  for (int i = 0; i < 2; ++i)
    crowd.add([&, i] { EXPECT_TRUE(done(store->commit(key_of(numbered(i)), {7, 1}, record("next", 2), deadline))); });
  hold_the_group(crowd);
  ASSERT_FALSE(deadline.passed()) << "too slow a machine for this test";
  std::this_thread::sleep_until(deadline.at() + 20ms);
  Gate::open();
  crowd.join();
  EXPECT_EQ(syncs(), 1);
}

TEST_F(SqliteGroup, WhoLeadsAndIsLateLeavesTheOthersToThemselves) {
  const auto store = open({});
  fill(*store, 4);
  Raw raw(path);
  raw.run("BEGIN IMMEDIATE");
  Crowd first, crowd;
  first.add([&] { EXPECT_EQ(trouble_of([&] { store->commit(key_of("first"), {7, 1}, record("x", 2), Deadline::after(1s)); }), Trouble::unavailable); });
  first.wait_until_all_wait();
  for (int i = 0; i < 4; ++i) crowd.add([&, i] { EXPECT_TRUE(next(*store, i)); });
  first.join();
  raw.run("ROLLBACK");
  crowd.join();
}

// ## Who is alone

// Nothing is waited for: a thread that sleeps, or waits for another one, gives its
// processor away of its own accord. `normal`, because a sync is such a wait.
TEST_F(SqliteGroup, ALoneWriterWaitsForNobody) {
  constexpr int writes = 300, writers = 6;
  const auto store = open();
  fill(*store, writers);
  const auto waits = [&] {
    rusage before{}, after{};
    getrusage(RUSAGE_THREAD, &before);
    for (int i = 0; i < writes; ++i) store->touch(key_of(numbered(0)), 7, clock.now() + (i + 1) * 1ms, soon());
    getrusage(RUSAGE_THREAD, &after);
    clock.advance(1s);
    return after.ru_nvcsw - before.ru_nvcsw;
  };
  EXPECT_LT(waits(), writes / 10);
  Crowd crowd;
  hold_the_first(*store, Gate::At::write);
  for (int i = 0; i < writers; ++i) crowd.add([&, i] { EXPECT_TRUE(next(*store, i)); });
  let_the_first_go(crowd);
  crowd.join();
  EXPECT_LT(waits(), writes / 10) << "after a group";
}

// ## Forks

TEST_F(SqliteGroup, AChildOfAProcessWhoseWritersWaitCanLetItsCopyGo) {
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
TEST_F(SqliteGroup, AProcessThatDiesWithinAGroupHasToldNobodyAndLeavesAllOfItOrNothing) {
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

TEST_F(SqliteGroup, WhatWasAcknowledgedToAnyOfManyWritersSurvivesKillNine) {
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
