#include "stores/redis/redis_store.hpp"

#include "stores/redis/plan.hpp"

namespace sancho {

std::unique_ptr<SessionStore> open_redis_store(const RedisOptions& options) {
  redis::require_sense(options);
  return std::make_unique<redis::RedisStore>(options, redis::name_of(options));
}

}  // namespace sancho
