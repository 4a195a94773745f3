// Writers that come together share a transaction and a sync, and nothing else: each
// has its own verdict, none before it is true, and none waits where it is alone.
#include <sys/resource.h>

#include <latch>

#include "sqlite_gate.hpp"
#include "stores/sqlite/group_writer.hpp"

namespace sancho::sqlite_test {
namespace {

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
  Raw(path).run("UPDATE sancho_sessions SET record = zeroblob(124) WHERE substr(record, 5, 32) = x'" + key_of(numbered(6)).hex() + "'");
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

namespace {
class Scripted final : public sqlite::Write {
 public:
  using Act = std::function<void(sqlite::Connection&)>;
  explicit Scripted(Act act) : Write(soon(), "testing", {}), act_(std::move(act)) {}

 private:
  void act(sqlite::Connection& connection) override { act_(connection); }
  Act act_;
};
}  // namespace

// SQLite undoes the whole transaction where it cannot read or has no memory.
TEST_F(SqliteGroup, WhoFailedInAGroupThatWasUndoneAndIsDoneByItselfHearsThatItIsDone) {
  sqlite::Pool pool(path, {});
  sqlite::GroupWriter writer(pool);
  std::latch leads(1), follows(1);
  Crowd crowd;
  int led = 0, tried = 0;
  std::thread leader([&] {
    Scripted write([&](sqlite::Connection& c) {
      if (led++ == 0) leads.count_down(), follows.wait(), crowd.wait_until_all_wait();
      c.run("INSERT INTO sancho_epochs VALUES ('leader', 1, 1)", "testing");
    });
    EXPECT_NO_THROW(writer.run(write));
  });
  leads.wait();
  crowd.add([&] {
    Scripted write([&](sqlite::Connection& c) {
      c.run("INSERT INTO sancho_epochs VALUES ('follower', 1, 1)", "testing");
      if (tried++ > 0) return;
      c.run("ROLLBACK", "testing");
      throw StoreError(Trouble::unavailable, "the first time");
    });
    EXPECT_NO_THROW(writer.run(write));
  });
  follows.count_down();
  leader.join();
  crowd.join();
  EXPECT_EQ(led, 2);
  EXPECT_EQ(tried, 2);
  EXPECT_EQ(Raw(path).ask("SELECT count(*) FROM sancho_epochs"), "2");
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

}  // namespace
}  // namespace sancho::sqlite_test
