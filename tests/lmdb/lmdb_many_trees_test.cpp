// A database of schema 1, which has a table of LMDB's for each kind and namespace:
// used as it is, so that a program which knows no other can go on beside this one.
#include "lmdb_fixture.hpp"

namespace sancho::lmdb_test {
namespace {

class LmdbManyTrees : public LmdbStoreTest {
 protected:
  LmdbManyTrees() { make_of_many_trees(); }

  // As that program writes them: the access time, the moment it is due, and their
  // checksum, then the record.
  static std::string number(Time t) {
    const auto n = static_cast<std::uint64_t>(t.time_since_epoch().count()) ^ std::uint64_t{1} << 63;
    std::string bytes;
    for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(n >> shift);
    return bytes;
  }
};

TEST_F(LmdbManyTrees, StaysAsItIs) {
  auto r = record("kept");
  r.subject = "amy";
  {
    const auto store = open(), shop = open({.name_space = "shop"});
    store->create(key_of("a"), r, soon());
    store->epochs()->set_epoch("amy", 5, clock.time + 1h, soon());
    shop->create(key_of("b"), record(), soon());
    EXPECT_EQ(store->load(key_of("a"), soon()), r);
    EXPECT_FALSE(store->load(key_of("b"), soon()));
    EXPECT_EQ(store->subjects()->find_by_subject("amy", soon()).size(), 1u);
  }
  const std::string key(key_of("a").bytes());
  Raw raw(path);
  const auto names = raw.all(nullptr);
  EXPECT_EQ(names.size(), 9u) << "the mark, and four tables for each of two namespaces";
  EXPECT_EQ(names.at("sancho"), "1");
  EXPECT_TRUE(names.contains("sancho_shop_sessions"));
  const auto sessions = raw.all("sancho_sessions");
  ASSERT_EQ(sessions.size(), 1u);
  const auto& value = sessions.at(key);
  EXPECT_EQ(value.substr(0, 16), number(r.accessed) + number(r.expires()));
  EXPECT_EQ(decode_record(std::string_view(value).substr(20)), r);
  EXPECT_EQ(raw.all("sancho_due").size(), 2u);
  EXPECT_TRUE(raw.all("sancho_due").contains(number(r.expires()) + key));
  EXPECT_EQ(raw.all("sancho_subjects").size(), 1u);
  EXPECT_EQ(raw.all("sancho_epochs").size(), 1u);
}

TEST_F(LmdbManyTrees, ATouchASaveASweepAndAWalkAreAsEverywhere) {
  const auto store = open();
  for (int i = 0; i < 10; ++i) store->create(key_of(std::to_string(i)), record(), soon());
  clock.advance(20min);
  EXPECT_TRUE(std::holds_alternative<Done>(store->touch(key_of("0"), 7, clock.time, soon())));
  auto next = record("saved", 2);
  EXPECT_TRUE(std::holds_alternative<Done>(store->commit(key_of("1"), {7, 1}, next, soon())));
  clock.advance(10min);
  EXPECT_EQ(store->sweep({}, soon()).removed, 8u);
  EXPECT_EQ(store->scan()->count(soon()), 2u);
  EXPECT_EQ(store->load(key_of("1"), soon()), next);
}

TEST_F(LmdbManyTrees, ARecordOfANewerVersionIsUnavailable) {
  { open()->create(key_of("a"), record(), soon()); }
  const std::string key(key_of("a").bytes());
  {
    Raw raw(path);
    auto value = raw.all("sancho_sessions").at(key);
    value[23] = 2;  // the format's number, which no checksum covers
    raw.put("sancho_sessions", key, value);
  }
  EXPECT_EQ(trouble_of([&] { open()->load(key_of("a"), soon()); }), Trouble::unavailable);
}

TEST_F(LmdbManyTrees, SixteenNamespacesAreAsManyAsAProcessCanOpen) {
  std::vector<std::unique_ptr<SessionStore>> stores;
  for (int i = 0; i < 16; ++i) stores.push_back(open({.name_space = std::to_string(i)}));
  std::string says;
  EXPECT_EQ(trouble_of([&] { open({.name_space = "seventeenth"}); }, &says), Trouble::refused);
  EXPECT_NE(says.find("16 namespaces"), says.npos) << says;
  for (auto& each : stores) EXPECT_TRUE(std::holds_alternative<Done>(each->create(key_of("a"), record(), soon())));
}

TEST_F(LmdbManyTrees, ANamespaceThatIsNotThereIsNotMadeByAReader) {
  { open()->create(key_of("a"), record(), soon()); }
  EXPECT_EQ(trouble_of([&] { open({.read_only = true, .name_space = "absent"}); }), Trouble::refused);
  EXPECT_EQ(open({.read_only = true})->load(key_of("a"), soon()), record());
}

}  // namespace
}  // namespace sancho::lmdb_test
