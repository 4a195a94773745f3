// # dir:PATH
//
//     auto store = sancho::open_directory_store("/var/lib/shop/sessions");
//
// A file per session: easy to look at, to count and to delete by hand.
// Several processes of one machine may share the directory.
//
// docs/stores/dir.md has the layout, what is synced when, and what it costs.
#pragma once

#include <memory>
#include <string>

#include "sancho/export.hpp"
#include "sancho/store.hpp"

namespace sancho SANCHO_EXPORT {

// Opens the directory, and makes it (mode 0700) if it is not there; its parent
// must be. Thread safe, multiprocess safe, linearizable, durable and power
// safe, on a local file system. Finding by subject, counting and scanning read
// every file.
//
// Throws `ConfigError` for an empty path, and `StoreError` of kind *refused* if
// the directory is a symbolic link, belongs to another user or is open to
// others; the message says what to change. `clock` must outlive the store.
std::unique_ptr<SessionStore> open_directory_store(const std::string& path, const Clock& clock = system_clock());

}  // namespace sancho
