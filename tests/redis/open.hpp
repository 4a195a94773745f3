// The store under test. Test programs are linked twice: with the blocking store,
// and with the asynchronous one that is waited for.
#pragma once

#include <memory>

#include "sancho/stores/redis.hpp"

namespace sancho::test {

std::unique_ptr<SessionStore> open_redis(const RedisOptions& options);

}  // namespace sancho::test
