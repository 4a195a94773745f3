// What is particular to keeping records in LMDB's tables. The contract itself
// is the conformance suite's business.
#include <atomic>
#include <set>
#include <thread>

#include "lmdb_fixture.hpp"
#include "sancho/open_store.hpp"

namespace sancho::lmdb_test {
namespace {

class LmdbVerbs : public LmdbStoreTest {
 protected:
  std::unique_ptr<SessionStore> store = open();
  // With no store open: what stands in a table.
  Raw::Table table(const std::string& prefix) {
    store.reset();
    auto all = Raw(path).part(prefix);
    store = open();
    return all;
  }
  void put_raw(const std::string& prefix, std::string_view key, std::string_view value) {
    store.reset();
    Raw(path).put(nullptr, prefix + std::string(key), value);
    store = open();
  }
};

TEST_F(LmdbVerbs, MetacharactersNulAndLongSubjectsComeBackAsTheyWere) {
  const std::string nasty[] = {"'; DROP TABLE sancho_sessions; --",
                               "%_?1:a@b$c",
                               std::string("a\0b", 3),
                               std::string(1, '\0'),
                               "\xff\xfe not UTF-8",
                               std::string(511, 's'),
                               std::string(512, 's'),
                               std::string(100000, 's')};
  for (const auto& text : nasty) {
    auto r = record(text);
    r.subject = text;
    ASSERT_TRUE(std::holds_alternative<Done>(store->create(key_of(text), r, soon())));
    EXPECT_EQ(store->load(key_of(text), soon()), r);
    const auto found = store->subjects()->find_by_subject(text, soon());
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].record, r);
    EXPECT_EQ(found[0].key, key_of(text));
    store->epochs()->set_epoch(text, text.size() + 1, clock.time + 1h, soon());
    EXPECT_EQ(store->epochs()->epochs(text, soon()).subject, text.size() + 1);
  }
  EXPECT_EQ(store->scan()->count(soon()), std::size(nasty));
}

TEST_F(LmdbVerbs, TheWholeRangeOfVersionsComesBack) {
  for (const std::uint64_t v : {std::uint64_t{0}, std::uint64_t{1} << 63, ~std::uint64_t{0}}) {
    auto r = record();
    r.version = {v, ~v};
    ASSERT_TRUE(std::holds_alternative<Done>(store->create(key_of(std::to_string(v)), r, soon())));
    EXPECT_EQ(store->load(key_of(std::to_string(v)), soon()), r);
    EXPECT_TRUE(std::holds_alternative<Done>(store->touch(key_of(std::to_string(v)), v, clock.time + 1s, soon())));
  }
}

TEST_F(LmdbVerbs, TimesBeyondAnyCalendarAreRefusedAndThoseBefore1970Kept) {
  auto r = record();
  r.ends = Time::max();
  EXPECT_EQ(trouble_of([&] { store->create(key_of("a"), r, soon()); }), Trouble::refused);
  EXPECT_FALSE(store->load(key_of("a"), soon()));
  clock.time = Time{Duration{-1000000}};
  for (int i = 0; i < 3; ++i) {
    r = record();
    r.idle = Duration{999999 + i};
    store->create(key_of(std::to_string(i)), r, soon());
    EXPECT_EQ(store->load(key_of(std::to_string(i)), soon()), r);
  }
  clock.time = Time{Duration{0}};  // the first two stand before 1970 or at its beginning
  EXPECT_EQ(store->sweep({}, soon()).removed, 2u);
}

TEST_F(LmdbVerbs, ADeadlineThatHasPassedDoesNothing) {
  const auto past = Deadline::after(0ms);
  EXPECT_EQ(trouble_of([&] { store->create(key_of("a"), record(), past); }), Trouble::unavailable);
  EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), past); }), Trouble::unavailable);
  EXPECT_FALSE(store->load(key_of("a"), soon()));
}

// ## Namespaces

TEST_F(LmdbVerbs, ApplicationsWithDifferentNamespacesNeverMeet) {
  const auto shop = open({.name_space = "shop"}), blog = open({.name_space = "blog"});
  auto r = record();
  r.subject = "amy";
  shop->create(key_of("a"), r, soon());
  for (auto* other : {blog.get(), store.get()}) {
    EXPECT_FALSE(other->load(key_of("a"), soon()));
    EXPECT_TRUE(other->subjects()->find_by_subject("amy", soon()).empty());
    EXPECT_EQ(other->scan()->count(soon()), 0u);
    other->scan()->walk(
        [](const KeyedRecord&) {
          ADD_FAILURE() << "seen";
          return true;
        },
        soon());
    other->epochs()->set_epoch("", 5, clock.time + 1h, soon());
    EXPECT_TRUE(std::holds_alternative<Absent>(other->erase(key_of("a"), {}, soon())));
  }
  EXPECT_EQ(shop->epochs()->epochs("amy", soon()), EpochsSeen{});
  clock.advance(1h);
  EXPECT_EQ(blog->sweep({}, soon()).removed, 0u);
  EXPECT_EQ(shop->sweep({}, soon()).removed, 1u);
}

