// # memory:
//
// A hash table in this process, in shards with a lock each. Nothing survives
// the process, nothing is shared with another. It is the oracle that the other
// stores are tested against, and the fastest. A session takes about 100 bytes
// beside its payload, its user's name about 35 more than its length.
//
// No call holds a lock for long, however many sessions there are: the table grows
// by parts, and a sweep looks only at what may have expired, a few records at a
// time. docs/stores/memory.md says how.
#pragma once

#include <memory>

#include "sancho/export.hpp"
#include "sancho/store.hpp"

namespace sancho SANCHO_EXPORT {

// Thread safe; not multiprocess safe; not durable; linearizable. `clock` must
// outlive the store.
std::unique_ptr<SessionStore> open_memory_store(const Clock& clock = system_clock());

}  // namespace sancho
