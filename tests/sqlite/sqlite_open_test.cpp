// What is found at the path when the store is opened, and what is made of it.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../support/skip.hpp"
#include "sqlite_fixture.hpp"

namespace sancho::sqlite_test {
namespace {

class SqliteOpen : public SqliteStoreTest {
 protected:
  mode_t mode_of(const std::filesystem::path& p) const {
    struct stat st {};
    EXPECT_EQ(stat(p.c_str(), &st), 0) << p;
    return st.st_mode & 07777;
  }
  // What programs of older schemas left, by hand: each field is a column. Two sessions
  // as they wrote them, checksum included, and one that is damaged.
  void make_schema_1() {
    Raw raw(path);
    raw.run(
        "PRAGMA application_id = 0x53414e43; PRAGMA user_version = 1; PRAGMA journal_mode = wal;"
        "CREATE TABLE sancho_sessions (key BLOB NOT NULL PRIMARY KEY, inc INTEGER NOT NULL, n INTEGER NOT NULL, state INTEGER NOT NULL,"
        " created INTEGER NOT NULL, accessed INTEGER NOT NULL, idle INTEGER NOT NULL, ends INTEGER NOT NULL, due INTEGER NOT NULL,"
        " crc INTEGER NOT NULL, subject BLOB NOT NULL, handle TEXT NOT NULL, payload BLOB NOT NULL) WITHOUT ROWID");
    const auto add = [&](const char* name, const std::string& crc_and_rest) {
      raw.run("INSERT INTO sancho_sessions VALUES (x'" + key_of(name).hex() +
              "',7,1,1,1576800000000,1576800000000,1800000,1576843200000,1576801800000," + crc_and_rest + ")");
    };
    add("old", "3542930646,x'','',CAST('from before' AS BLOB)");
    add("hers", "1381725558,CAST('ada' AS BLOB),'AAAAAAAAAAAAAAAA',CAST('hers' AS BLOB)");
    add("damaged", "1381725558,CAST('ada' AS BLOB),'AAAAAAAAAAAAAAAA',CAST('his' AS BLOB)");
  }
  void make_schema_3() {
    make_schema_1();
    Raw(path).run(
        "CREATE INDEX sancho_sessions_due ON sancho_sessions (due);"
        "CREATE INDEX sancho_sessions_subject ON sancho_sessions (subject) WHERE subject <> x'';"
        "CREATE TABLE sancho_epochs (subject BLOB NOT NULL PRIMARY KEY, epoch INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;"
        "INSERT INTO sancho_epochs VALUES (CAST('ada' AS BLOB), 9, 1576843200000); PRAGMA user_version = 3");
  }
  // A record is one field, and its subject is in a column alone.
  void make_schema_4() {
    const auto in_common = [](const char* name, const char* checksum, const char* subject_size) {
      return std::string(checksum) + key_of(name).hex() + "00000000000000070000000000000001" + subject_size +
             "312b303030313537363830303030303030302b303030303030303030313830303030302b30303031353736383433323030303030";
    };
    Raw(path).run(
        "PRAGMA application_id = 0x53414e43; PRAGMA user_version = 4; PRAGMA journal_mode = wal;"
        "CREATE TABLE sancho_sessions (bucket INTEGER PRIMARY KEY, accessed INTEGER NOT NULL, record BLOB NOT NULL, subject BLOB NOT NULL,"
        " due INTEGER NOT NULL);"
        "CREATE INDEX sancho_sessions_due ON sancho_sessions (due);"
        "CREATE INDEX sancho_sessions_subject ON sancho_sessions (subject) WHERE subject <> x'';"
        "CREATE TABLE sancho_epochs (subject BLOB NOT NULL PRIMARY KEY, epoch INTEGER NOT NULL, until INTEGER NOT NULL) WITHOUT ROWID;"
        "CREATE VIEW sancho_readable AS SELECT length(record) - 124 AS bytes FROM sancho_sessions;"
        "INSERT INTO sancho_sessions VALUES (1900929354126769281,1576800000000,x'" +
        in_common("old", "340efb44", "00000000") + "2020202020202020202020202020202066726f6d206265666f7265',x'',1576801800000);" +
        "INSERT INTO sancho_sessions VALUES (875714751471034746,1576800000000,x'" + in_common("hers", "9730c4aa", "00000003") +
        "4141414141414141414141414141414168657273',CAST('ada' AS BLOB),1576801800000);" +
        "INSERT INTO sancho_sessions VALUES (" + std::to_string(home_of("damaged")) + ",1576800000000,x'00000000" + key_of("damaged").hex() +
        "',CAST('ada' AS BLOB),1576801800000)");
  }
  static std::int64_t home_of(const char* name) { return static_cast<std::int64_t>(std::stoull(key_of(name).hex().substr(0, 16), nullptr, 16) >> 2); }