TEST_F(LmdbVerbs, AProcessOpensAsManyNamespacesAsItLikes) {
  std::vector<std::unique_ptr<SessionStore>> stores;
  for (int i = 0; i < 100; ++i) stores.push_back(open({.name_space = std::to_string(i)}));
  stores.push_back(open({.name_space = std::string(32, 'n')}));
  stores.push_back(open({.name_space = "ancho"}));  // the mark is `sancho`
  auto r = record();
  r.subject = "amy";
  for (auto& each : stores) EXPECT_TRUE(std::holds_alternative<Done>(each->create(key_of("a"), r, soon())));
  for (auto& each : stores) EXPECT_EQ(each->subjects()->find_by_subject("amy", soon()).size(), 1u);
}

TEST_F(LmdbVerbs, OptionsAreReadFromTheUri) {
  const auto uri = "lmdb:" + path.string();
  open_store(uri + "?map_size=8388608&sync=normal&namespace=shop", clock)->create(key_of("a"), record(), soon());
  EXPECT_TRUE(open({.name_space = "shop"})->load(key_of("a"), soon()));
  EXPECT_FALSE(open_store(uri + "?sync=normal&mode=rw", clock)->traits().power_safe);
  EXPECT_EQ(trouble_of([&] { open_store(uri + "?mode=ro", clock)->erase(key_of("a"), {}, soon()); }), Trouble::refused);
  for (const char* wrong : {"?map_size=1000", "?map_size=x", "?map_size=-1", "?sync=none", "?mode=wo", "?namespace=A",
                            "?namespace=a/b", "?max=1", "?sync="})
    EXPECT_THROW(open_store(uri + wrong, clock), ConfigError) << wrong;
  EXPECT_THROW(open_store("lmdb://host/path", clock), ConfigError);
  EXPECT_THROW(open_store("lmdb:", clock), ConfigError);
}

// ## The sweep's queue

TEST_F(LmdbVerbs, TouchesAndSavesLeaveTheQueueAlone) {
  store->create(key_of("a"), record(), soon());
  const auto due = table("d/");
  clock.advance(10min);
  store->touch(key_of("a"), 7, clock.time, soon());
  auto next = record("x", 2);
  next.accessed = clock.time + 1min;
  store->commit(key_of("a"), {7, 1}, next, soon());
  EXPECT_EQ(table("d/"), due);
}

TEST_F(LmdbVerbs, WhoIsMetTooEarlyIsPutOffAndStays) {
  store->create(key_of("a"), record(), soon());
  clock.advance(20min);
  store->touch(key_of("a"), 7, clock.time, soon());
  clock.advance(20min);
  EXPECT_EQ(store->sweep({}, soon()).removed, 0u);
  EXPECT_EQ(store->load(key_of("a"), soon())->accessed, clock.time - 20min);
  EXPECT_EQ(table("d/").size(), 1u);
  clock.advance(10min);
  EXPECT_EQ(store->sweep({}, soon()).removed, 1u);
  EXPECT_TRUE(table("d/").empty());
}

// All of a database are in one tree: what is read of a page must not be used when
// another entry has been put there.
TEST_F(LmdbVerbs, WhoIsPutOffComesToNoHarmWherePagesAreSplit) {
  for (int round = 0; round < 60; ++round) {
    path = directory / std::to_string(round);
    const auto shop = open();
    const int many = 100 + 7 * round;
    const auto key = [&](int i) { return key_of(std::to_string(round) + "/" + std::to_string(i)); };
    for (int i = 0; i < many; ++i) ASSERT_TRUE(std::holds_alternative<Done>(shop->create(key(i), record(), soon())));
    clock.advance(20min);
    for (int i = 0; i < many; ++i) shop->touch(key(i), 7, clock.time + i * 1s, soon());
    clock.advance(10min);
    EXPECT_EQ(shop->sweep({.budget = 100000, .accessed_before = {}}, soon()).removed, 0u);
    for (int i = 0; i < many; ++i) EXPECT_EQ(trouble_of([&] { EXPECT_TRUE(shop->load(key(i), soon())); }), std::nullopt) << round << ' ' << i;
  }
}

