// The contract, clause by clause, on each way to Redis that the test was given a
// server for.
#include "../support/skip.hpp"
#include "place.hpp"

namespace sancho {
namespace {

const int registered = [] {
  int facts = 0;
  const auto suite = [&](const std::string& name, const std::string& variable, const auto& change) {
    if (test::server_uri(variable).empty()) return;
    facts += conformance::register_store(name, [variable, change] {
      auto options = test::redis_options(variable);
      change(options);
      return test::redis_venue(options);
    });
  };
  const auto as_it_is = [](RedisOptions&) {};
  suite("Redis", "REDIS", as_it_is);
  suite("RedisReporting", "REDIS", [](RedisOptions& o) { o.report_expiry = std::chrono::hours{1}; });
  suite("RedisUnix", "REDIS_UNIX", as_it_is);
  suite("RedisTls", "REDISS", as_it_is);
  suite("RedisSentinel", "SENTINEL", [](RedisOptions& o) { o.wait = 1, o.wait_timeout = std::chrono::seconds{20}; });
  suite("RedisCluster", "CLUSTER", as_it_is);
  suite("RedisClusterReporting", "CLUSTER", [](RedisOptions& o) { o.report_expiry = std::chrono::hours{1}; });
  return facts;
}();

TEST(RedisServers, AreThere) {
  if (registered == 0) SANCHO_SKIP("there is no server: run it by tests/servers/with_server.py");
}

}  // namespace
}  // namespace sancho
