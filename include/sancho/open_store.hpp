// # One door to every store
//
//     auto store = sancho::open_store("sqlite:sessions.db");
//
// | URI             | what                                              |
// |-----------------|---------------------------------------------------|
// | `memory:`       | a table in this process; gone with it             |
// | `dir:PATH`      | a file per session                                |
// | `sqlite:PATH`   | SQLite in WAL mode: the default                   |
//
// An application that wants one store and no more dependencies than that one
// has links its library alone (`sancho::memory`, `sancho::directory`,
// `sancho::sqlite`) and calls the function in its header under
// `sancho/stores/`.
#pragma once

#include <memory>
#include <string_view>

#include "sancho/store.hpp"

namespace sancho {

// Opens the store that the URI names and makes what it needs (`setup`), unless
// the store is read-only. Options stand behind a `?`, `name=value` joined by
// `&`, percent-encoded; each store's header lists its own.
//
// `clock` is what expiry is measured on; it must outlive the store.
//
// Throws `ConfigError` for a URI that names no store, an unknown option or a
// value that cannot be; `StoreError` where the place cannot be opened. The
// message says what to change and never holds a password.
std::unique_ptr<SessionStore> open_store(std::string_view uri, const Clock& clock = system_clock());

}  // namespace sancho
