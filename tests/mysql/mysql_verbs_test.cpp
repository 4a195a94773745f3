// What the conformance suite cannot see: other namespaces, damage, indexes, bytes.
#include "../support/skip.hpp"
#include "mysql_fixture.hpp"

namespace sancho::mysql_test {
namespace {

class MysqlVerbs : public testing::Test {
 protected:
  void SetUp() override {
    const auto found = options_from("SANCHO_TEST_MYSQL");
    if (!found) SANCHO_SKIP("SANCHO_TEST_MYSQL is not set");
    place.emplace(*found);
    store = place->open();
  }
  std::optional<Namespace> place;
  std::unique_ptr<SessionStore> store;
};

TEST_F(MysqlVerbs, NamespacesNeverMeet) {
  const Namespace other_place(place->options());
  const auto other = other_place.open();
  auto record = record_of();
  record.subject = "ada";
  store->create(key_of("a"), record, soon());
  EXPECT_FALSE(other->load(key_of("a"), soon()));
  EXPECT_TRUE(other->subjects()->find_by_subject("ada", soon()).empty());
  EXPECT_EQ(other->scan()->count(soon()), 0u);
  other->scan()->walk([](const KeyedRecord&) { return ADD_FAILURE() << "a record of another namespace", true; },
                      soon());
  EXPECT_TRUE(std::holds_alternative<Absent>(other->erase(key_of("a"), {}, soon())));
  EXPECT_TRUE(std::holds_alternative<Gone>(other->touch(key_of("a"), 7, record.accessed + 1s, soon())));
  EXPECT_TRUE(std::holds_alternative<Gone>(other->commit(key_of("a"), {7, 1}, record, soon())));
  other->epochs()->set_epoch("", 5, system_clock().now() + 1h, soon());
  other->epochs()->set_epoch("ada", 6, system_clock().now() + 1h, soon());
  EXPECT_EQ(store->epochs()->epochs("ada", soon()), EpochsSeen{});
  EXPECT_TRUE(std::holds_alternative<Done>(other->create(key_of("a"), record, soon())));
  other->sweep({.budget = 100, .accessed_before = record.accessed + 1h}, soon());
  EXPECT_EQ(store->load(key_of("a"), soon()), record);
}

TEST_F(MysqlVerbs, MetacharactersAreBytes) {
  for (const std::string text :
       {"'", "\\", "\\'", "x'", "%", "_", "';DROP TABLE sancho_sessions;--", "\x1a", "\"`", "a\0b"}) {
    auto record = record_of(text);
    record.subject = text + "!";
    ASSERT_TRUE(std::holds_alternative<Done>(store->create(key_of(text), record, soon())));
    EXPECT_EQ(store->load(key_of(text), soon()), record);
    const auto found = store->subjects()->find_by_subject(record.subject, soon());
    ASSERT_EQ(found.size(), 1u) << text;
    EXPECT_EQ(found[0].record, record);
  }
}

TEST_F(MysqlVerbs, DamageIsCorruptAndStays) {
  const char* const damages[] = {"state=9", "handle='short'", "ends=9223372036854775807",
                                 "created=-9223372036854775808"};
  Raw raw(place->options());
  for (const auto* damage : damages) {
    const auto key = key_of(damage);
    ASSERT_TRUE(std::holds_alternative<Done>(store->create(key, record_of(), soon())));
    raw.run("UPDATE " + place->table("sessions") + " SET due=0," + damage + " WHERE k=x'" + key.hex() + "'");
    EXPECT_EQ(trouble_of([&] { store->load(key, soon()); }), Trouble::corrupt) << damage;
    EXPECT_EQ(trouble_of([&] { store->create(key, record_of(), soon()); }), Trouble::corrupt) << damage;
    EXPECT_EQ(trouble_of([&] { store->erase(key, {}, soon()); }), Trouble::corrupt) << damage;
  }
  auto brief = record_of();
  brief.ends = brief.created;
  store->create(key_of("brief"), brief, soon());
  EXPECT_EQ(store->sweep({}, soon()).removed, 1u) << "it passes damaged rows over";
  store->scan()->walk([](const KeyedRecord&) { return ADD_FAILURE() << "a damaged row", true; }, soon());
  EXPECT_EQ(raw.ask("SELECT COUNT(*) FROM " + place->table("sessions")), std::to_string(std::size(damages)));
}

TEST_F(MysqlVerbs, ARecordLargerThanTheServerTakesIsRefusedAndSaysWhatToChange) {
  store->create(key_of("a"), record_of(), soon());
  const auto most = std::stoul(Raw(place->options()).ask("SELECT @@max_allowed_packet"));
  std::string message;
  bool maybe_done = true;
  EXPECT_EQ(trouble_of(
                [&] {
                  store->commit(key_of("a"), {7, 1}, record_of(std::string(most / 2, 'x'), 2), soon());
                },
                &message, &maybe_done),
            Trouble::refused);
  EXPECT_NE(message.find("max_allowed_packet"), std::string::npos) << message;
  EXPECT_FALSE(maybe_done);
  EXPECT_EQ(store->load(key_of("a"), soon())->payload, "payload");
}

TEST_F(MysqlVerbs, TouchesAndCommitsMoveNoIndex) {
  auto record = record_of();
  store->create(key_of("a"), record, soon());
  Raw raw(place->options());
  const auto due = [&] { return raw.ask("SELECT due FROM " + place->table("sessions")); };
  const auto before = due();
  store->touch(key_of("a"), 7, record.accessed + 1min, soon());
  record.version.counter = 2;
  record.accessed += 2min;
  store->commit(key_of("a"), {7, 1}, record, soon());
  EXPECT_EQ(due(), before);
  record.version.counter = 3;
  record.state = State::ended;
  record.ends = record.created + 1min;
  store->commit(key_of("a"), {7, 2}, record, soon());
  EXPECT_LT(std::stoll(due()), std::stoll(before)) << "a tombstone is swept when it is due";
}

// A change of everyone's epoch whose process died on the way is ended by whoever asks.
TEST_F(MysqlVerbs, AnUnfinishedChangeOfEveryonesEpochIsFinishedByTheNextWhoAsks) {
  Raw raw(place->options());
  raw.run("UPDATE " + place->table("everyone") + " SET epoch=77, seq=1 WHERE gate<5");
  EXPECT_EQ(store->epochs()->epochs("", soon()).everyone, 77u);
  EXPECT_EQ(raw.ask("SELECT COUNT(*) FROM " + place->table("everyone") + " WHERE epoch=77 AND seq=1"), "17");
}

TEST_F(MysqlVerbs, OfTwoChangesOfEveryonesEpochTheLaterIsLeftInEveryGate) {
  Raw raw(place->options());
  store->epochs()->set_epoch("", 5, system_clock().now() + 1h, soon());
  // A later one that has come to half of the gates.
  raw.run("UPDATE " + place->table("everyone") + " SET epoch=9, seq=9 WHERE gate%2=0");
  const auto seen = store->epochs()->epochs("", soon());
  EXPECT_EQ(seen.everyone, 9u);
  EXPECT_EQ(raw.ask("SELECT COUNT(*) FROM " + place->table("everyone") + " WHERE epoch=9 AND seq=9"), "17");
  auto record = record_of();
  record.subject = "ada";
  const Admission admission{.seen = seen};
  for (int i = 0; i < 40; ++i)
    EXPECT_TRUE(std::holds_alternative<Done>(store->create(key_of(std::to_string(i)), record, soon(), &admission)));
}

}  // namespace
}  // namespace sancho::mysql_test
