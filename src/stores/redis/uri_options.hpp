// What a URI says, as options.
#pragma once

#include "sancho/stores/redis.hpp"
#include "stores/uri.hpp"

namespace sancho::redis {

// Of any of the schemes. Throws `ConfigError`.
RedisOptions options_of(const StoreUri& uri);

}  // namespace sancho::redis
