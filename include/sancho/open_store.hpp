// # One door to every store
//
//     auto store = sancho::open_store("sqlite:sessions.db");
//
// | URI                   | what                                            |
// |-----------------------|-------------------------------------------------|
// | `memory:`             | a table in this process; gone with it           |
// | `dir:PATH`            | a file per session                              |
// | `sqlite:PATH`         | SQLite in WAL mode: the default                 |
// | `lmdb:PATH`           | LMDB, a memory-mapped tree                      |
// | `postgresql://HOSTS`  | PostgreSQL, of a URI as libpq knows it          |
// | `mysql://HOSTS`       | MariaDB or MySQL, one server or a Galera cluster |
// | `redis://HOST`        | Redis or Valkey; also `rediss`, `redis+unix`, `redis+sentinel`, `redis-cluster` |
// | `memcached://HOSTS`   | memcached, one or several: volatile             |
//
// An application that wants one store and no more dependencies than that one
// has links its library alone (`sancho::sqlite`, `sancho::redis`, ...) and calls
// the function in its header under `sancho/stores/`. What was not built into
// this library says so, in a `ConfigError`, when it is opened.
#pragma once

#include <memory>
#include <string_view>

#include "sancho/export.hpp"
#include "sancho/store.hpp"

namespace sancho SANCHO_EXPORT {

// Opens the store that the URI names and makes what it needs (`setup`), unless
// the store is read-only. Options stand behind a `?`, `name=value` joined by
// `&`, percent-encoded; each store's header lists its own.
//
// `clock` is what expiry is measured on, where the store has no clock of its own
// (`traits().distributed`); it must outlive the store.
//
// Throws `ConfigError` for a URI that names no store, an unknown option or a
// value that cannot be; `StoreError` where the place cannot be opened. The
// message says what to change and never holds a password.
std::unique_ptr<SessionStore> open_store(std::string_view uri, const Clock& clock = system_clock());

}  // namespace sancho
