#include "open.hpp"

namespace sancho::test {

std::unique_ptr<SessionStore> open_redis(const RedisOptions& options) { return open_redis_store(options); }

}  // namespace sancho::test
