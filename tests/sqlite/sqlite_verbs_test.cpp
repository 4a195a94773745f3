// What is particular to keeping records as rows. The contract itself is the
// conformance suite's business.
#include <algorithm>
#include <set>

#include "sqlite_fixture.hpp"

namespace sancho::sqlite_test {
namespace {

class SqliteVerbs : public SqliteStoreTest {
 protected:
  std::unique_ptr<SessionStore> store = open();
  std::string due_of_all() { return Raw(path).ask("SELECT group_concat(due) FROM sancho_sessions"); }
};

TEST_F(SqliteVerbs, MetacharactersAndNulComeBackAsTheyWere) {
  const std::string nasty[] = {"'; DROP TABLE sancho_sessions; --", "%_?1:a@b$c", std::string("a\0b", 3), std::string(1, '\0'), "\xff\xfe not UTF-8",
                               "x''", "\"\\"};
  for (const auto& text : nasty) {
    auto r = record(text);
    r.subject = text;
    ASSERT_TRUE(std::holds_alternative<Done>(store->create(key_of(text), r, soon()))) << text;
    EXPECT_EQ(store->load(key_of(text), soon()), r);
    const auto found = store->subjects()->find_by_subject(text, soon());
    ASSERT_EQ(found.size(), 1u) << text;
    EXPECT_EQ(found[0].record, r);
    EXPECT_EQ(found[0].key, key_of(text));
  }
  EXPECT_TRUE(store->subjects()->find_by_subject("%", soon()).empty());
  EXPECT_EQ(store->scan()->count(soon()), std::size(nasty));
}

TEST_F(SqliteVerbs, TheWholeRangeOfVersionsComesBack) {
  for (const std::uint64_t v : {std::uint64_t{0}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    auto r = record();
    r.version = {v, ~v};
    ASSERT_TRUE(std::holds_alternative<Done>(store->create(key_of(std::to_string(v)), r, soon())));
    EXPECT_EQ(store->load(key_of(std::to_string(v)), soon()), r);
    EXPECT_TRUE(std::holds_alternative<Done>(store->touch(key_of(std::to_string(v)), v, clock.now() + 1s, soon())));
  }
}

TEST_F(SqliteVerbs, TimesBeyondAnyCalendarAreRefused) {
  auto r = record();
  r.ends = Time::max();
  EXPECT_EQ(trouble_of([&] { store->create(key_of("a"), r, soon()); }), Trouble::refused);
  EXPECT_FALSE(store->load(key_of("a"), soon()));
}

// They stand there as digits, which the view shows.
TEST_F(SqliteVerbs, TimesOfAnyLengthAreWrittenAsWhatTheyAre) {
  constexpr std::int64_t farthest = std::int64_t{1} << 53;
  std::vector<std::int64_t> numbers{farthest, 987'654'321'012'345, 1'234'567'890'123'456, 99'999'999, 100'000'000};
  for (std::int64_t power = 1; power <= farthest / 10; power *= 10) numbers.insert(numbers.end(), {power - 1, power, power * 9 + power / 3});
  for (const auto number : numbers)
    for (const auto created : {number, -number}) {
      auto r = record();
      r.created = Time{Duration{created}};
      ASSERT_TRUE(std::holds_alternative<Done>(store->create(key_of("a"), r, soon()))) << created;
      EXPECT_EQ(store->load(key_of("a"), soon()), r) << created;
      EXPECT_EQ(Raw(path).ask("SELECT created FROM sancho_readable"), std::to_string(created));
      ASSERT_TRUE(std::holds_alternative<Removed>(store->erase(key_of("a"), r.version, soon())));
    }
}

// ## The sweep's queue

TEST_F(SqliteVerbs, TouchesAndSavesLeaveTheQueueAlone) {
  store->create(key_of("a"), record(), soon());
  const auto due = due_of_all();
  clock.advance(10min);
  store->touch(key_of("a"), 7, clock.now(), soon());
  auto next = record("x", 2);
  next.accessed = clock.now() + 1min;
  store->commit(key_of("a"), {7, 1}, next, soon());
  EXPECT_EQ(due_of_all(), due);
}

TEST_F(SqliteVerbs, WhoIsMetTooEarlyIsPutOffAndStays) {
  store->create(key_of("a"), record(), soon());
  clock.advance(20min);
  store->touch(key_of("a"), 7, clock.now(), soon());
  clock.advance(20min);
  EXPECT_EQ(store->sweep({}, soon()).removed, 0u);
  EXPECT_TRUE(store->load(key_of("a"), soon()));
  EXPECT_EQ(due_of_all(), std::to_string((clock.now() + 10min).time_since_epoch().count()));
  clock.advance(10min);
  EXPECT_EQ(store->sweep({}, soon()).removed, 1u);
}

TEST_F(SqliteVerbs, ATombstoneIsSweptAfterItsGrace) {
  store->create(key_of("a"), record(), soon());
  auto ended = record("", 2);
  ended.state = State::ended;
  ended.ends = clock.now() + 1min;
  store->commit(key_of("a"), {7, 1}, ended, soon());
  clock.advance(1min);
  const auto answer = store->sweep({}, soon());
  EXPECT_EQ(answer.removed, 1u);
  EXPECT_EQ(answer.sessions, 0u);
}

TEST_F(SqliteVerbs, OldSessionsAreRemovedAPageAtATime) {
  for (int i = 0; i < 450; ++i) {
    auto r = record();
    if (i % 3 == 0) r.accessed += 10min;
    store->create(key_of(std::to_string(i)), r, soon());
  }
  clock.advance(20min);
  EXPECT_EQ(store->sweep({.budget = 7, .accessed_before = clock.now() - 15min}, soon()).removed, 7u);
  EXPECT_EQ(delete_old_sessions(*store, 15min, clock.now(), soon()), 293u);
  EXPECT_EQ(store->scan()->count(soon()), 150u);
}

TEST_F(SqliteVerbs, AWalkOverManyPagesSeesEachSessionOnce) {
  std::set<SessionKey> put, seen;
  for (int i = 0; i < 250; ++i) {
    put.insert(key_of(std::to_string(i)));
    store->create(key_of(std::to_string(i)), record(), soon());
  }
  std::size_t calls = 0;
  store->scan()->iter_sessions(
      [&](const KeyedRecord& each) {
        seen.insert(each.key);
        store->touch(each.key, 7, clock.now() + 1s, soon());  // no lock is held
        return ++calls > 0;
      },
      soon());
  EXPECT_EQ(calls, 250u);
  EXPECT_EQ(seen, put);
}

// ## Damaged rows

TEST_F(SqliteVerbs, ADamagedRowIsCorruptAndStaysAndStopsNobody) {
  const char* const damages[] = {"record = x''", "record = zeroblob(124)", "record = substr(record, 1, length(record) - 1)", "record = substr(record, 1, 123)", "record = substr(record, 1, 35)",
                                 "record = CAST(record AS TEXT)", "record = CAST(record || 'x' AS BLOB)", "record = 5",
                                 "record = (SELECT record FROM sancho_sessions LIMIT 1)", "accessed = 'x'", "accessed = 1 << 60"};
  for (int i = 0; i < 3; ++i) store->create(key_of("whole" + std::to_string(i)), record(), soon());
  std::size_t made = 0;
  for (const char* damage : damages) {
    const auto key = key_of(damage);
    auto r = record();
    r.subject = "who";
    store->create(key, r, soon());
    Raw(path).run("UPDATE sancho_sessions SET " + std::string(damage) + " WHERE substr(record, 5, 32) = x'" + key.hex() + "'");
    ++made;
    EXPECT_EQ(trouble_of([&] { store->touch(key, 7, clock.now() + 1s, soon()); }), Trouble::corrupt) << damage;
    EXPECT_EQ(trouble_of([&] { store->load(key, soon()); }), Trouble::corrupt) << damage;
    EXPECT_EQ(trouble_of([&] { store->create(key, r, soon()); }), Trouble::corrupt) << damage;
    EXPECT_EQ(trouble_of([&] { store->commit(key, r.version, r, soon()); }), Trouble::corrupt) << damage;
    EXPECT_EQ(trouble_of([&] { store->erase(key, {}, soon()); }), Trouble::corrupt) << damage;
  }
  std::size_t seen = 0;
  store->scan()->iter_sessions([&](const KeyedRecord&) { return ++seen > 0; }, soon());
  EXPECT_EQ(seen, 3u);
  EXPECT_TRUE(store->subjects()->find_by_subject("who", soon()).empty());
  clock.advance(13h);
  std::size_t removed = 0;
  for (int calls = 0; calls < 20; ++calls) removed += store->sweep({.budget = 2, .accessed_before = {}}, soon()).removed;
  EXPECT_EQ(removed, 3u);
  EXPECT_EQ(Raw(path).ask("SELECT count(*) FROM sancho_sessions"), std::to_string(made));
  EXPECT_EQ(delete_old_sessions(*store, 1h, clock.now(), soon()), 0u);
  EXPECT_EQ(Raw(path).ask("SELECT count(*) FROM sancho_sessions"), std::to_string(made));
}

// It is found by the column, and everything else is decided by the record.
TEST_F(SqliteVerbs, ASubjectThatIsNotTheColumnsIsNoticedByWhoeverWrites) {
  for (const char* damage : {"'who'", "x'776f'", "x''", "x'776f78'"}) {
    const auto key = key_of(damage);
    auto r = record();
    r.subject = "who";
    store->create(key, r, soon());
    Raw(path).run("UPDATE sancho_sessions SET subject = " + std::string(damage) + " WHERE substr(record, 5, 32) = x'" + key.hex() + "'");
    EXPECT_EQ(trouble_of([&] { store->touch(key, 7, clock.now() + 1s, soon()); }), Trouble::corrupt) << damage;
    EXPECT_EQ(trouble_of([&] { store->commit(key, r.version, r, soon()); }), Trouble::corrupt) << damage;
    EXPECT_EQ(store->load(key, soon()), r) << damage;
    for (const char* subject : {"who", "wo", "wox"}) EXPECT_TRUE(store->subjects()->find_by_subject(subject, soon()).empty()) << subject;
    EXPECT_TRUE(std::holds_alternative<Removed>(store->erase(key, {}, soon()))) << damage;
  }
}

TEST_F(SqliteVerbs, NoBitOfARecordFlipsUnnoticed) {
  auto r = record();
  r.subject = "who", r.handle = *Handle::parse("AAAAAAAAAAAAAAAA");
  store->create(key_of("a"), r, soon());
  Raw raw(path);
  const auto hex = raw.ask("SELECT hex(record) FROM sancho_sessions");
  ASSERT_EQ(hex.size(), 2 * (124 + r.subject.size() + r.payload.size()));
  for (std::size_t at = 0; at < hex.size(); ++at)
    for (const int bit : {1, 2, 4, 8}) {
      auto damaged = hex;
      damaged[at] = "0123456789ABCDEF"[(damaged[at] <= '9' ? damaged[at] - '0' : damaged[at] - 'A' + 10) ^ bit];
      raw.run("UPDATE sancho_sessions SET record = x'" + damaged + "'");
      EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), soon()); }), Trouble::corrupt) << damaged;
    }
  raw.run("UPDATE sancho_sessions SET record = x'" + hex + "'");
  EXPECT_EQ(store->load(key_of("a"), soon()), r);
}

