// No room, no lock, no time, another process: trouble has a kind, comes in
// time, and leaves the old state as it was.
#include <sys/wait.h>
#include <unistd.h>

#include <thread>

#include "../support/skip.hpp"
#include "base/coarse_clock.hpp"
#include "sqlite_fixture.hpp"

namespace sancho::sqlite_test {
namespace {

class SqliteTrouble : public SqliteStoreTest {
 protected:
  // Creates sessions until the store is full; how many there are.
  std::size_t fill(SessionStore& store, std::size_t size) {
    for (std::size_t n = 0; n < 100000; ++n)
      if (const auto trouble = trouble_of([&] { store.create(key_of(std::to_string(n)), record(std::string(size, 'x')), soon()); })) {
        EXPECT_EQ(*trouble, Trouble::full);
        return n;
      }
    ADD_FAILURE() << "it never was full";
    return 0;
  }

  Record ended(std::size_t payload) const {
    auto r = record(std::string(payload, 'e'), 2);
    r.state = State::ended;
    r.ends = clock.now() + 5min;
    return r;
  }

  // On a full store: everything is as it was, nothing can be added, and
  // everybody can log out.
  void expect_old_state_and_logouts(SessionStore& store, std::size_t size, std::size_t count) {
    for (std::size_t n = 0; n < count; ++n)
      ASSERT_EQ(store.load(key_of(std::to_string(n)), soon()), record(std::string(size, 'x'))) << n;
    EXPECT_EQ(trouble_of([&] { store.create(key_of("one more"), record(std::string(100000, 'x')), soon()); }), Trouble::full);
    EXPECT_EQ(trouble_of([&] { store.commit(key_of("0"), {7, 1}, record(std::string(10000000, 'x'), 2), soon()); }), Trouble::full);
    EXPECT_EQ(store.load(key_of("0"), soon()), record(std::string(size, 'x')));
    for (std::size_t n = 0; n < count; ++n) {
      const auto answer = store.commit(key_of(std::to_string(n)), {7, 1}, ended(size < 100 ? size : 100), soon());
      ASSERT_TRUE(std::holds_alternative<Done>(answer)) << n;
    }
    for (std::size_t n = 0; n < count; ++n) EXPECT_EQ(store.load(key_of(std::to_string(n)), soon())->state, State::ended);
  }
};

TEST_F(SqliteTrouble, AFullDatabaseKeepsTheOldStateAndLetsEverybodyLogOut) {
  for (const std::size_t size : {10u, 700u, 3000u, 20000u}) {
    path = directory / (std::to_string(size) + ".db");
    const auto store = open({.synchronous = SqliteOptions::Synchronous::normal, .max_pages = 64});
    const auto count = fill(*store, size);
    ASSERT_GT(count, 5u);
    expect_old_state_and_logouts(*store, size, count);
  }
}

TEST_F(SqliteTrouble, AFullFileSystemKeepsTheOldStateAndLetsEverybodyLogOut) {
  const auto small = directory / "small";
  std::filesystem::create_directory(small);
  const Mount mounted(small);
  if (!mounted.done) SANCHO_SKIP("mounting a small file system is not permitted here");
  for (const std::size_t size : {10u, 3000u, 50000u}) {
    path = small / (std::to_string(size) + ".db");
    std::ofstream(small / "ballast") << std::string(6 << 20, 'b');
    const auto store = open();
    const auto count = fill(*store, size);
    EXPECT_GT(count, 5u);
    expect_old_state_and_logouts(*store, size, count);
    const auto reserve = path.string() + "-reserve";
    EXPECT_FALSE(std::filesystem::exists(reserve)) << "the test did not come to the end of the disk";
    clock.advance(5min);
    while (store->sweep({}, soon()).more) {
    }
    EXPECT_EQ(store->scan()->count(soon()), 0u);
    auto brief = record();
    brief.ends = clock.now();
    store->create(key_of("again"), brief, soon());
    std::filesystem::remove(small / "ballast");
    EXPECT_EQ(store->sweep({}, soon()).removed, 1u);
    EXPECT_TRUE(std::filesystem::exists(reserve)) << "it comes back when there is room for it";
    for (const char* suffix : {"", "-wal", "-shm", "-reserve"}) std::filesystem::remove(path.string() + suffix);
  }
}

// ## Deadlines

TEST_F(SqliteTrouble, AWriterWaitsForAForeignLockUntilItsDeadlineAndNoLonger) {
  const auto store = open();
  store->create(key_of("a"), record(), soon());
  Raw raw(path);
  raw.run("BEGIN IMMEDIATE");
  const auto begin = Deadline::Steady::now();
  bool maybe_done = true;
  try {
    store->commit(key_of("a"), {7, 1}, record("x", 2), Deadline::after(200ms));
    ADD_FAILURE() << "it wrote through a lock";
  } catch (const StoreError& e) {
    EXPECT_EQ(e.kind(), Trouble::unavailable);
    maybe_done = e.maybe_done();
  }
  const auto took = Deadline::Steady::now() - begin;
  EXPECT_FALSE(maybe_done);
  EXPECT_GE(took, 190ms);
  EXPECT_LE(took, 250ms);
  EXPECT_EQ(store->load(key_of("a"), Deadline::after(1s)), record()) << "readers wait for nobody";
  raw.run("ROLLBACK");
  EXPECT_TRUE(std::holds_alternative<Done>(store->commit(key_of("a"), {7, 1}, record("x", 2), soon())));
}

TEST_F(SqliteTrouble, WritersOfOneStoreWaitForEachOtherUntilTheirDeadline) {
  const auto store = open();
  Raw raw(path);
  raw.run("BEGIN IMMEDIATE");
  std::thread first([&] { EXPECT_EQ(trouble_of([&] { store->create(key_of("a"), record(), Deadline::after(400ms)); }), Trouble::unavailable); });
  std::thread second([&] {
    const auto begin = Deadline::Steady::now();
    EXPECT_EQ(trouble_of([&] { store->create(key_of("b"), record(), Deadline::after(200ms)); }), Trouble::unavailable);
    EXPECT_LE(Deadline::Steady::now() - begin, 250ms);
  });
  first.join();
  second.join();
}

TEST_F(SqliteTrouble, ADeadlineThatHasPassedDoesNothing) {
  const auto store = open();
  const auto past = Deadline::after(0ms);
  EXPECT_EQ(trouble_of([&] { store->create(key_of("a"), record(), past); }), Trouble::unavailable);
  EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), past); }), Trouble::unavailable);
  EXPECT_FALSE(store->load(key_of("a"), soon()));
}