  // All that was in any of them.
  void expect_upgraded() {
    const auto store = open();
    EXPECT_EQ(store->load(key_of("old"), soon()), record("from before"));
    auto hers = record("hers");
    hers.subject = "ada", hers.handle = *Handle::parse("AAAAAAAAAAAAAAAA");
    EXPECT_EQ(store->load(key_of("hers"), soon()), hers);
    const auto found = store->subjects()->find_by_subject("ada", soon());
    ASSERT_EQ(found.size(), 1u);
    EXPECT_EQ(found[0].key, key_of("hers"));
    EXPECT_EQ(trouble_of([&] { store->load(key_of("damaged"), soon()); }), Trouble::corrupt);
    EXPECT_EQ(store->scan()->count(soon()), 2u);
    EXPECT_TRUE(std::holds_alternative<Done>(store->commit(key_of("old"), {7, 1}, record("and after", 2), soon())));
    clock.advance(31min);
    EXPECT_EQ(store->sweep({}, soon()).removed, 2u);
    Raw raw(path);
    EXPECT_EQ(raw.ask("PRAGMA user_version"), "5");
    EXPECT_EQ(raw.ask("SELECT count(*) FROM sancho_sessions"), "1") << "what is damaged stays";
    EXPECT_EQ(raw.ask("SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name)"), "sancho_epochs,sancho_sessions");
    EXPECT_EQ(raw.ask("SELECT count(*) FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL"), "2");
    EXPECT_EQ(raw.ask("PRAGMA integrity_check"), "ok");
  }
};

TEST_F(SqliteOpen, FilesAreForTheirOwnerAloneWhateverTheUmask) {
  const auto before = umask(0);
  const auto store = open();
  store->create(key_of("a"), record(), soon());
  umask(before);
  for (const char* suffix : {"", "-wal", "-shm"}) EXPECT_EQ(mode_of(path.string() + suffix), 0600u) << suffix;
}

TEST_F(SqliteOpen, SetupDestroysNothingHoweverOftenItRuns) {
  const auto store = open();
  store->create(key_of("a"), record("kept"), soon());
  store->setup();
  open()->setup();
  EXPECT_EQ(store->load(key_of("a"), soon())->payload, "kept");
}

TEST_F(SqliteOpen, ARecordOutlivesTheStore) {
  open()->create(key_of("a"), record("kept"), soon());
  EXPECT_EQ(open()->load(key_of("a"), soon()), record("kept"));
}

TEST_F(SqliteOpen, TheDatabaseIsMarkedAsOursAndInWalMode) {
  const auto store = open();
  Raw raw(path);
  EXPECT_EQ(raw.ask("PRAGMA application_id"), std::to_string(0x53414e43));
  EXPECT_EQ(raw.ask("PRAGMA user_version"), "5");
  EXPECT_EQ(raw.ask("PRAGMA journal_mode"), "wal");
}

TEST_F(SqliteOpen, AnOlderSchemaIsUpgradedAndItsSessionsLive) {
  make_schema_1();
  expect_upgraded();
}

TEST_F(SqliteOpen, RecordsThatHadNoSubjectInThemArePackedAnew) {
  make_schema_4();
  {
    const auto store = open();
    EXPECT_EQ(store->load(key_of("hers"), soon())->subject, "ada");
    Raw raw(path);
    EXPECT_EQ(raw.ask("SELECT CAST(substr(record,125) AS TEXT) FROM sancho_sessions WHERE bucket = 875714751471034746"), "adahers");
    EXPECT_EQ(raw.ask("SELECT max(bytes) FROM sancho_readable WHERE subject = 'ada'"), "4");
  }
  expect_upgraded();
}

TEST_F(SqliteOpen, AnUpgradeKeepsEpochs) {
  make_schema_3();
  EXPECT_EQ(open()->epochs()->epochs("ada", soon()).subject, 9u);
  expect_upgraded();
}

// It is outside of the checksum, so a row with it says that it is whole.
TEST_F(SqliteOpen, AnUpgradeIsNotStoppedByAnAccessTimeThatIsNone) {
  make_schema_3();
  Raw(path).run("UPDATE sancho_sessions SET accessed = 9223372036854775807 WHERE key = x'" + key_of("old").hex() + "'");
  const auto store = open();
  EXPECT_EQ(trouble_of([&] { store->load(key_of("old"), soon()); }), Trouble::corrupt);
  EXPECT_EQ(Raw(path).ask("PRAGMA user_version"), "5");
}

TEST_F(SqliteOpen, AnUpgradeThatFailsLeavesTheOldSchema) {
  make_schema_3();
  Raw(path).run("CREATE TABLE sancho_sessions_3 (somebody_elses)");
  EXPECT_EQ(trouble_of([&] { open(); }), Trouble::unavailable);
  Raw raw(path);
  EXPECT_EQ(raw.ask("PRAGMA user_version"), "3");
  EXPECT_EQ(raw.ask("SELECT count(*) FROM sancho_sessions WHERE inc = 7"), "3");
}

TEST_F(SqliteOpen, AnOlderSchemaIsNotUpgradedThroughAReadOnlyStore) {
  make_schema_1();
  const auto before = bytes_of(path);
  EXPECT_EQ(trouble_of([&] { open({.read_only = true}); }), Trouble::refused);
  EXPECT_EQ(bytes_of(path), before);
}

TEST_F(SqliteOpen, ANewerSchemaIsUnavailableAndNotTouched) {
  open()->create(key_of("a"), record(), soon());
  Raw(path).run("PRAGMA user_version = 6; PRAGMA journal_mode = delete");
  const auto before = bytes_of(path);
  std::string says;
  EXPECT_EQ(trouble_of([&] { open(); }, &says), Trouble::unavailable);
  EXPECT_NE(says.find("newer version of sancho"), says.npos) << says;
  EXPECT_EQ(bytes_of(path), before);
}

TEST_F(SqliteOpen, AnotherApplicationsDatabaseIsRefusedAndNotTouched) {
  const char* const databases[] = {
      "CREATE TABLE customers (name)",
      "PRAGMA application_id = 77",
      "PRAGMA user_version = 1",
      "CREATE TABLE sancho_sessions (key, value)",
      "PRAGMA application_id = 1396788803; PRAGMA user_version = 2; CREATE TABLE sancho_sessions (key, value)",
      "PRAGMA application_id = 1396788803; PRAGMA user_version = 2",
  };
  for (const char* sql : databases) {
    std::filesystem::remove(path);
    Raw(path).run(sql);
    const auto before = bytes_of(path);
    std::string says;
    EXPECT_EQ(trouble_of([&] { open(); }, &says), Trouble::refused) << sql;
    EXPECT_NE(says.find("another application's"), says.npos) << says;
    EXPECT_EQ(bytes_of(path), before) << sql;
  }
}

TEST_F(SqliteOpen, ADamagedHeaderIsUnavailableAndNotTouched) {
  open()->create(key_of("a"), record(), soon());
  std::fstream(path, std::ios::in | std::ios::out | std::ios::binary).write("garbage!", 8);
  const auto before = bytes_of(path);
  EXPECT_EQ(trouble_of([&] { open(); }), Trouble::unavailable);
  EXPECT_EQ(bytes_of(path), before);
}

TEST_F(SqliteOpen, AFileThatIsNoDatabaseIsUnavailableAndNotTouched) {
  std::ofstream(path) << std::string(5000, 'x');
  EXPECT_EQ(trouble_of([&] { open(); }), Trouble::unavailable);
  EXPECT_EQ(bytes_of(path), std::string(5000, 'x'));
}

TEST_F(SqliteOpen, AnImpossiblePathSaysWhatToChange) {
  std::string says;
  path = directory / "absent" / "sessions.db";
  EXPECT_EQ(trouble_of([&] { open(); }, &says), Trouble::unavailable);
  EXPECT_NE(says.find("see that the directory exists"), says.npos) << says;
  path = directory;
  EXPECT_EQ(trouble_of([&] { open(); }), Trouble::unavailable);
  EXPECT_THROW(open_sqlite_store(""), ConfigError);
  EXPECT_THROW(open_sqlite_store(":memory:"), ConfigError);
  EXPECT_THROW(open_sqlite_store(std::string("a\0b", 3)), ConfigError);
  EXPECT_THROW(open_sqlite_store(path, {.max_pages = 1}), ConfigError);
}

TEST_F(SqliteOpen, ALinkIsFollowedToAFileAndNotToNothing) {
  const auto target = directory / "target.db";
  std::filesystem::create_symlink(target, path);
  EXPECT_EQ(trouble_of([&] { open(); }), Trouble::unavailable);
  EXPECT_FALSE(std::filesystem::exists(target));
  open_sqlite_store(target, {}, clock)->create(key_of("a"), record(), soon());
  EXPECT_TRUE(open()->load(key_of("a"), soon()));
}

// ## Read-only

TEST_F(SqliteOpen, AReadOnlyStoreReadsAndRefusesEveryWrite) {
  const auto writer = open();
  writer->create(key_of("a"), record(), soon());
  const auto reader = open({.read_only = true});
  EXPECT_EQ(reader->load(key_of("a"), soon()), record());
  EXPECT_EQ(reader->scan()->count(soon()), 1u);
  EXPECT_EQ(trouble_of([&] { reader->create(key_of("b"), record(), soon()); }), Trouble::refused);
  EXPECT_EQ(trouble_of([&] { reader->commit(key_of("a"), {7, 1}, record("x", 2), soon()); }), Trouble::refused);
  EXPECT_EQ(trouble_of([&] { reader->touch(key_of("a"), 7, clock.now() + 1s, soon()); }), Trouble::refused);
  EXPECT_EQ(trouble_of([&] { reader->erase(key_of("a"), {}, soon()); }), Trouble::refused);
  EXPECT_EQ(trouble_of([&] { reader->sweep({}, soon()); }), Trouble::refused);
  EXPECT_EQ(writer->load(key_of("a"), soon()), record());
}

TEST_F(SqliteOpen, AReadOnlyStoreOfNothingMakesNothing) {
  EXPECT_EQ(trouble_of([&] { open({.read_only = true}); }), Trouble::unavailable);
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST_F(SqliteOpen, AFileThatMayNotBeWrittenIsReadAndRefusesWrites) {
  open()->create(key_of("a"), record(), soon());
  chmod(path.c_str(), 0444);
  chmod(directory.c_str(), 0777);
  const auto child = fork();  // no store is open: the child may open one
  if (child == 0) {
    // The superuser may write everything, so the child becomes nobody.
    if (geteuid() == 0 && setuid(65534) != 0) _exit(10);
    try {
      const auto store = open();
      if (store->load(key_of("a"), soon()) != record()) _exit(11);
      _exit(trouble_of([&] { store->erase(key_of("a"), {}, soon()); }) == Trouble::refused ? 0 : 12);
    } catch (const std::exception& e) {
      fprintf(stderr, "%s\n", e.what());
      _exit(13);
    }
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST_F(SqliteOpen, ADatabaseOnAFileSystemMountedReadOnlyIsReadAndRefusesWrites) {
  const auto small = directory / "small";
  std::filesystem::create_directory(small);
  const Mount mounted(small);
  if (!mounted.done) SANCHO_SKIP("mounting a small file system is not permitted here");
  path = small / "odd %?# name.db";
  open()->create(key_of("a"), record(), soon());
  ASSERT_TRUE(mounted.freeze());
  const auto store = open();
  EXPECT_EQ(store->load(key_of("a"), soon()), record());
  EXPECT_EQ(trouble_of([&] { store->erase(key_of("a"), {}, soon()); }), Trouble::refused);
}

TEST_F(SqliteOpen, TraitsTellWhatTheSettingsGive) {
  const auto full = open({})->traits();
  EXPECT_TRUE(full.thread_safe && full.multiprocess_safe && full.durable && full.power_safe && full.linearizable);
  EXPECT_FALSE(full.distributed || full.sweeps_itself);
  const auto lighter = open(normal)->traits();
  EXPECT_TRUE(lighter.durable);
  EXPECT_FALSE(lighter.power_safe);
}

}  // namespace
}  // namespace sancho::sqlite_test
