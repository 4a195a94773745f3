// What settings are worth, and what a URI says.
#include "stores/redis/settings.hpp"

#include <gtest/gtest.h>

#include "sancho/error.hpp"
#include "stores/redis/uri_options.hpp"

namespace sancho::redis {
namespace {

Settings in_config(const std::string& log, const std::string& sync, const std::string& memory,
                   const std::string& policy, const std::string& rewrite = "no") {
  Reply reply{.kind = Reply::Kind::list};
  for (const auto& word :
       {std::string("maxmemory"), memory, std::string("appendonly"), log, std::string("appendfsync"), sync,
        std::string("maxmemory-policy"), policy, std::string("no-appendfsync-on-rewrite"), rewrite})
    reply.items.push_back({.kind = Reply::Kind::text, .text = word});
  return settings_in_config(reply);
}

TEST(RedisSettings, TellWhatSurvives) {
  EXPECT_EQ(in_config("yes", "always", "0", "noeviction"), (Settings{true, true, true}));
  EXPECT_EQ(in_config("yes", "always", "0", "noeviction", "yes"), (Settings{true, false, true}));
  EXPECT_EQ(in_config("yes", "no", "0", "noeviction"), (Settings{true, false, true}));
  EXPECT_EQ(in_config("yes", "everysec", "0", "noeviction"), (Settings{false, false, true}));
  EXPECT_EQ(in_config("no", "always", "0", "noeviction"), (Settings{false, false, true}));
}

TEST(RedisSettings, TellWhatIsEvicted) {
  EXPECT_TRUE(in_config("yes", "always", "0", "allkeys-lru").keeps);
  EXPECT_TRUE(in_config("yes", "always", "1000", "noeviction").keeps);
  EXPECT_FALSE(in_config("yes", "always", "1000", "volatile-ttl").keeps);
  EXPECT_FALSE(settings_in_config(Reply{}).keeps);
}

TEST(RedisSettings, InfoTellsEvictionAndVersion) {
  const std::string info =
      "# Server\r\nredis_version:7.0.15\r\n# Memory\r\nmaxmemory:0\r\nmaxmemory_policy:allkeys-lru\r\n";
  EXPECT_EQ(settings_in_info(info), (Settings{false, false, true}));
  EXPECT_FALSE(settings_in_info("used_maxmemory:0\r\n").keeps);
  EXPECT_EQ(major_version_in_info(info), 7);
  EXPECT_EQ(major_version_in_info(""), 0);
}

RedisOptions of(const std::string& uri) { return options_of(StoreUri::parse(uri)); }

TEST(RedisUri, NamesTheServer) {
  const auto o =
      of("redis://ada:p%40ss@host:7000/3?namespace=shop&connections=4&wait=1&wait_timeout=50&report_expiry=60000");
  EXPECT_EQ(o.addresses.at(0).host, "host");
  EXPECT_EQ(o.addresses.at(0).port, 7000);
  EXPECT_EQ(o.user, "ada");
  EXPECT_EQ(o.password, "p@ss");
  EXPECT_EQ(o.database, 3u);
  EXPECT_EQ(o.name_space, "shop");
  EXPECT_EQ(o.connections, 4u);
  EXPECT_EQ(o.wait, 1u);
  EXPECT_EQ(o.wait_timeout, Duration{50});
  EXPECT_EQ(o.report_expiry, Duration{60000});
  EXPECT_FALSE(o.tls);
}

TEST(RedisUri, HasASchemeForEachDeployment) {
  EXPECT_TRUE(of("rediss://host?ca=/ca.pem").tls);
  const auto socket = of("redis+unix://ada:secret@/run/redis.sock?db=2");
  EXPECT_EQ(socket.addresses.at(0).host, "/run/redis.sock");
  EXPECT_EQ(socket.user, "ada");
  EXPECT_EQ(socket.password, "secret");
  EXPECT_EQ(socket.database, 2u);
  EXPECT_FALSE(of("redis+unix:///run/redis.sock").password);
  const auto sentinel = of("redis+sentinel://a,b:1/mine?sentinel_password=x&tls=on");
  EXPECT_EQ(sentinel.deployment, RedisOptions::Deployment::sentinel);
  EXPECT_EQ(sentinel.addresses.at(0).port, 26379);
  EXPECT_EQ(sentinel.master_name, "mine");
  EXPECT_EQ(sentinel.sentinel_password, "x");
  EXPECT_TRUE(sentinel.tls);
  const auto cluster = of("redis-cluster://a,b:7001");
  EXPECT_EQ(cluster.deployment, RedisOptions::Deployment::cluster);
  EXPECT_EQ(cluster.addresses.size(), 2u);
}

TEST(RedisUri, IsRefusedWhereItCannotBe) {
  for (const auto* uri :
       {"redis:", "redis://", "redis://host/name", "redis://host/99999", "redis://host?ca=/x", "redis://host?tls=on",
        "redis+unix://host/path", "redis+unix:relative", "redis+sentinel://host", "redis+sentinel://host/",
        "redis://host?namespace=A", "redis://host?wait=many", "redis://host?durability=yes", "redis://host?surprise=1",
        "redis://host?connections=0", "redis-cluster://a?db=1"})
    EXPECT_THROW(of(uri), ConfigError) << uri;
  for (const auto* uri : {"redis://a,b", "redis-cluster://a/1", "redis://ada@host", "redis://host?client_name=a%20b",
                          "rediss://host?ca=/no/such/file", "rediss://host?cert=/no/such/file"})
    EXPECT_THROW(open_redis_store(of(uri)), ConfigError) << uri;
}

}  // namespace
}  // namespace sancho::redis
