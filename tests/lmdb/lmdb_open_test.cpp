// What is found at the path when the store is opened, and what is made of it.
#include <signal.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <set>
#include <thread>

#include "../support/skip.hpp"
#include "base/coarse_clock.hpp"
#include "lmdb_fixture.hpp"
#include "stores/lmdb/place.hpp"

namespace sancho::lmdb_test {
namespace {

class LmdbOpen : public LmdbStoreTest {
 protected:
  std::filesystem::path data() const { return path / "data.mdb"; }
  mode_t mode_of(const std::filesystem::path& p) const {
    struct stat st {};
    EXPECT_EQ(stat(p.c_str(), &st), 0) << p;
    return st.st_mode & 07777;
  }
};

TEST_F(LmdbOpen, FilesAreForTheirOwnerAloneWhateverTheUmask) {
  for (const mode_t mask : {0u, 0777u}) {
    path = directory / std::to_string(mask);
    const auto before = umask(mask);
    { open()->create(key_of("a"), record(), soon()); }
    umask(before);
    EXPECT_EQ(mode_of(path), 0700u);
    std::set<std::string> names;
    for (const auto& file : std::filesystem::directory_iterator(path)) {
      EXPECT_EQ(mode_of(file.path()), 0600u) << file;
      names.insert(file.path().filename());
    }
    EXPECT_EQ(names, (std::set<std::string>{"data.mdb", "gate", "lock.mdb", "reserve"}));
  }
}

TEST_F(LmdbOpen, ARecordOutlivesTheStoreAndSetupDestroysNothing) {
  {
    const auto store = open();
    store->create(key_of("a"), record("kept"), soon());
    store->setup();
  }
  const auto store = open();
  store->setup();
  EXPECT_EQ(store->load(key_of("a"), soon()), record("kept"));
}

TEST_F(LmdbOpen, TheDatabaseIsMarkedAsOurs) {
  { open({.name_space = "shop"}); }
  EXPECT_EQ(Raw(path).all(nullptr), (Raw::Table{{"sancho", "2"}}));
  { open({.name_space = "shop"})->create(key_of("a"), record(), soon()); }
  Raw raw(path);
  EXPECT_EQ(raw.all(nullptr).at("sancho"), "2");
  EXPECT_TRUE(raw.part("sshop/").contains(std::string(key_of("a").bytes())));
  EXPECT_EQ(raw.part("dshop/").size(), 1u);
  EXPECT_TRUE(raw.part("s/").empty());
}

TEST_F(LmdbOpen, ANewerSchemaIsUnavailableAndNotTouched) {
  { open()->create(key_of("a"), record(), soon()); }
  Raw(path).put(nullptr, "sancho", "3");
  const auto before = bytes_of(data());
  std::string says;
  EXPECT_EQ(trouble_of([&] { open(); }, &says), Trouble::unavailable);
  EXPECT_NE(says.find("newer version of sancho"), says.npos) << says;
  EXPECT_EQ(bytes_of(data()), before);
}

TEST_F(LmdbOpen, AnotherApplicationsDatabaseIsRefusedAndNotTouched) {
  const struct {
    const char *table, *key, *value;
  } databases[] = {{nullptr, "customer", "x"}, {"customers", "x", "y"},   {nullptr, "sancho", "?"},
                   {nullptr, "sancho", ""},    {nullptr, "sancho", "1x"}, {"sancho", "a", "b"}};
  int n = 0;
  for (const auto& each : databases) {
    path = directory / std::to_string(n++);
    { Raw(path).put(each.table, each.key, each.value); }
    const auto before = bytes_of(data());
    std::string says;
    EXPECT_EQ(trouble_of([&] { open(); }, &says), Trouble::refused) << n;
    EXPECT_NE(says.find("another application's"), says.npos) << says;
    EXPECT_EQ(bytes_of(data()), before) << n;
  }
}

TEST_F(LmdbOpen, AFileThatIsNoDatabaseIsUnavailableAndNotTouched) {
  std::filesystem::create_directory(path);
  for (const auto& bytes : {std::string(9000, 'x'), std::string("short")}) {
    { std::ofstream(data(), std::ios::binary) << bytes; }
    EXPECT_EQ(trouble_of([&] { open(); }), Trouble::unavailable);
    EXPECT_EQ(bytes_of(data()), bytes);
  }
}

// Without care the first look beyond the end would be a signal.
TEST_F(LmdbOpen, AFileThatWasCutOffIsTroubleAndNeverASignal) {
  {
    const auto store = open();
    for (int i = 0; i < 300; ++i)
      store->create(key_of(std::to_string(i)), record(std::string(i % 2 ? 100 : 5000, 'x')), soon());
  }
  const auto whole = bytes_of(data());
  for (std::size_t size = 0; size < whole.size(); size += 3 * 4096 + 700) {
    { std::ofstream(data(), std::ios::binary) << whole.substr(0, size); }
    std::size_t troubles = 0;
    const auto opened = trouble_of([&] {
      const auto store = open({.read_only = size % 2 == 0});
      for (int i = 0; i < 300; ++i)
        if (const auto trouble = trouble_of([&] { store->load(key_of(std::to_string(i)), soon()); })) {
          EXPECT_TRUE(trouble == Trouble::unavailable || trouble == Trouble::corrupt);
          ++troubles;
        }
    });
    EXPECT_TRUE(size == 0 || opened == Trouble::unavailable || troubles > 0) << size;
  }
}

TEST_F(LmdbOpen, AnImpossiblePathOrOptionSaysWhatToChange) {
  std::string says;
  path = directory / "absent" / "sessions";
  EXPECT_EQ(trouble_of([&] { open(); }, &says), Trouble::unavailable);
  EXPECT_NE(says.find("see that the directory above it exists"), says.npos) << says;
  path = directory / "file";
  std::ofstream(path) << "not ours";
  EXPECT_EQ(trouble_of([&] { open(); }), Trouble::unavailable);
  EXPECT_EQ(bytes_of(path), "not ours");
  EXPECT_THROW(open_lmdb_store(""), ConfigError);
  EXPECT_THROW(open_lmdb_store(std::string("a\0b", 3)), ConfigError);
  EXPECT_THROW(open_lmdb_store(path, {.map_size = 1 << 20}), ConfigError);
  for (const char* name : {"Shop", "a b", "a/b", "ä", "abcdefghijklmnopqrstuvwxyz0123456"})
    EXPECT_THROW(open_lmdb_store(path, {.name_space = name}), ConfigError) << name;
}

TEST_F(LmdbOpen, ANetworkDiskIsKnown) {
  for (const unsigned long type : {0x6969ul, 0xff534d42ul, 0xfe534d42ul, 0x01021997ul})
    EXPECT_TRUE(lmdb::is_network(type));
  for (const unsigned long type : {0xef53ul, 0x01021994ul, 0x58465342ul, 0x9123683eul, 0x794c7630ul})
    EXPECT_FALSE(lmdb::is_network(type));
  EXPECT_NO_THROW(lmdb::require_local(directory, "lmdb:x"));
}

// ## The size of the map

TEST_F(LmdbOpen, AnotherMapSizeFindsTheSameSessions) {
  constexpr std::uint64_t mib = 1 << 20;
  { open({.map_size = 64 * mib})->create(key_of("big"), record(std::string(20 * mib, 'x')), soon()); }
  for (const auto size : {4 * mib, 4 * mib, 100 * mib, 4 * mib + 12345}) {
    const auto store = open({.map_size = size});
    EXPECT_EQ(store->load(key_of("big"), soon())->payload.size(), 20 * mib) << size;
    const auto fits = size > 20 * mib;
    EXPECT_EQ(trouble_of([&] {
                store->create(key_of(std::to_string(size)), record(std::string(mib, 'y')), soon());
              }).has_value(),
              !fits);
  }
  const auto store = open({.map_size = 4 * mib});
  EXPECT_TRUE(std::holds_alternative<Done>(store->commit(key_of("big"), {7, 1}, ended(), soon())))
      << "a smaller map lets people log out";
}

TEST_F(LmdbOpen, WhatAProcessWithAGreaterMapWritesIsFoundByTheOthers) {
  constexpr std::uint64_t mib = 1 << 20;
  const auto child = spawn([&] {
    const auto store = open({.map_size = 64 * mib});
    kill(getpid(), SIGSTOP);
    for (int i = 0; i < 20; ++i) store->create(key_of(std::to_string(i)), record(std::string(mib, 'x')), soon());
    kill(getpid(), SIGSTOP);
    for (int i = 20; i < 30; ++i) store->create(key_of(std::to_string(i)), record(std::string(mib, 'x')), soon());
  });
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  const auto store = open({.map_size = 4 * mib});
  store->create(key_of("a"), record(), soon());
  kill(child, SIGCONT);
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  EXPECT_EQ(store->load(key_of("19"), soon())->payload.size(), mib);
  EXPECT_EQ(store->scan()->count(soon()), 21u);
  kill(child, SIGCONT);
  expect_success(child);
  EXPECT_TRUE(std::holds_alternative<Done>(store->touch(key_of("29"), 7, clock.time + 1s, soon())))
      << "a writer notices too";
}

// ## Read-only

TEST_F(LmdbOpen, AReadOnlyStoreReadsAndRefusesEveryWriteAndMakesNothing) {
  EXPECT_EQ(trouble_of([&] { open({.read_only = true}); }), Trouble::unavailable);
  EXPECT_FALSE(std::filesystem::exists(path));
  { open()->create(key_of("a"), record(), soon()); }
  EXPECT_EQ(open({.read_only = true, .name_space = "nobodys"})->scan()->count(soon()), 0u);
  const auto reader = open({.read_only = true});
  EXPECT_EQ(reader->load(key_of("a"), soon()), record());
  EXPECT_EQ(reader->scan()->count(soon()), 1u);
  const auto refused = [&](const auto& act) { EXPECT_EQ(trouble_of(act), Trouble::refused); };
  refused([&] { reader->create(key_of("b"), record(), soon()); });
  refused([&] { reader->commit(key_of("a"), {7, 1}, record("x", 2), soon()); });
  refused([&] { reader->touch(key_of("a"), 7, clock.time + 1s, soon()); });
  refused([&] { reader->erase(key_of("a"), {}, soon()); });
  refused([&] { reader->sweep({}, soon()); });
  refused([&] { reader->epochs()->set_epoch("who", 1, clock.time + 1h, soon()); });
  const auto writer = open();
  EXPECT_TRUE(std::holds_alternative<Done>(writer->commit(key_of("a"), {7, 1}, record("x", 2), soon())));
  EXPECT_EQ(reader->load(key_of("a"), soon())->payload, "x");
}

TEST_F(LmdbOpen, AFileSystemThatIsMountedReadOnlyCanBeRead) {
  std::filesystem::create_directory(path);
  if (mount("tmpfs", path.c_str(), "tmpfs", 0, "size=18m,mode=0700") != 0)
    SANCHO_SKIP("mounting a small file system is not permitted here");
  struct Unmount {
    ~Unmount() { umount2(at.c_str(), MNT_DETACH); }
    std::filesystem::path at;
  } const unmount{path};
  { open()->create(key_of("a"), record(), soon()); }
  ASSERT_EQ(mount("tmpfs", path.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr), 0);
  for (const bool asked : {true, false}) {
    const auto store = open({.read_only = asked});
    EXPECT_EQ(store->load(key_of("a"), soon()), record());
    EXPECT_EQ(trouble_of([&] { store->erase(key_of("a"), {}, soon()); }), Trouble::refused);
  }
}

// ## Files that go, processes that fork

TEST_F(LmdbOpen, ADatabaseThatWasRemovedOrReplacedIsUnavailableAndNotWrittenTo) {
  const auto store = open();
  store->create(key_of("a"), record(), soon());
  std::filesystem::rename(data(), directory / "aside");
  EXPECT_EQ(trouble_of([&] { store->create(key_of("b"), record(), soon()); }), Trouble::unavailable);
  EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), soon()); }), Trouble::unavailable);
  std::ofstream(data()) << "another";
  EXPECT_EQ(trouble_of([&] { store->create(key_of("b"), record(), soon()); }), Trouble::unavailable);
  EXPECT_EQ(trouble_of([&] { open(); }), Trouble::unavailable);
  EXPECT_EQ(bytes_of(data()), "another");
}

