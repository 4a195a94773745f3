// Keys whose first 62 bits are the same: their rows stand behind each other, and none
// is lost or taken for another, whatever becomes of those in front of it.
#include <algorithm>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "sqlite_fixture.hpp"

namespace sancho::sqlite_test {
namespace {

class SqliteBuckets : public SqliteStoreTest {
 protected:
  static constexpr int groups = 3, members = 6;

  // Those of a group have one home, and the next group's is the bucket behind it.
  static SessionKey key(int group, int member) {
    std::string bytes(32, '\x11');
    bytes[7] = static_cast<char>(group << 2);
    bytes[31] = static_cast<char>(member);
    return *SessionKey::from_bytes(bytes);
  }
  static constexpr std::int64_t home(int group) { return (0x1111111111111100 >> 2) + group; }

  // No row is in front of its home, and between both there is no gap.
  void expect_order() {
    std::istringstream rows(Raw(path).ask("SELECT group_concat(bucket || ' ' || hex(substr(record, 12, 1)), ' ') FROM sancho_sessions"));
    std::map<std::int64_t, int> groups_at;
    std::int64_t bucket = 0;
    int byte = 0;
    while (rows >> std::dec >> bucket >> std::hex >> byte) groups_at[bucket] = byte >> 2;
    for (const auto& [at, group] : groups_at) {
      EXPECT_GE(at, home(group));
      for (auto between = home(group); between < at; ++between) EXPECT_TRUE(groups_at.count(between)) << "a gap";
    }
  }
  std::size_t rows() { return std::stoul(Raw(path).ask("SELECT count(*) FROM sancho_sessions")); }
};

TEST_F(SqliteBuckets, EachKeyHasItsOwnRecordWhateverBecomesOfTheOthers) {
  const auto seed = std::random_device{}();
  SCOPED_TRACE("seed " + std::to_string(seed));
  std::minstd_rand chance(seed);
  const auto below = [&](int n) { return static_cast<int>(chance() % static_cast<unsigned>(n)); };
  const auto store = open();
  std::map<SessionKey, Record> model;
  for (int step = 0; step < 1500; ++step) {
    const auto k = key(below(groups), below(members));
    const auto there = model.find(k);
    switch (below(there == model.end() ? 2 : 6)) {
      case 0:
      case 1: {
        auto r = record("made " + std::to_string(step), static_cast<std::uint64_t>(step) + 1);
        r.subject = below(2) ? "ada" : "";
        r.idle = below(3) ? Duration{30min} : Duration{1min};
        const auto answer = store->create(k, r, soon());
        if (there == model.end()) {
          EXPECT_TRUE(std::holds_alternative<Done>(answer));
          model[k] = r;
        } else {
          ASSERT_TRUE(std::holds_alternative<Taken>(answer));
          EXPECT_EQ(std::get<Taken>(answer).current, there->second);
        }
        break;
      }
      case 2: {
        auto next = there->second;
        ++next.version.counter;
        next.payload = std::string(static_cast<std::size_t>(below(3000)), 'c');
        next.accessed = std::max(next.accessed, clock.now());
        if (below(3) == 0) next.idle = Duration{1min};  // sooner
        const auto wrong = next.version;
        EXPECT_TRUE(std::holds_alternative<Conflict>(store->commit(k, wrong, next, soon())));
        EXPECT_TRUE(std::holds_alternative<Done>(store->commit(k, there->second.version, next, soon())));
        there->second = next;
        break;
      }
      case 3:
        EXPECT_TRUE(std::holds_alternative<Done>(store->touch(k, 7, there->second.accessed + 1s, soon())));
        there->second.accessed += 1s;
        break;
      case 4:
        EXPECT_TRUE(std::holds_alternative<Removed>(store->erase(k, {}, soon())));
        model.erase(there);
        break;
      case 5:
        if (below(8) == 0) {
          clock.advance(2min);
          std::erase_if(model, [&](const auto& each) { return each.second.expired(clock.now()); });
          if (below(2)) {
            while (store->sweep({.budget = static_cast<std::size_t>(1 + below(5))}, soon()).more) {
            }
            EXPECT_EQ(rows(), model.size());
          }
        }
        break;
    }
    for (int group = 0; group < groups; ++group)
      for (int member = 0; member < members; ++member) {
        const auto found = store->load(key(group, member), soon());
        const auto expected = model.find(key(group, member));
        ASSERT_EQ(found.has_value(), expected != model.end()) << "step " << step;
        if (found) {
          ASSERT_EQ(*found, expected->second) << "step " << step;
        }
      }
    if (step % 10 == 0) expect_order();
    if (testing::Test::HasFailure()) return;
  }
  EXPECT_EQ(Raw(path).ask("PRAGMA integrity_check"), "ok");
}

TEST_F(SqliteBuckets, WhoIsNotThereIsNeitherCommittedNorTouchedNorErased) {
  const auto store = open();
  for (int member = 0; member < 3; ++member) store->create(key(0, member), record(), soon());
  EXPECT_TRUE(std::holds_alternative<Gone>(store->commit(key(0, 9), {7, 1}, record("x", 2), soon())));
  EXPECT_TRUE(std::holds_alternative<Gone>(store->touch(key(0, 9), 7, clock.now() + 1s, soon())));
  EXPECT_TRUE(std::holds_alternative<Absent>(store->erase(key(0, 9), {}, soon())));
  EXPECT_TRUE(std::holds_alternative<Gone>(store->commit(key(1, 0), {7, 1}, record("x", 2), soon()))) << "another's home";
  for (int member = 0; member < 3; ++member) EXPECT_EQ(store->load(key(0, member), soon()), record());
}

TEST_F(SqliteBuckets, AWalkAndAUsersSessionsHaveAllOfThem) {
  const auto store = open();
  std::set<SessionKey> put, walked, found;
  for (int member = 0; member < 5; ++member) {
    auto r = record();
    r.subject = "ada";
    store->create(key(0, member), r, soon());
    put.insert(key(0, member));
  }
  store->scan()->iter_sessions([&](const KeyedRecord& each) { return walked.insert(each.key).second; }, soon());
  for (const auto& each : store->subjects()->find_by_subject("ada", soon())) found.insert(each.key);
  EXPECT_EQ(walked, put);
  EXPECT_EQ(found, put);
}

TEST_F(SqliteBuckets, ADamagedRowInTheWayHidesNobody) {
  const auto store = open();
  for (int member = 0; member < 4; ++member) store->create(key(0, member), record(), soon());
  Raw(path).run("UPDATE sancho_sessions SET record = substr(record, 1, 60) WHERE bucket = " + std::to_string(home(0) + 1));
  Raw(path).run("UPDATE sancho_sessions SET record = x'' WHERE bucket = " + std::to_string(home(0) + 2));
  EXPECT_EQ(trouble_of([&] { store->load(key(0, 1), soon()); }), Trouble::corrupt);
  EXPECT_EQ(store->load(key(0, 3), soon()), record());
  EXPECT_TRUE(std::holds_alternative<Removed>(store->erase(key(0, 0), {}, soon())));
  EXPECT_EQ(trouble_of([&] { store->load(key(0, 1), soon()); }), Trouble::corrupt);
  EXPECT_EQ(store->load(key(0, 3), soon()), record());
}

// Its key may be what is damaged: then it may be anybody's whose home it is at.
TEST_F(SqliteBuckets, NobodyIsAbsentWhoseHomeHasADamagedRow) {
  const auto store = open();
  store->create(key(0, 0), record(), soon());
  Raw(path).run("UPDATE sancho_sessions SET record = x''");
  for (int member = 0; member < 2; ++member) {
    EXPECT_EQ(trouble_of([&] { store->load(key(0, member), soon()); }), Trouble::corrupt);
    EXPECT_EQ(trouble_of([&] { store->create(key(0, member), record(), soon()); }), Trouble::corrupt);
    EXPECT_EQ(trouble_of([&] { store->commit(key(0, member), {7, 1}, record("x", 2), soon()); }), Trouble::corrupt);
    EXPECT_EQ(trouble_of([&] { store->touch(key(0, member), 7, clock.now() + 1s, soon()); }), Trouble::corrupt);
    EXPECT_EQ(trouble_of([&] { store->erase(key(0, member), {}, soon()); }), Trouble::corrupt);
  }
  EXPECT_FALSE(store->load(key(1, 0), soon()));
}

TEST_F(SqliteBuckets, TheLastHomesHaveBucketsBehindThem) {
  const auto store = open();
  std::string bytes(32, '\xff');
  for (int i = 0; i < 5; ++i) {
    bytes[31] = static_cast<char>(i);
    EXPECT_TRUE(std::holds_alternative<Done>(store->create(*SessionKey::from_bytes(bytes), record(std::to_string(i)), soon())));
  }
  for (int i = 0; i < 5; ++i) {
    bytes[31] = static_cast<char>(i);
    EXPECT_EQ(store->load(*SessionKey::from_bytes(bytes), soon())->payload, std::to_string(i));
  }
}

}  // namespace
}  // namespace sancho::sqlite_test