TEST_F(LmdbVerbs, ATombstoneIsSweptAfterItsGrace) {
  store->create(key_of("a"), record(), soon());
  auto tombstone = ended();
  tombstone.ends = clock.time + 1min;
  store->commit(key_of("a"), {7, 1}, tombstone, soon());
  clock.advance(1min);
  const auto answer = store->sweep({}, soon());
  EXPECT_EQ(answer.removed, 1u);
  EXPECT_EQ(answer.sessions, 0u);
}

TEST_F(LmdbVerbs, AnEpochThatIsOverIsForgottenAndCountsAsNoRecord) {
  store->epochs()->set_epoch("amy", 5, clock.time + 1min, soon());
  store->epochs()->set_epoch("amy", 6, clock.time + 2min, soon());
  clock.advance(1min);
  EXPECT_EQ(store->sweep({}, soon()).removed, 0u);
  EXPECT_EQ(store->epochs()->epochs("amy", soon()).subject, 6u);
  clock.advance(1min);
  EXPECT_EQ(store->epochs()->epochs("amy", soon()).subject, 0u);
  EXPECT_EQ(store->sweep({}, soon()).removed, 0u);
  EXPECT_TRUE(table("e/").empty());
  EXPECT_TRUE(table("d/").empty());
}

TEST_F(LmdbVerbs, OldSessionsAreRemovedAPageAtATime) {
  for (int i = 0; i < 450; ++i) {
    auto r = record();
    if (i % 3 == 0) r.accessed += 10min;
    store->create(key_of(std::to_string(i)), r, soon());
  }
  clock.advance(20min);
  EXPECT_EQ(store->sweep({.budget = 7, .accessed_before = clock.time - 15min}, soon()).removed, 7u);
  EXPECT_EQ(delete_old_sessions(*store, 15min, clock.time, soon()), 293u);
  EXPECT_EQ(store->scan()->count(soon()), 150u);
  store.reset();
  expect_whole();
}

// ## Many

TEST_F(LmdbVerbs, AHundredThousandSessionsAreReadWalkedAndCountedWhileOthersWrite) {
  constexpr int many = 100000;
  for (int i = 0; i < many; ++i) {
    auto r = record(std::string(200, 'x'));
    r.subject = std::to_string(i % 1000);
    store->create(key_of(std::to_string(i)), r, soon());
  }
  std::atomic<bool> done = false;
  std::thread writer([&] {
    for (int i = 0; !done; ++i) store->touch(key_of(std::to_string(i % many)), 7, clock.time + 1s, soon());
  });
  const auto before = std::filesystem::file_size(path / "data.mdb");
  EXPECT_EQ(store->scan()->count(soon()), std::size_t{many});
  std::set<SessionKey> seen;
  std::size_t calls = 0;
  store->scan()->iter_sessions([&](const KeyedRecord& each) { return seen.insert(each.key), ++calls > 0; }, soon());
  EXPECT_EQ(calls, std::size_t{many});
  EXPECT_EQ(seen.size(), std::size_t{many});
  for (int i = 0; i < many; i += 7) EXPECT_TRUE(store->load(key_of(std::to_string(i)), soon()));
  EXPECT_EQ(store->subjects()->find_by_subject("77", soon()).size(), 100u);
  done = true;
  writer.join();
  EXPECT_LE(std::filesystem::file_size(path / "data.mdb"), before * 3 / 2)
      << "a walk made the writer's leavings pile up";
}

TEST_F(LmdbVerbs, ALongCountStopsAtItsDeadline) {
  for (int i = 0; i < 20000; ++i) store->create(key_of(std::to_string(i)), record(std::string(1000, 'x')), soon());
  const auto begin = Deadline::Steady::now();
  EXPECT_EQ(trouble_of([&] { store->scan()->count(Deadline::after(2ms)); }), Trouble::unavailable);
  EXPECT_LE(Deadline::Steady::now() - begin, 52ms);
}

// ## Damage

