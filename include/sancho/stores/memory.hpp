// # memory:
//
// A hash table in this process, in shards with a lock each. Nothing survives
// the process, nothing is shared with another. It is the oracle that the other
// stores are tested against, and the fastest.
#pragma once

#include <memory>

#include "sancho/export.hpp"
#include "sancho/store.hpp"

namespace sancho SANCHO_EXPORT {

// Thread safe; not multiprocess safe; not durable; linearizable. `clock` must
// outlive the store.
std::unique_ptr<SessionStore> open_memory_store(const Clock& clock = system_clock());

}  // namespace sancho
