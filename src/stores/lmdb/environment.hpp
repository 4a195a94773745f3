// The one LMDB environment that a process has over a database, whatever number
// of stores use it. LMDB forbids a second one.
#pragma once

#include <lmdb.h>

#include <atomic>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <string>

#include "base/coarse_clock.hpp"
#include "sancho/stores/lmdb.hpp"
#include "stores/idle.hpp"
#include "stores/lmdb/gate.hpp"
#include "stores/lmdb/place.hpp"
#include "stores/lmdb/tables.hpp"
#include "stores/read_mostly_mutex.hpp"

namespace sancho::lmdb {

using MapMutex = ReadMostlyMutex<std::shared_mutex>;

// A write changes pages by copying them, and what it gives up is free again two
// transactions later. So many pages are left for logouts: several times what
// one takes, in every tree it touches (many_trees has several).
constexpr std::size_t kept_pages = 256;

class Environment {
 public:
  // `path` is absolute and a directory; `store` is what messages call it.
  // Throws `StoreError`.
  Environment(const std::string& path, const std::string& store, const LmdbOptions& options);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;

  // Another store of this process, over the same directory: the greater map and
  // the safer sync hold for both.
  void join(const LmdbOptions& options);

  // Throws `StoreError`: in a child of the process that opened it, when the
  // files were removed or replaced, or if the deadline has passed. `within_tick`:
  // that they were replaced is told within a tick of the operating system's coarse
  // clock, ten milliseconds at most. The first alone:
  void require_usable(Deadline deadline);
  void require_usable_within_tick(Deadline deadline);
  void require_own_process() const;

  bool read_only() const { return read_only_; }
  const std::string& store() const { return store_; }

  // The tables of a namespace, once `setup` (schema.hpp) has found or made them.
  std::map<std::string, Tables>& tables() { return tables_; }  // under `tables_mutex`
  std::mutex& tables_mutex() { return tables_mutex_; }

  // Frees what readers of dead processes hold. How many there were.
  int clear_dead_readers(Deadline deadline);

  // Are so many pages free? Those of the map that were never used, and those that
  // were given up (what another process reads for long is among them, though it
  // cannot be had yet), which are counted only where the first do not suffice.
  bool has_free_pages(std::size_t enough, Deadline deadline);
  std::size_t page_size() const { return page_size_; }

  // After a commit that failed: may it have been done? LMDB goes on after any
  // failure but that of the last write, which is the one that decides.
  bool in_doubt() noexcept;
  bool disk_full() const noexcept;

  // Room on the disk, as in reserve.hpp.
  void see_to_reserve() noexcept;
  void spend_reserve() noexcept;

 private:
  friend class Transaction;
  friend class Reading;
  friend class Writing;
  void require_same_file(Deadline::Steady::time_point tick);
  // Null if the map must be adopted first.
  MDB_txn* take_reader(Deadline deadline);
  int begin_reader(MDB_txn*& reader, Deadline deadline);
  bool is_last_written(MDB_txn* reader) const noexcept;
  bool is_last(MDB_txn* reader, Deadline deadline) noexcept;
  void give_back(MDB_txn* reader) noexcept;
  void abort_readers() noexcept;
  // Takes over the greater map that another process wrote beyond ours with.
  void adopt_map(Deadline deadline, std::size_t size);
  void open();
  void guard_end_of_file();
  void close() noexcept;

  std::string path_, store_;
  pid_t owner_;
  bool read_only_ = false;
  Duration patience_;
  std::atomic<bool> full_;  // does a writer wait for the last page too?
  Gate gate_;
  MDB_env* env_ = nullptr;
  FileId data_;
  SeenThisTick same_file_;
  std::size_t page_size_ = 4096;
  // Whoever is in a transaction reads: the map moves while nobody is.
  MapMutex map_mutex_;
  Readers inside_;
  Idle<MDB_txn> readers_;  // reset, each with its slot in the table of readers
  std::mutex tables_mutex_;
  std::map<std::string, Tables> tables_;
};

}  // namespace sancho::lmdb
