// # lmdb:PATH
//
// An embedded store over LMDB: one directory with a memory-mapped B+ tree,
// durable, shared by all threads and processes of a machine. Readers wait for
// nobody, not even for a writer. The heir of the package's Shelve and Durus
// stores.
//
//     auto store = sancho::open_store("lmdb:/var/lib/shop/sessions");
//     auto store = sancho::open_store("lmdb:sessions?map_size=4294967296&sync=normal");
//
// | option      | values           |                                     |
// |-------------|------------------|-------------------------------------|
// | `map_size`  | 4194304 and more | as `LmdbOptions::map_size`          |
// | `sync`      | `full`, `normal` | as `LmdbOptions::sync`              |
// | `mode`      | `rw`, `ro`       | as `LmdbOptions::read_only`         |
// | `namespace` | a-z, 0-9 and _   | as `LmdbOptions::name_space`        |
//
// The directory belongs to sancho alone: a database that another application
// made is refused and not touched. It must lie on a file system of this
// machine, not on a network's. docs/stores/lmdb.md has the layout, what a full
// map means, and which promises hold under which settings.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "sancho/export.hpp"
#include "sancho/store.hpp"

namespace sancho SANCHO_EXPORT {

struct LmdbOptions {
  // The largest size of the database, in bytes. It costs address space and
  // nothing else: the file is as long as what is in it. A database that is full
  // takes no new sessions; logouts and removals go on working in a reserve of
  // 1 MiB within. Processes may differ: who meets pages beyond its own map takes
  // over the greater size.
  std::uint64_t map_size = std::uint64_t{1} << 30;

  // What an acknowledged write survives.
  //   - full: power loss.
  //   - normal: kill -9 of every process. Power loss leaves the database whole,
  //     and may take the last transaction. `traits().power_safe` is false.
  // Where stores of one process differ, the database is written with `full`.
  enum class Sync { full, normal };
  Sync sync = Sync::full;

  // Writes nothing; the database must exist and be up to date. Every writing
  // verb throws `StoreError` of kind *refused*. A reader needs the right to
  // write `lock.mdb` nevertheless, unless the file system is mounted read-only.
  bool read_only = false;

  // Keeps applications that share a directory apart: up to 32 of a-z, 0-9, _.
  // They share its room and its write lock. As many as you like; at most 16 in one
  // process where the database is of schema 1 (docs/stores/lmdb.md).
  std::string name_space = {};

  // How long opening may wait for other processes that open or write.
  Duration open_timeout = std::chrono::seconds{10};
};

// Opens the database in the directory `path`; makes both if they are absent
// (modes 0700 and 0600 whatever the umask).
//
// Thread safe, multiprocess safe, durable, linearizable; power safe with
// `Sync::full`. Offers `SubjectIndex`, `Epochs` and `Scan`. `clock` must outlive
// the store; processes that share a database share the machine's clock. All
// stores of a process over one directory share one LMDB environment.
//
// After a fork, a store belongs to the parent: in the child every verb throws
// `StoreError` of kind *refused*, and so does opening the same database again,
// because LMDB cannot be carried across a fork. Open stores after forking; a
// child that goes on to `exec` is not concerned.
//
// Throws `ConfigError` for a path or option that cannot be one; `StoreError` of
// kind
//   - *unavailable*: the database cannot be opened, is damaged, or has the
//     schema of a newer version (nothing is touched then);
//   - *refused*: another application's database, a network file system, or a
//     database that would have to be written to and cannot be;
//   - *full*: there is no room to make it.
std::unique_ptr<SessionStore> open_lmdb_store(const std::filesystem::path& path, const LmdbOptions& options = {},
                                              const Clock& clock = system_clock());

}  // namespace sancho
