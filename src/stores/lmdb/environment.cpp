#include "stores/lmdb/environment.hpp"

#include <sys/statvfs.h>

#include <cstring>
#include <thread>

#include "base/fork_page.hpp"
#include "stores/lmdb/failure.hpp"
#include "stores/reserve.hpp"

namespace sancho::lmdb {

namespace {
constexpr MDB_dbi most_tables = 16 * 4;  // where there are many trees; see tables.hpp
// LMDB takes as many readers as the file has room for, here about a thousand.
// It writes there through a map, where a full disk would be a signal: so the
// room is taken when the file is made.
constexpr long lock_file_size = 64 << 10;
// A write takes some forty pages on the way; see the room that `Writing` keeps.
constexpr long reserve_size = 1 << 20;

// The files of the database, before LMDB may see them.
std::string prepared(const std::string& path, const std::string& store, const LmdbOptions& options) {
  require_local(path, store);
  if (!options.read_only) make_file(path + "/gate", 0, store);
  return path + "/gate";
}
}  // namespace

Environment::Environment(const std::string& path, const std::string& store, const LmdbOptions& options)
    : path_(path),
      store_(store),
      owner_(this_process()),
      patience_(options.open_timeout),
      full_(options.sync == LmdbOptions::Sync::full),
      gate_(prepared(path, store, options), store) {
  const auto deadline = Deadline::after(options.open_timeout);
  const Gate::Pass pass(gate_, Gate::Lane::opening, deadline);
  if (!options.read_only) {
    make_file(path_ + "/lock.mdb", lock_file_size, store_);
    make_file(path_ + "/data.mdb", 0, store_);
  }
  data_ = file_id(path_ + "/data.mdb", store_);
  read_only_ = !gate_.there() || !writable(path_ + "/data.mdb");
  constexpr const char* doing = "opening it";
  check(store_, doing, mdb_env_create(&env_));
  try {
    check(store_, doing, mdb_env_set_maxdbs(env_, most_tables));
    check(store_, doing, mdb_env_set_mapsize(env_, options.map_size & ~std::uint64_t{4095}));
    open();
  } catch (...) {
    abort_readers();
    mdb_env_close(env_);
    throw;
  }
}

void Environment::open() {
  const unsigned flags = MDB_NOTLS | (read_only_ ? static_cast<unsigned>(MDB_RDONLY) : 0u);
  check(store_, "opening it", mdb_env_open(env_, path_.c_str(), flags, 0600));
  MDB_stat stat;
  mdb_env_stat(env_, &stat);
  page_size_ = stat.ms_psize;
  guard_end_of_file();
  // What is there may be more than `map_size` allows: people must be able to
  // log out all the same.
  if (read_only_ || has_free_pages(kept_pages, Deadline::after(patience_))) return;
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  check(store_, "growing its map", mdb_env_set_mapsize(env_, (info.me_last_pgno + 1 + kept_pages) * page_size_));
}

// A page beyond the end of the file would be a signal where it is read. LMDB
// writes no page that a transaction took and gave up again, so the last ones may
// rightly be missing; one that should not be is noticed when it is empty.
void Environment::guard_end_of_file() {
  MDB_envinfo info;
  mdb_filehandle_t fd = -1;
  mdb_env_info(env_, &info);
  mdb_env_get_fd(env_, &fd);
  const auto size = (info.me_last_pgno + 1) * page_size_;
  if (!read_only_)
    lengthen(fd, size, store_);
  else if (length_of(fd, store_) < size)
    throw StoreError(Trouble::unavailable,
                     store_ + ": its file is shorter than it should be; open it once for writing");
}

// In a child, all this is the parent's: closing it would do harm.
Environment::~Environment() {
  if (this_process() == owner_) close();
}

// With the gate closed if that can be had in time, because LMDB can fail to open
// where another process is closing.
void Environment::close() noexcept {
  abort_readers();
  try {
    const Gate::Pass pass(gate_, Gate::Lane::opening, Deadline::after(std::chrono::seconds{1}));
    mdb_env_close(env_);
  } catch (const StoreError&) {
    mdb_env_close(env_);
  }
}

void Environment::join(const LmdbOptions& options) {
  const auto deadline = Deadline::after(options.open_timeout);
  require_usable(deadline);
  MDB_envinfo info;
  {
    const MapMutex::Reading map(map_mutex_, inside_);
    mdb_env_info(env_, &info);
  }
  if (options.map_size > info.me_mapsize) adopt_map(deadline, options.map_size & ~std::uint64_t{4095});
  if (options.sync == LmdbOptions::Sync::full && !options.read_only) full_ = true;
}

void Environment::require_own_process() const {
  if (this_process() != owner_)
    throw StoreError(Trouble::refused,
                     store_ + ": it was opened before this process was forked; open it after forking, not before");
}

// A file that was removed or replaced goes on taking writes, and then they are gone.
void Environment::require_same_file(Deadline::Steady::time_point tick) {
  same_file_.forget();  // should it not be: then the next call looks again
  if (file_id(path_ + "/data.mdb", store_) != data_)
    throw StoreError(Trouble::unavailable,
                     store_ + ": its file was replaced while it was open; start this program anew");
  same_file_.note(tick);
}

namespace {
void require_time(Deadline deadline, Deadline::Steady::time_point tick, const std::string& store) {
  if (has_passed(deadline.at(), tick))
    throw StoreError(Trouble::unavailable, store + ": the deadline had passed before it began");
}
}  // namespace

void Environment::require_usable(Deadline deadline) {
  require_own_process();
  const auto tick = coarse_now();
  require_same_file(tick);
  require_time(deadline, tick, store_);
}

void Environment::require_usable_within_tick(Deadline deadline) {
  require_own_process();
  const auto tick = coarse_now();
  if (!same_file_.seen(tick)) require_same_file(tick);
  require_time(deadline, tick, store_);
}

// ## The map

void Environment::adopt_map(Deadline deadline, std::size_t size) {
  for (;;) {
    if (const MapMutex::Writing alone(map_mutex_, inside_, std::try_to_lock); alone)
      return check(store_, "growing its map", mdb_env_set_mapsize(env_, size));
    if (deadline.passed())
      throw StoreError(Trouble::unavailable, store_ + ": the deadline passed before the map could grow");
    std::this_thread::sleep_for(std::chrono::microseconds{50});
  }
}

bool Environment::has_free_pages(std::size_t enough, Deadline deadline) {
  constexpr const char* doing = "counting its free pages";
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  auto pages = info.me_mapsize / page_size_ - (info.me_last_pgno + 1);
  if (pages >= enough) return true;
  // Table 0 is LMDB's list of what transactions gave up, each with its length.
  auto* reader = take_reader(deadline);
  if (!reader) return false;
  MDB_cursor* cursor = nullptr;
  int rc = mdb_cursor_open(reader, 0, &cursor);
  if (rc == MDB_SUCCESS) {
    MDB_val key, list;
    while (pages < enough && (rc = mdb_cursor_get(cursor, &key, &list, MDB_NEXT)) == MDB_SUCCESS) {
      std::size_t length = 0;
      std::memcpy(&length, list.mv_data, sizeof length);
      pages += length;
    }
    mdb_cursor_close(cursor);
  }
  give_back(reader);
  if (rc != MDB_SUCCESS && rc != MDB_NOTFOUND) fail(store_, doing, rc);
  return pages >= enough;
}

bool Environment::in_doubt() noexcept {
  MDB_txn* reader = nullptr;
  const int rc = mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader);
  if (rc == MDB_SUCCESS) mdb_txn_abort(reader);
  return rc == MDB_PANIC;
}