// ## What an operator asks

TEST_F(SqliteVerbs, TheViewSaysWhatIsInARow) {
  auto r = record();
  r.created = Time{-1ms}, r.accessed = clock.now() + 5ms;
  r.subject = "ada", r.handle = *Handle::parse("Abc-_0123456789Z");
  store->create(key_of("a"), r, soon());
  auto nobodys = record("", 1);
  nobodys.state = State::note;
  store->create(key_of("b"), nobodys, soon());
  Raw raw(path);
  const auto of = [&](const char* name, const char* column) {
    return raw.ask(std::string("SELECT ") + column + " FROM sancho_readable WHERE key = '" + key_of(name).hex() + "'");
  };
  const auto ms = [](Time t) { return std::to_string(t.time_since_epoch().count()); };
  EXPECT_EQ(of("a", "state"), "1");
  EXPECT_EQ(of("a", "created"), "-1");
  EXPECT_EQ(of("a", "accessed"), ms(r.accessed));
  EXPECT_EQ(of("a", "idle"), std::to_string(r.idle.count()));
  EXPECT_EQ(of("a", "ends"), ms(r.ends));
  EXPECT_EQ(of("a", "due"), ms(r.expires()));
  EXPECT_EQ(of("a", "subject"), "ada");
  EXPECT_EQ(of("a", "handle"), "Abc-_0123456789Z");
  EXPECT_EQ(of("a", "bytes"), "7");
  EXPECT_EQ(of("b", "state"), "4");
  EXPECT_EQ(of("b", "handle"), "");
  EXPECT_EQ(of("b", "bytes"), "0");
}

}  // namespace
}  // namespace sancho::sqlite_test
