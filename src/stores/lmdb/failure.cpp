#include "stores/lmdb/failure.hpp"

#include <cerrno>

namespace sancho::lmdb {

// Damage of the whole database is *unavailable*, not *corrupt*: *corrupt* says
// that one record is lost and its visitor may start anew, and a broken disk
// must not log everybody out.

namespace {
struct Meaning {
  Trouble kind;
  const char* advice;
};

Meaning meaning_of(int rc) {
  switch (rc) {
    case MDB_MAP_FULL:
      return {Trouble::full, "; nothing was written: raise map_size, or remove sessions"};
    case ENOSPC:
    case EDQUOT:
      return {Trouble::full, "; nothing was written: make room on the file system"};
    case MDB_BAD_VALSIZE:
    case MDB_TXN_FULL:
      return {Trouble::refused, "; the record is larger than LMDB can keep"};
    case EACCES:
    case EPERM:
    case EROFS:
      return {Trouble::refused, "; this process may not write the directory or its files"};
    case MDB_READERS_FULL:
      return {Trouble::unavailable, "; too many threads and processes read at once"};
    case MDB_DBS_FULL:
      return {Trouble::refused, "; a process can open 16 namespaces of one database"};
    case MDB_INVALID:
      return {Trouble::unavailable, "; name another directory, or restore this one from a backup"};
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
      return {Trouble::unavailable, "; the database is damaged: restore it from a backup"};
    case MDB_VERSION_MISMATCH:
      return {Trouble::unavailable, "; another version of LMDB has it open, or made it"};
    case MDB_PANIC:
      return {Trouble::unavailable, "; an earlier write failed on the disk: start this program anew"};
    case ENOMEM:
      return {Trouble::unavailable,
              "; there is no address space for its map: lower map_size, or raise the process's limit"};
    case EIO:
      return {Trouble::unavailable, "; see the system's log for what is wrong with the disk"};
    default:
      return {Trouble::unavailable, ""};
  }
}
}  // namespace

void fail(const std::string& store, const char* doing, int rc, bool maybe_done) {
  const auto meaning = meaning_of(rc);
  throw StoreError(meaning.kind, store + ": " + doing + ": " + mdb_strerror(rc) + meaning.advice, maybe_done);
}

}  // namespace sancho::lmdb
