#include "stores/kinds.hpp"
#include "stores/redis/uri_options.hpp"

namespace sancho {

// The store's clock is the server's.
Opened open_redis(const StoreUri& uri, const Clock&) { return open_redis_store(redis::options_of(uri)); }

}  // namespace sancho