TEST_F(LmdbVerbs, AnyDamagedByteOfARecordIsCorruptAndStaysAndStopsNobody) {
  auto r = record("secret");
  r.subject = "who";
  for (int i = 0; i < 3; ++i) store->create(key_of("whole" + std::to_string(i)), record(), soon());
  store->create(key_of("a"), r, soon());
  const auto intact = table("s/").at(std::string(key_of("a").bytes()));
  std::vector<std::string> damages = {"", intact.substr(0, 19), intact.substr(0, intact.size() - 1), intact + "x"};
  for (std::size_t i = 0; i < intact.size(); ++i) {
    if (i == 20) continue;  // the number of the format: a newer one is another matter
    damages.push_back(intact);
    damages.back()[i] = static_cast<char>(damages.back()[i] ^ 0x20);
  }
  const auto other = table("s/").at(std::string(key_of("whole0").bytes()));
  damages.push_back(intact.substr(0, 20) + other.substr(20));  // another's record, intact
  damages.push_back(other);  // and its head too
  for (std::size_t i = 0; i < damages.size(); ++i) {
    put_raw("s/", key_of("a").bytes(), damages[i]);
    EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), soon()); }), Trouble::corrupt) << i;
    if (i % 16 != 0) continue;
    EXPECT_EQ(trouble_of([&] { store->create(key_of("a"), r, soon()); }), Trouble::corrupt) << i;
    EXPECT_EQ(trouble_of([&] { store->commit(key_of("a"), r.version, r, soon()); }), Trouble::corrupt) << i;
    EXPECT_EQ(trouble_of([&] { store->touch(key_of("a"), 7, clock.time, soon()); }), Trouble::corrupt) << i;
    EXPECT_EQ(trouble_of([&] { store->erase(key_of("a"), {}, soon()); }), Trouble::corrupt) << i;
    EXPECT_EQ(store->scan()->count(soon()), 3u);
    EXPECT_TRUE(store->subjects()->find_by_subject("who", soon()).empty());
  }
  clock.advance(13h);
  std::size_t removed = 0;
  for (int calls = 0; calls < 20; ++calls)
    removed += store->sweep({.budget = 1, .accessed_before = {}}, soon()).removed;
  EXPECT_EQ(removed, 3u);
  EXPECT_EQ(delete_old_sessions(*store, 1h, clock.time, soon()), 0u);
  EXPECT_EQ(table("s/"), (Raw::Table{{std::string(key_of("a").bytes()), other}})) << "it stays as it was";
}

// Of any length that LMDB takes: as damage leaves them, or another program.
TEST_F(LmdbVerbs, KeysThatAreNoneOfOursStopNobody) {
  auto r = record();
  r.subject = "who";
  store->create(key_of("a"), r, soon());
  const auto subject = table("u/").begin()->first.substr(0, 32);
  const std::string due_at_once(8, '\0');
  for (const std::size_t size : {1u, 7u, 8u, 9u, 40u, 63u, 64u, 65u, 97u, 98u, 99u, 400u, 460u}) {
    const std::string odd(size, 'A');
    store.reset();
    {
      Raw raw(path);
      raw.put(nullptr, "d/" + odd, "");
      raw.put(nullptr, "d/" + due_at_once + odd, "");
      raw.put(nullptr, "u/" + subject + odd, "");
      for (int i = 100; i < 250; ++i) raw.put(nullptr, "s/" + odd + std::to_string(i), "");
    }
    store = open();
    EXPECT_EQ(store->scan()->count(soon()), 1u) << size;
    EXPECT_EQ(store->subjects()->find_by_subject("who", soon()).size(), 1u) << size;
    EXPECT_EQ(store->sweep({}, soon()).removed, 0u) << size;
    EXPECT_EQ(delete_old_sessions(*store, 1h, clock.time, soon()), 0u) << size;
  }
  EXPECT_FALSE(table("d/").contains("A")) << "what says no time is no reason to come again";
  clock.advance(1h);
  EXPECT_EQ(store->sweep({}, soon()).removed, 1u);
}

TEST_F(LmdbVerbs, ARecordOfANewerVersionIsUnavailableAndTheSweepComesBackToIt) {
  store->create(key_of("a"), record(), soon());
  auto value = table("s/").at(std::string(key_of("a").bytes()));
  value[20] = 2;  // the format's number, which no checksum covers
  put_raw("s/", key_of("a").bytes(), value);
  EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), soon()); }), Trouble::unavailable);
  clock.advance(1h);
  EXPECT_EQ(store->sweep({}, soon()).removed, 0u);
  value = table("s/").at(std::string(key_of("a").bytes()));
  value[20] = 1;
  put_raw("s/", key_of("a").bytes(), value);
  EXPECT_EQ(store->sweep({}, soon()).removed, 0u);
  clock.advance(24h);
  EXPECT_EQ(store->sweep({}, soon()).removed, 1u);
  store.reset();
  expect_whole();
}

TEST_F(LmdbVerbs, ADamagedEpochLetsNobodyIn) {
  store->epochs()->set_epoch("amy", 5, clock.time + 1h, soon());
  auto all = table("e/");
  auto [key, value] = *all.begin();
  value[3] = static_cast<char>(value[3] ^ 1);
  put_raw("e/", key, value);
  auto r = record();
  r.subject = "amy";
  const Admission admission{.seen = {.subject = 5}};
  EXPECT_EQ(trouble_of([&] { store->create(key_of("a"), r, soon(), &admission); }), Trouble::unavailable);
  store->epochs()->set_epoch("amy", 6, clock.time + 1h, soon());
  EXPECT_EQ(store->epochs()->epochs("amy", soon()).subject, 6u);
}

}  // namespace
}  // namespace sancho::lmdb_test
