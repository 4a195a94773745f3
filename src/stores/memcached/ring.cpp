#include "stores/memcached/ring.hpp"

#include <new>

namespace sancho::memcached {

Ring::Ring(const std::vector<MemcachedServer>& servers) : ring_(memcached_create(nullptr)) {
  if (!ring_) throw std::bad_alloc();
  // No ejection of hosts, which is the default: the ring depends on the list
  // alone.
  auto rc =
      memcached_behavior_set(ring_.get(), MEMCACHED_BEHAVIOR_DISTRIBUTION, MEMCACHED_DISTRIBUTION_CONSISTENT_KETAMA);
  for (const auto& each : servers)
    if (rc == MEMCACHED_SUCCESS) rc = memcached_server_add(ring_.get(), each.host.c_str(), each.port);
  if (rc != MEMCACHED_SUCCESS)
    throw ConfigError("memcached: the list of servers cannot be: " + std::string(memcached_strerror(ring_.get(), rc)));
}

std::size_t Ring::server_of(std::string_view key) const {
  return memcached_generate_hash(ring_.get(), key.data(), key.size());
}

}  // namespace sancho::memcached
