#include "sancho/stores/directory.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "fresh_directory.hpp"
#include "sancho/conformance.hpp"

namespace sancho {
namespace {

namespace fs = std::filesystem;

SANCHO_STORE_CONFORMANCE(Directory, [] {
  return conformance::Venue{.open = [place = FreshDirectory()](const Clock& clock) { return open_directory_store(place / "sessions", clock); }};
});

Deadline soon() { return Deadline::after(std::chrono::seconds{60}); }

class DirectoryStore : public testing::Test {
 protected:
  std::unique_ptr<SessionStore> open() { return open_directory_store(path, clock); }

  Record record(State state = State::live) {
    Record r;
    r.version = {3, 1};
    r.state = state;
    r.created = r.accessed = clock.now();
    r.idle = std::chrono::hours{1};
    r.ends = clock.now() + std::chrono::hours{9};
    r.payload = "the cart";
    return r;
  }

  std::set<std::string> names() {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(path)) names.insert(entry.path().filename());
    return names;
  }

  // The kind and the words of the trouble that `act` must cause.
  template <class Act>
  std::pair<Trouble, std::string> trouble(const Act& act) {
    try {
      act();
    } catch (const StoreError& e) {
      return {e.kind(), e.what()};
    }
    ADD_FAILURE() << "there was no trouble";
    return {};
  }

  static mode_t mode(const std::string& file) {
    struct stat status {};
    EXPECT_EQ(::lstat(file.c_str(), &status), 0);
    return status.st_mode & 07777;
  }