TEST_F(LmdbOpen, WhoReadsIsToldSoWithinATick) {
  const auto store = open();
  store->create(key_of("a"), record(), soon());
  std::filesystem::rename(data(), directory / "aside");
  for (const auto tick = coarse_now(); coarse_now() == tick;) std::this_thread::yield();
  EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), soon()); }), Trouble::unavailable);
  EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), soon()); }), Trouble::unavailable) << "and every time";
  std::filesystem::rename(directory / "aside", data());
  EXPECT_EQ(store->load(key_of("a"), soon()), record());
}

TEST_F(LmdbOpen, AChildNeitherUsesNorReopensNorHarmsItsParentsStore) {
  auto store = open();
  store->create(key_of("a"), record(), soon());
  const auto child = fork();
  if (child == 0) {
    if (trouble_of([&] { store->load(key_of("a"), soon()); }) != Trouble::refused) _exit(11);
    if (trouble_of([&] { store->erase(key_of("a"), {}, soon()); }) != Trouble::refused) _exit(12);
    if (trouble_of([&] { store->sweep({}, soon()); }) != Trouble::refused) _exit(13);
    if (trouble_of([&] { store->setup(); }) != Trouble::refused) _exit(14);
    if (trouble_of([&] { open(); }) != Trouble::refused) _exit(15);
    store.reset();
    if (trouble_of([&] { open(); }) != Trouble::refused) _exit(16);
    path = directory / "own";
    open()->create(key_of("b"), record(), soon());
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_TRUE(std::holds_alternative<Done>(store->commit(key_of("a"), {7, 1}, record("x", 2), soon())));
  store.reset();
  EXPECT_EQ(open()->load(key_of("a"), soon())->payload, "x");
}

}  // namespace
}  // namespace sancho::lmdb_test