bool Environment::disk_full() const noexcept {
  struct statvfs fs {};
  return ::statvfs(path_.c_str(), &fs) == 0 && fs.f_bavail == 0;
}

void Environment::see_to_reserve() noexcept { keep_reserve(path_ + "/reserve", reserve_size); }
void Environment::spend_reserve() noexcept { ::sancho::spend_reserve(path_ + "/reserve"); }

// ## Readers

// LMDB looks up which transaction is the last, and then at that page of its two
// where this one's root is. A thread that sleeps in between may find the root of one
// two later there, which nobody is to see yet: the file may not have it, and whoever
// reads next sees less. What was taken is right if not even the one after its own is
// written now, or if a second look finds that its own is still the last.
MDB_txn* Environment::take_reader(Deadline deadline) {
  for (;;) {
    MDB_txn* reader = nullptr;
    int rc = begin_reader(reader, deadline);
    while (rc == MDB_READERS_FULL && !deadline.passed()) {
      if (clear_dead_readers(deadline) == 0) std::this_thread::sleep_for(std::chrono::milliseconds{1});
      rc = begin_reader(reader, deadline);
    }
    if (rc == MDB_MAP_RESIZED) return nullptr;
    check(store_, "beginning to read", rc);
    if (is_last_written(reader) || is_last(reader, deadline)) return reader;
    give_back(reader);
    if (deadline.passed())
      throw StoreError(Trouble::unavailable, store_ + ": the deadline passed before it was sure what it reads");
  }
}

int Environment::begin_reader(MDB_txn*& reader, Deadline deadline) {
  reader = readers_.take();
  if (!reader) {
    const Gate::Pass pass(gate_, Gate::Lane::readers, deadline);
    return mdb_txn_begin(env_, nullptr, MDB_RDONLY, &reader);
  }
  const int rc = mdb_txn_renew(reader);
  if (rc != MDB_SUCCESS) mdb_txn_abort(reader);
  return rc;
}

bool Environment::is_last_written(MDB_txn* reader) const noexcept {
  std::atomic_thread_fence(std::memory_order_acquire);
  MDB_envinfo info;
  mdb_env_info(env_, &info);
  return info.me_last_txnid == mdb_txn_id(reader);
}

// With no room for a second reader it is not known, and who waits for room must
// have none himself.
bool Environment::is_last(MDB_txn* reader, Deadline deadline) noexcept {
  try {
    MDB_txn* second = nullptr;
    if (begin_reader(second, deadline) != MDB_SUCCESS) return false;
    const bool same = mdb_txn_id(second) == mdb_txn_id(reader);
    give_back(second);
    return same;
  } catch (const StoreError&) {  // the gate's, which the next to begin meets too
    return false;
  }
}

void Environment::give_back(MDB_txn* reader) noexcept {
  mdb_txn_reset(reader);
  if (!readers_.give(reader)) mdb_txn_abort(reader);
}

void Environment::abort_readers() noexcept {
  while (auto* reader = readers_.take()) mdb_txn_abort(reader);
}

int Environment::clear_dead_readers(Deadline deadline) {
  require_own_process();
  const Gate::Pass pass(gate_, Gate::Lane::readers, deadline);
  int dead = 0;
  mdb_reader_check(env_, &dead);
  return dead;
}

}  // namespace sancho::lmdb
