// # sqlite:PATH
//
// The default store: one SQLite database in WAL mode, embedded, durable, shared
// by all threads and processes of a machine.
//
//     auto store = sancho::open_store("sqlite:sessions.db");
//     auto store = sancho::open_store("sqlite:/var/lib/shop/sessions.db?synchronous=normal");
//
// | option        | values           |                                                        |
// |---------------|------------------|--------------------------------------------------------|
// | `synchronous` | `full`, `normal` | as `SqliteOptions::synchronous`                         |
// | `mode`        | `rw`, `ro`       | as `SqliteOptions::read_only`                           |
// | `max_pages`   | 16 and more      | as `SqliteOptions::max_pages`                           |
//
// The database belongs to sancho alone: one that another application made is
// refused and not touched. It must lie on a file system of this machine, not on
// a network's (WAL needs shared memory). docs/stores/sqlite.md has the schema,
// the settings, and which promises hold under them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>

#include "sancho/export.hpp"
#include "sancho/store.hpp"

namespace sancho SANCHO_EXPORT {

struct SqliteOptions {
  // What an acknowledged write survives.
  //   - full: power loss. One fsync a write.
  //   - normal: kill -9 of every process, not power loss, which may then take
  //     the latest acknowledged writes. `traits().power_safe` is false.
  enum class Synchronous { full, normal };
  Synchronous synchronous = Synchronous::full;

  // Opens the database for reading only; it must exist and be up to date. Every
  // writing verb throws `StoreError` of kind *refused*. A file that may not be
  // written is opened like that in any case.
  bool read_only = false;

  // The database grows to so many pages of 4096 bytes and then is *full*; 0 is
  // SQLite's own limit. Logouts and removals go on working.
  std::uint32_t max_pages = 0;

  // How long opening may wait for other processes that open or upgrade.
  Duration open_timeout = std::chrono::seconds{10};
};

// Opens the database at `path`, makes it if it is absent (mode 0600 whatever
// the umask), and brings it to the schema of this version.
//
// Thread safe, multiprocess safe, durable, linearizable; power safe with
// `Synchronous::full`. Offers `SubjectIndex` and `Scan`. `clock` must outlive
// the store; processes that share a database share the machine's clock.
//
// After a fork, a store belongs to the parent: in the child every verb throws
// `StoreError` of kind *refused*, and so does opening the same database again,
// because SQLite cannot be carried across a fork. Open stores after forking;
// a child that goes on to `exec` is not concerned.
//
// Throws `ConfigError` for a path that cannot be one; `StoreError` of kind
//   - *unavailable*: the file cannot be opened, is not a database, is damaged,
//     or has the schema of a newer version (nothing is touched then);
//   - *refused*: another application's database, or one that would have to be
//     written to and cannot be.
std::unique_ptr<SessionStore> open_sqlite_store(const std::filesystem::path& path, const SqliteOptions& options = {},
                                                const Clock& clock = system_clock());

}  // namespace sancho
