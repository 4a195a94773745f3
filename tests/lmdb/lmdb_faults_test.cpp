// Each write and each sync of LMDB fails once, in turn: what the store then says
// about the operation is true.
#include <sys/syscall.h>
#include <sys/uio.h>

#include <cerrno>

#include "lmdb_fixture.hpp"

namespace {
// The system calls that LMDB makes to write; they find these first, because a
// program's symbols come before a library's.
struct Fault {
  static inline int countdown = -1;  // calls until the one that fails; negative: none
  static inline int error = EIO;
  static inline bool struck = false;
  static void arm(int calls, int with) { countdown = calls, error = with, struck = false; }
  static bool disarm() { return countdown = -1, struck; }
  static bool strikes() { return countdown >= 0 && countdown-- == 0 && (struck = true); }
};
}  // namespace

extern "C" {
ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) {
  if (Fault::strikes()) return errno = Fault::error, -1;
  return syscall(SYS_pwrite64, fd, bytes, size, at);
}
ssize_t writev(int fd, const iovec* parts, int count) {
  if (Fault::strikes()) return errno = Fault::error, -1;
  return syscall(SYS_writev, fd, parts, count);
}
int fdatasync(int fd) {
  if (Fault::strikes()) return errno = Fault::error, -1;
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}
}

namespace sancho::lmdb_test {
namespace {

class LmdbFaults : public LmdbStoreTest {};

TEST_F(LmdbFaults, WhereverACommitFailsItIsWhollyThereOrWhollyAbsentAndNeverTwice) {
  for (const int error : {EIO, ENOSPC}) {
    int failures = 0, doubts = 0;
    for (int call = 0;; ++call) {
      path = directory / (std::to_string(error) + "-" + std::to_string(call));
      auto store = open();
      const auto key = key_of("a");
      const auto before = record("before", 1), after = record(std::string(9000, 'a'), 2);
      store->create(key, before, soon());
      Fault::arm(call, error);
      std::optional<Trouble> trouble;
      bool maybe_done = false;
      try {
        store->commit(key, before.version, after, soon());
      } catch (const StoreError& e) {
        trouble = e.kind(), maybe_done = e.maybe_done();
      }
      if (!Fault::disarm()) break;  // fewer calls than that: each has had its turn
      ASSERT_TRUE(trouble) << "an I/O error went unnoticed";
      EXPECT_EQ(trouble, error == EIO ? Trouble::unavailable : Trouble::full);
      ++failures, doubts += maybe_done;
      EXPECT_TRUE(maybe_done || store->load(key, soon()) == before) << "it goes on as if nothing had been";
      store.reset();
      store = open();
      const auto found = store->load(key, soon());
      EXPECT_TRUE(found == before || (maybe_done && found == after)) << "call " << call;
      // The very same operation again: done, or found done.
      const auto again = store->commit(key, before.version, after, soon());
      const auto* conflict = std::get_if<Conflict>(&again);
      EXPECT_TRUE(std::holds_alternative<Done>(again) || (conflict && conflict->current == after));
      EXPECT_EQ(store->load(key, soon()), after);
      store.reset();
      expect_whole();
    }
    EXPECT_GE(failures, 3) << "pages, sync, and the page that decides";
    EXPECT_EQ(doubts, 1) << "the last write alone is in doubt";
  }
}

}  // namespace
}  // namespace sancho::lmdb_test
