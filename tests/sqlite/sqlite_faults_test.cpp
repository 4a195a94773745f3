// Each write and each sync of the WAL fails once, in turn: what the store then
// says about the operation is true.
#include "sqlite_fixture.hpp"

namespace sancho::sqlite_test {
namespace {

// SQLite's own way to files, with one call that fails. Only WAL files are
// interfered with, and only while armed.
struct Fault {
  static inline int countdown = -1;  // calls until the one that fails; negative: none
  static inline int error = SQLITE_IOERR;
  static inline bool struck = false;
  static inline sqlite3_vfs vfs{};
  static inline sqlite3_vfs* real_vfs = nullptr;
  static inline sqlite3_io_methods methods{};
  static inline const sqlite3_io_methods* real = nullptr;

  static void arm(int calls, int with) { countdown = calls, error = with, struck = false; }
  static bool disarm() { return countdown = -1, struck; }
  static bool strikes() { return countdown >= 0 && countdown-- == 0 && (struck = true); }
  static int write(sqlite3_file* f, const void* bytes, int size, sqlite3_int64 at) { return strikes() ? error : real->xWrite(f, bytes, size, at); }
  // The sync is done and the answer lost: the harder of the two cases.
  static int sync(sqlite3_file* f, int flags) {
    const int rc = real->xSync(f, flags);
    return strikes() ? (error == SQLITE_FULL ? SQLITE_IOERR_FSYNC : error) : rc;
  }
  static int open(sqlite3_vfs*, const char* name, sqlite3_file* f, int flags, int* out) {
    const int rc = real_vfs->xOpen(real_vfs, name, f, flags, out);
    if (rc != SQLITE_OK || (flags & SQLITE_OPEN_WAL) == 0) return rc;
    real = f->pMethods;
    methods = *real;
    methods.xWrite = write;
    methods.xSync = sync;
    f->pMethods = &methods;
    return rc;
  }
};

class SqliteFaults : public SqliteStoreTest {
 protected:
  SqliteFaults() {
    Fault::real_vfs = sqlite3_vfs_find(nullptr);
    Fault::vfs = *Fault::real_vfs;
    Fault::vfs.zName = "sancho-faults";
    Fault::vfs.pNext = nullptr;
    Fault::vfs.xOpen = Fault::open;
    sqlite3_vfs_register(&Fault::vfs, 1);
  }
  ~SqliteFaults() override {
    sqlite3_vfs_unregister(&Fault::vfs);
    sqlite3_vfs_register(Fault::real_vfs, 1);
  }
};

TEST_F(SqliteFaults, WhereverACommitFailsItIsWhollyThereOrWhollyAbsentAndNeverTwice) {
  for (const int error : {SQLITE_IOERR_WRITE, SQLITE_FULL}) {
    int failures = 0, doubts = 0;
    for (int call = 0;; ++call) {
      path = directory / (std::to_string(error) + "-" + std::to_string(call) + ".db");
      const auto store = open({});
      const auto key = key_of("a");
      const auto before = record("before", 1), after = record(std::string(9000, 'a'), 2);
      store->create(key, before, soon());
      Fault::arm(call, error);
      bool maybe_done = false, failed = false;
      try {
        store->commit(key, before.version, after, soon());
      } catch (const StoreError& e) {
        failed = true, maybe_done = e.maybe_done();
        EXPECT_TRUE(e.kind() == Trouble::unavailable || e.kind() == Trouble::full) << e.what();
      }
      if (!Fault::disarm()) break;  // fewer calls than that: each has had its turn
      ASSERT_TRUE(failed) << "an I/O error went unnoticed";
      ++failures, doubts += maybe_done;
      const auto found = store->load(key, soon());
      EXPECT_TRUE(found == before || (maybe_done && found == after)) << "call " << call;
      // The very same operation again: done, or found done.
      const auto again = store->commit(key, before.version, after, soon());
      const auto* conflict = std::get_if<Conflict>(&again);
      EXPECT_TRUE(std::holds_alternative<Done>(again) || (conflict && conflict->current == after));
      EXPECT_EQ(store->load(key, soon()), after);
    }
    EXPECT_GE(failures, 3);
    EXPECT_GE(doubts, 1) << "a lost answer to the sync must be in doubt";
  }
}

TEST_F(SqliteFaults, AnEndedSessionThatFindsNoRoomOnTheWayIsEndedAllTheSame) {
  for (int call = 0; call < 2; ++call) {
    path = directory / (std::to_string(call) + ".db");
    const auto store = open();
    store->create(key_of("a"), record(), soon());
    auto ended = record("", 2);
    ended.state = State::ended;
    Fault::arm(call, SQLITE_FULL);
    EXPECT_TRUE(std::holds_alternative<Done>(store->commit(key_of("a"), {7, 1}, ended, soon())));
    EXPECT_TRUE(Fault::disarm());
    EXPECT_EQ(store->load(key_of("a"), soon())->state, State::ended);
  }
}

}  // namespace
}  // namespace sancho::sqlite_test