TEST_F(SqliteTrouble, ALongCountStopsAtItsDeadline) {
  const auto store = open();
  Raw(path).run(
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200000)"
      " INSERT INTO sancho_sessions (bucket,accessed,record,subject,due) SELECT i,0,zeroblob(124),x'',i FROM n");
  const auto begin = Deadline::Steady::now();
  EXPECT_EQ(trouble_of([&] { store->scan()->count(Deadline::after(2ms)); }), Trouble::unavailable);
  EXPECT_LE(Deadline::Steady::now() - begin, 52ms);
  EXPECT_EQ(store->scan()->count(soon()), 0u) << "the connection is as good as before";
}

// ## Files that go, processes that fork

TEST_F(SqliteTrouble, AFileThatWasRemovedOrReplacedIsUnavailableAndNotWrittenTo) {
  const auto store = open();
  std::filesystem::rename(path, directory / "aside.db");
  EXPECT_EQ(trouble_of([&] { store->create(key_of("a"), record(), soon()); }), Trouble::unavailable);
  std::ofstream(path) << "another";
  EXPECT_EQ(trouble_of([&] { store->create(key_of("a"), record(), soon()); }), Trouble::unavailable);
  EXPECT_EQ(bytes_of(path), "another");
}

TEST_F(SqliteTrouble, WhoReadsIsToldSoWithinATick) {
  const auto store = open();
  store->create(key_of("a"), record(), soon());
  std::filesystem::rename(path, directory / "aside.db");
  for (const auto tick = coarse_now(); coarse_now() == tick;) std::this_thread::yield();
  EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), soon()); }), Trouble::unavailable);
  EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), soon()); }), Trouble::unavailable) << "and every time";
  std::filesystem::rename(directory / "aside.db", path);
  EXPECT_EQ(store->load(key_of("a"), soon()), record());
  std::filesystem::rename(path, directory / "aside.db");
  EXPECT_EQ(trouble_of([&] { store->create(key_of("b"), record(), soon()); }), Trouble::unavailable);
  EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), soon()); }), Trouble::unavailable) << "what a writer found, readers know";
}

TEST_F(SqliteTrouble, AChildNeitherUsesNorReopensNorHarmsItsParentsStore) {
  auto store = open();
  store->create(key_of("a"), record(), soon());
  const auto child = fork();
  if (child == 0) {
    if (trouble_of([&] { store->load(key_of("a"), soon()); }) != Trouble::refused) _exit(11);
    if (trouble_of([&] { store->erase(key_of("a"), {}, soon()); }) != Trouble::refused) _exit(12);
    if (trouble_of([&] { open(); }) != Trouble::refused) _exit(13);
    store.reset();
    if (trouble_of([&] { open(); }) != Trouble::refused) _exit(14);
    path = directory / "own.db";
    open()->create(key_of("b"), record(), soon());
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(std::filesystem::exists(path.string() + "-wal"));
  EXPECT_TRUE(std::holds_alternative<Done>(store->commit(key_of("a"), {7, 1}, record("x", 2), soon())));
  store.reset();
  EXPECT_EQ(open()->load(key_of("a"), soon())->payload, "x");
}

}  // namespace
}  // namespace sancho::sqlite_test
