// How long memcached is told to keep an item. This only frees memory: whether a
// record has expired is decided by the record and the store's clock.
#pragma once

#include <cstdint>

#include "sancho/time.hpp"

namespace sancho::memcached {

// An `exptime` that comes no earlier than after `left`, counted from when the
// server gets it; zero, which is never, where it has no word for the moment.
// `server_now` is the server's clock, in seconds since 1970.
std::int64_t exptime(Duration left, std::int64_t server_now);

// A moment that is past for every server: the item is gone at once.
std::int64_t exptime_of_the_dead();

}  // namespace sancho::memcached
