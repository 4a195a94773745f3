// What `open_store` knows: how each kind of store is opened from its URI. One
// function a kind, in the file `open_uri.cpp` of the store's folder.
#pragma once

#include <memory>

#include "sancho/store.hpp"
#include "stores/authority.hpp"
#include "stores/uri.hpp"

namespace sancho {

using Opened = std::unique_ptr<SessionStore>;

Opened open_memory(const StoreUri& uri, const Clock& clock);
Opened open_directory(const StoreUri& uri, const Clock& clock);
Opened open_sqlite(const StoreUri& uri, const Clock& clock);
Opened open_lmdb(const StoreUri& uri, const Clock& clock);
Opened open_postgresql(const StoreUri& uri, const Clock& clock);
Opened open_mysql(const StoreUri& uri, const Clock& clock);
Opened open_redis(const StoreUri& uri, const Clock& clock);  // all its schemes
Opened open_memcached(const StoreUri& uri, const Clock& clock);

// For a store that is a file: `scheme://host/...` means something else.
void want_no_host(const StoreUri& uri);

}  // namespace sancho
