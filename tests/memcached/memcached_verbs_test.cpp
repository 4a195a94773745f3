// What the conformance suite cannot see: the items behind the records.
#include "memcached_fixture.hpp"

namespace sancho::memcached_test {
namespace {

class MemcachedVerbs : public MemcachedTest {
 protected:
  Server server;
  std::unique_ptr<SessionStore> store = open(server);
  Raw raw{server.port()};
  SessionKey key = key_of("session");
};

TEST_F(MemcachedVerbs, AnErasedRecordLeavesNothing) {
  put(*store, key, record());
  EXPECT_TRUE(raw.has(item_of(key)));
  EXPECT_TRUE(std::holds_alternative<Removed>(store->erase(key, std::nullopt, soon())));
  EXPECT_FALSE(raw.has(item_of(key)));
}

// A server may show it for a moment, if its clock says so.
TEST_F(MemcachedVerbs, WhatStandsForARemovedRecordIsAbsentAndNotInTheWay) {
  raw.set(item_of(key), "");
  EXPECT_FALSE(store->load(key, soon()));
  EXPECT_TRUE(std::holds_alternative<Gone>(store->commit(key, record().version, record(), soon())));
  EXPECT_TRUE(std::holds_alternative<Gone>(store->touch(key, 7, clock.now(), soon())));
  EXPECT_TRUE(std::holds_alternative<Absent>(store->erase(key, std::nullopt, soon())));
  put(*store, key, record("new"));
  EXPECT_EQ(store->load(key, soon())->payload, "new");
}

TEST_F(MemcachedVerbs, AnExpiredRecordThatIsStillThereIsNotInTheWay) {
  put(*store, key, record("old"));
  clock.advance(31min);
  ASSERT_TRUE(raw.has(item_of(key)));
  EXPECT_FALSE(store->load(key, soon()));
  EXPECT_TRUE(std::holds_alternative<Absent>(store->erase(key, std::nullopt, soon())));
  put(*store, key, record("new"));
  EXPECT_EQ(store->load(key, soon())->payload, "new");
}

TEST_F(MemcachedVerbs, AnEvictedRecordIsGoneForEveryVerb) {
  const auto r = put(*store, key, record());
  raw.ask("delete " + item_of(key));  // as eviction does it
  EXPECT_FALSE(store->load(key, soon()));
  EXPECT_TRUE(std::holds_alternative<Gone>(store->commit(key, r.version, record("late", 2), soon())));
  EXPECT_TRUE(std::holds_alternative<Gone>(store->touch(key, r.version.incarnation, clock.now() + 1s, soon())));
  EXPECT_TRUE(std::holds_alternative<Absent>(store->erase(key, r.version, soon())));
  EXPECT_FALSE(raw.has(item_of(key))) << "a late save revived it";
}

TEST_F(MemcachedVerbs, DamagedRecordsAreCorruptAndStay) {
  put(*store, key, record());
  std::string damaged = encode_record(record());
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  for (const auto& value : {damaged, std::string("x"), std::string("hello"), std::string(5000, '\r')}) {
    raw.set(item_of(key), value);
    EXPECT_EQ(trouble_of([&] { store->load(key, soon()); }).kind(), Trouble::corrupt);
    EXPECT_EQ(trouble_of([&] { store->create(key, record(), soon()); }).kind(), Trouble::corrupt);
    EXPECT_EQ(trouble_of([&] { store->commit(key, {7, 1}, record(), soon()); }).kind(), Trouble::corrupt);
    EXPECT_EQ(trouble_of([&] { store->touch(key, 7, clock.now(), soon()); }).kind(), Trouble::corrupt);
    const auto trouble = trouble_of([&] { store->erase(key, std::nullopt, soon()); });
    EXPECT_EQ(trouble.kind(), Trouble::corrupt);
    EXPECT_NE(std::string(trouble.what()).find(store->name()), std::string::npos) << trouble.what();
    EXPECT_TRUE(raw.has(item_of(key)));
  }
}

TEST_F(MemcachedVerbs, ATimeThatNoCalendarHoldsIsRefused) {
  auto odd = record();
  odd.ends = Time{Duration::max()};
  EXPECT_EQ(trouble_of([&] { store->create(key, odd, soon()); }).kind(), Trouble::refused);
  put(*store, key, record());
  EXPECT_EQ(trouble_of([&] { store->touch(key, 7, Time{Duration::max()}, soon()); }).kind(), Trouble::refused);
}

TEST_F(MemcachedVerbs, AnAgeCannotBeSweptAndNothingElseNeedsTo) {
  put(*store, key, record());
  EXPECT_EQ(trouble_of([&] { store->sweep({.budget = 1, .accessed_before = clock.now()}, soon()); }).kind(),
            Trouble::refused);
  EXPECT_EQ(store->sweep({}, soon()).removed, 0u);
}

TEST_F(MemcachedVerbs, ATouchThatRaisesNothingWritesNothing) {
  const auto r = put(*store, key, record());
  const auto before = raw.statistic("cmd_set");
  EXPECT_TRUE(std::holds_alternative<Done>(store->touch(key, r.version.incarnation, r.accessed, soon())));
  EXPECT_EQ(raw.statistic("cmd_set"), before);
  EXPECT_TRUE(std::holds_alternative<Done>(store->touch(key, r.version.incarnation, r.accessed + 1s, soon())));
  EXPECT_EQ(raw.statistic("cmd_set"), before + 1);
}

TEST_F(MemcachedVerbs, EveryVerbReadsOnceAndWritesAtMostOnce) {
  auto gets = raw.statistic("cmd_get"), writes = raw.statistic("cmd_set");
  const auto expect_more = [&](const char* verb, long more_gets, long more_writes) {
    EXPECT_EQ(raw.statistic("cmd_get"), gets += more_gets) << verb;
    EXPECT_EQ(raw.statistic("cmd_set"), writes += more_writes) << verb;
  };
  const auto r = put(*store, key, record());
  expect_more("create", 1, 1);
  store->load(key, soon());
  expect_more("load", 1, 0);
  store->commit(key, r.version, record("next", 2), soon());
  expect_more("commit", 1, 1);
  store->commit(key, r.version, record("late", 2), soon());
  expect_more("a commit in conflict", 1, 0);
  store->touch(key, r.version.incarnation, clock.now() + 1s, soon());
  expect_more("touch", 1, 1);
  store->erase(key, std::nullopt, soon());
  expect_more("erase", 1, 1);
}

// ## Room

TEST_F(MemcachedVerbs, ARecordThatIsTooLargeIsRefusedAndNothingIsChanged) {
  const auto r = put(*store, key, record("small"));
  for (const std::size_t size : {std::size_t{1} << 20, std::size_t{3} << 20, (std::size_t{1} << 20) - 200}) {
    const auto large = record(std::string(size, 'x'), 2);
    for (const auto& trouble : {trouble_of([&] { store->commit(key, r.version, large, soon()); }),
                                trouble_of([&] { store->create(key_of("another"), large, soon()); })}) {
      EXPECT_EQ(trouble.kind(), Trouble::refused);
      EXPECT_FALSE(trouble.maybe_done());
      EXPECT_NE(std::string(trouble.what()).find("-I"), std::string::npos) << trouble.what();
    }
    EXPECT_EQ(store->load(key, soon()), r);
    EXPECT_FALSE(store->load(key_of("another"), soon()));
  }
}

// Around the limit, each size is kept whole or refused before it is sent.
TEST_F(MemcachedVerbs, TheLimitIsTheServers) {
  int kept = 0, refused = 0;
  for (std::size_t size = (1 << 20) - 500; size < 1 << 20; size += 7) {
    const auto each = key_of(std::to_string(size));
    const auto r = record(std::string(size, 'x'));
    try {
      put(*store, each, r);
      EXPECT_EQ(store->load(each, soon()), r);
      ++kept;
    } catch (const StoreError& e) {
      EXPECT_EQ(e.kind(), Trouble::refused) << e.what();
      ++refused;
    }
  }
  EXPECT_GT(kept, 10);
  EXPECT_GT(refused, 10);
  EXPECT_EQ(raw.statistic("store_too_large"), 0) << "one was sent that the server could not take";
}

TEST_F(MemcachedVerbs, AServerThatMayNotEvictIsFullAndKeepsWhatItHas) {
  const Server small({"-M", "-m", "8"});
  const auto full = open(small);
  const auto value = std::string(100'000, 'x');
  int there = 0;
  std::optional<StoreError> trouble;
  for (; there < 1000 && !trouble; ++there) {
    try {
      full->create(key_of(std::to_string(there)), record(value), soon());
    } catch (const StoreError& e) {
      trouble = e;
    }
  }
  ASSERT_TRUE(trouble);
  EXPECT_EQ(trouble->kind(), Trouble::full) << trouble->what();
  EXPECT_FALSE(trouble->maybe_done());
  EXPECT_NE(std::string(trouble->what()).find("-m"), std::string::npos) << trouble->what();
  ASSERT_GT(there, 5);
  EXPECT_FALSE(full->load(key_of(std::to_string(there - 1)), soon()));
  const auto first = key_of("0");
  EXPECT_EQ(trouble_of([&] {
              full->commit(first, {7, 1}, record(std::string(100'000, 'y'), 2), soon());
            }).kind(),
            Trouble::full);
  EXPECT_EQ(full->load(first, soon()), record(value)) << "the old state is intact";
  EXPECT_TRUE(std::holds_alternative<Removed>(full->erase(first, std::nullopt, soon())))
      << "what gives room back works";
}

}  // namespace
}  // namespace sancho::memcached_test