  ManualClock clock;
  FreshDirectory fresh;
  std::string path = fresh / "sessions";
  SessionKey key = SessionKey::of("", SessionId::draw(system_random()));
  std::string file = path + "/" + key.hex();
};

// ## The directory

TEST_F(DirectoryStore, MakesWhatOnlyItsUserCanRead) {
  const auto before = ::umask(0);
  open()->create(key, record(), soon());
  ::umask(before);
  EXPECT_EQ(mode(path), 0700u);
  EXPECT_EQ(mode(file), 0600u);
}

TEST_F(DirectoryStore, RefusesADirectoryThatIsOpenToOthersAndSaysWhatToChange) {
  fs::create_directory(path);
  for (const mode_t open_to_others : {0750u, 0701u, 0777u}) {
    ASSERT_EQ(::chmod(path.c_str(), open_to_others), 0);
    const auto [kind, what] = trouble([&] { open(); });
    EXPECT_EQ(kind, Trouble::refused);
    EXPECT_NE(what.find("chmod 700"), std::string::npos) << what;
  }
}

TEST_F(DirectoryStore, RefusesASymbolicLinkAndAFile) {
  fs::create_directory(fresh / "real");
  ::chmod((fresh / "real").c_str(), 0700);
  fs::create_directory_symlink(fresh / "real", path);
  EXPECT_EQ(trouble([&] { open(); }).first, Trouble::refused);
  path = fresh / "file";
  std::ofstream(path) << "x";
  EXPECT_EQ(trouble([&] { open(); }).first, Trouble::refused);
}

TEST_F(DirectoryStore, NeedsAPathAndAParent) {
  EXPECT_THROW(open_directory_store(""), ConfigError);
  path = fresh / "no/such";
  EXPECT_NE(trouble([&] { open(); }).second.find("parent"), std::string::npos);
}

TEST_F(DirectoryStore, IsAllItClaimsToBe) {
  const auto traits = open()->traits();
  EXPECT_TRUE(traits.thread_safe && traits.multiprocess_safe && traits.durable && traits.power_safe && traits.linearizable);
  EXPECT_FALSE(traits.distributed || traits.sweeps_itself);
}

// ## The files

TEST_F(DirectoryStore, ShowsAFileForEachLiveSessionAndNothingElse) {
  const auto store = open();
  const auto hex = key.hex();
  auto r = record(State::pending);
  const auto commit = [&](State state) {
    const auto expected = r.version;
    ++r.version.counter;
    r.state = state;
    store->commit(key, expected, r, soon());
  };
  store->create(key, r, soon());
  EXPECT_EQ(names(), std::set{"." + hex});
  commit(State::live);
  EXPECT_EQ(names(), std::set{hex});
  store->touch(key, 3, r.accessed + Duration{5}, soon());
  EXPECT_EQ(names(), std::set{hex});
  commit(State::moved);
  EXPECT_EQ(names(), std::set{"." + hex});
  commit(State::ended);
  EXPECT_EQ(names(), std::set{"." + hex});
  store->erase(key, r.version, soon());
  EXPECT_EQ(names(), std::set<std::string>{});
}

TEST_F(DirectoryStore, AFileThatWasDeletedByHandIsASessionThatIsGone) {
  const auto store = open();
  store->create(key, record(), soon());
  fs::remove(file);
  EXPECT_EQ(store->load(key, soon()), std::nullopt);
  EXPECT_TRUE(std::holds_alternative<Gone>(store->commit(key, {3, 1}, record(), soon())));
  EXPECT_TRUE(std::holds_alternative<Gone>(store->touch(key, 3, clock.now(), soon())));
  EXPECT_TRUE(std::holds_alternative<Absent>(store->erase(key, std::nullopt, soon())));
  EXPECT_EQ(store->scan()->count(soon()), 0u);
}

// Restored from two backups, say: the live one counts, and the other never comes to light.
TEST_F(DirectoryStore, OfTwoFilesTheOlderStateNeverComesToLight) {
  const auto store = open();
  const auto hidden = path + "/." + key.hex();
  const auto with_a_second_file = [&] {
    auto old = record(State::pending);
    old.payload = "old";
    std::ofstream(hidden, std::ios::binary | std::ios::trunc) << encode_record(old);
  };
  auto r = record();
  const auto commit = [&](State state) {
    const auto expected = r.version;
    ++r.version.counter;
    r.state = state;
    return std::holds_alternative<Done>(store->commit(key, expected, r, soon()));
  };
  store->create(key, r, soon());
  with_a_second_file();
  EXPECT_TRUE(commit(State::live));
  EXPECT_EQ(store->load(key, soon()), r);
  EXPECT_TRUE(commit(State::ended));
  EXPECT_EQ(store->load(key, soon()), r);
  EXPECT_EQ(names(), std::set{"." + key.hex()});
  EXPECT_TRUE(commit(State::live));
  with_a_second_file();
  EXPECT_TRUE(std::holds_alternative<Removed>(store->erase(key, r.version, soon())));
  EXPECT_EQ(store->load(key, soon()), std::nullopt);
  store->create(key, r, soon());
  with_a_second_file();
  clock.advance(std::chrono::hours{20});
  EXPECT_EQ(store->sweep({}, soon()).removed, 1u);
  EXPECT_EQ(names(), std::set<std::string>{});
}

// Whatever lies there in the place of a record.
TEST_F(DirectoryStore, ADamagedRecordIsTroubleForItselfAndStays) {
  const auto store = open();
  store->create(key, record(), soon());
  const auto good = encode_record(record());
  auto flipped = good;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  for (const auto& bytes : {std::string(), good.substr(0, good.size() / 2), flipped, good + "x", std::string("\0\0\0", 3)}) {
    std::ofstream(file, std::ios::binary | std::ios::trunc) << bytes;
    const auto [kind, what] = trouble([&] { store->load(key, soon()); });
    EXPECT_EQ(kind, Trouble::corrupt);
    EXPECT_EQ(what.find(key.hex()), std::string::npos) << "a message holds a key";
    EXPECT_EQ(trouble([&] { store->commit(key, {3, 1}, record(), soon()); }).first, Trouble::corrupt);
    EXPECT_EQ(trouble([&] { store->create(key, record(), soon()); }).first, Trouble::corrupt);
    EXPECT_EQ(trouble([&] { store->touch(key, 3, clock.now() + Duration{1}, soon()); }).first, Trouble::corrupt);
    EXPECT_EQ(trouble([&] { store->erase(key, std::nullopt, soon()); }).first, Trouble::corrupt);
    EXPECT_EQ(store->scan()->count(soon()), 0u);
    clock.advance(std::chrono::hours{20});
    EXPECT_EQ(store->sweep({.accessed_before = clock.now()}, soon()).removed, 0u);
    EXPECT_EQ(names(), std::set{key.hex()});
    EXPECT_EQ(fs::file_size(file), bytes.size());
  }
}

TEST_F(DirectoryStore, ARecordHas256MebibytesAndMoreIsNeitherWrittenNorRead) {
  const auto store = open();
  auto endless = record();
  endless.payload.resize(std::size_t{256} << 20);
  EXPECT_EQ(trouble([&] { store->create(key, endless, soon()); }).first, Trouble::refused);
  EXPECT_EQ(names(), std::set<std::string>());
  std::ofstream(file) << '!';
  fs::resize_file(file, std::uintmax_t{1} << 40);  // on no disk, and not to be read into memory
  EXPECT_EQ(trouble([&] { store->load(key, soon()); }).first, Trouble::corrupt);
}

TEST_F(DirectoryStore, ARecordOfANewerVersionIsUnavailableAndStays) {
  const auto store = open();
  auto bytes = encode_record(record());
  bytes[3] = 2;
  std::ofstream(file, std::ios::binary) << bytes;
  EXPECT_EQ(trouble([&] { store->load(key, soon()); }).first, Trouble::unavailable);
  clock.advance(std::chrono::hours{20});
  store->sweep({}, soon());
  EXPECT_EQ(names(), std::set{key.hex()});
}

TEST_F(DirectoryStore, FollowsNoLinkAndWaitsForNoPipe) {
  const auto store = open();
  std::ofstream(fresh / "elsewhere", std::ios::binary) << encode_record(record());
  fs::create_symlink(fresh / "elsewhere", file);
  EXPECT_EQ(trouble([&] { store->load(key, soon()); }).first, Trouble::corrupt);
  EXPECT_EQ(trouble([&] { store->create(key, record(), soon()); }).first, Trouble::corrupt);
  fs::remove(file);
  ASSERT_EQ(::mkfifo(file.c_str(), 0600), 0);
  EXPECT_EQ(trouble([&] { store->load(key, soon()); }).first, Trouble::corrupt);
  fs::remove(file);
  fs::create_directory(file);
  EXPECT_EQ(trouble([&] { store->load(key, soon()); }).first, Trouble::corrupt);
}

// ## The lock and the bounds

TEST_F(DirectoryStore, AWriterThatCannotGetTheLockGivesUpAtItsDeadline) {
  const auto store = open();
  store->create(key, record(), soon());
  const int other = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  ASSERT_EQ(::flock(other, LOCK_EX), 0);
  const auto [kind, what] = trouble([&] { store->commit(key, {3, 1}, record(), Deadline::after(Duration{20})); });
  EXPECT_EQ(kind, Trouble::contention);
  EXPECT_EQ(store->load(key, Deadline::after(Duration{0})), record()) << "a reader waits for a writer";
  ::close(other);
  EXPECT_TRUE(std::holds_alternative<Done>(store->commit(key, {3, 1}, record(), soon())));
  EXPECT_EQ(names(), std::set{key.hex()});
}

TEST_F(DirectoryStore, ASweepLooksAtABoundedNumberOfFilesAndGoesOnFromThere) {
  const auto store = open();
  // Written by hand: 2,500 synced creates would be the longest part of the test.
  for (int i = 0; i < 2500; ++i)
    std::ofstream(path + "/" + SessionKey::of("", SessionId::draw(system_random())).hex(), std::ios::binary) << encode_record(record());
  clock.advance(std::chrono::hours{1});
  std::size_t removed = 0;
  int calls = 0;
  for (bool more = true; more; ++calls) {
    const auto answer = store->sweep({.budget = 400, .accessed_before = {}}, soon());
    EXPECT_LE(answer.removed, 400u);
    removed += answer.removed;
    more = answer.more;
  }
  EXPECT_EQ(removed, 2500u);
  EXPECT_EQ(calls, 7);
  EXPECT_TRUE(names().empty());
}

TEST_F(DirectoryStore, SweepsForOldSessionsGetToTheEndOfALargeDirectoryThoughEachAsksForALaterMoment) {
  const auto store = open();
  std::size_t old = 0;
  for (int i = 0; i < 3000; ++i) {
    auto r = record();
    if (i % 100) r.accessed += std::chrono::minutes{5};
    else ++old;
    std::ofstream(path + "/" + SessionKey::of("", SessionId::draw(system_random())).hex(), std::ios::binary) << encode_record(r);
  }
  std::size_t removed = 0;
  for (int calls = 0; calls < 4; ++calls)
    removed += store->sweep({.budget = 50, .accessed_before = clock.now() + Duration{1 + calls}}, soon()).removed;
  EXPECT_EQ(removed, old);
}

TEST_F(DirectoryStore, DeleteOldSessionsMissesNothingWhateverWasSweptBefore) {
  const auto store = open();
  for (int i = 0; i < 300; ++i) {
    auto r = record();
    if (i % 2) r.accessed += std::chrono::minutes{5};
    std::ofstream(path + "/" + SessionKey::of("", SessionId::draw(system_random())).hex(), std::ios::binary) << encode_record(r);
  }
  // It stops half-way, having passed over sessions that are too young.
  EXPECT_TRUE(store->sweep({.budget = 100, .accessed_before = clock.now() + std::chrono::minutes{1}}, soon()).more);
  clock.advance(std::chrono::minutes{10});
  EXPECT_EQ(delete_old_sessions(*store, std::chrono::minutes{5}, clock.now(), soon()), 200u);
  EXPECT_EQ(store->scan()->count(soon()), 0u);
}

}  // namespace
}  // namespace sancho
