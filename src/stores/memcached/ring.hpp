// Which server has a key: consistent hashing (ketama), as libmemcached does it,
// so that other programs find keys where we put them. A server that is down
// keeps its keys.
#pragma once

#include <libmemcached/memcached.h>

#include <cstddef>
#include <memory>
#include <string_view>
#include <vector>

#include "sancho/stores/memcached.hpp"

namespace sancho::memcached {

class Ring {
 public:
  // Throws `ConfigError`.
  explicit Ring(const std::vector<MemcachedServer>& servers);

  // The number of the key's server in the list. Any thread may ask.
  std::size_t server_of(std::string_view key) const;

 private:
  struct Free {
    void operator()(memcached_st* ring) const { memcached_free(ring); }
  };
  std::unique_ptr<memcached_st, Free> ring_;  // never connects
};

}  // namespace sancho::memcached
