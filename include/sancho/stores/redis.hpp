// # redis://, rediss://, redis+unix://, redis+sentinel://, redis-cluster://
//
// Redis 7 or Valkey: where one machine is outgrown. One server, one behind
// Sentinels, or a cluster.
//
//     auto store = sancho::open_store("redis://user:password@localhost:6379/0");
//     auto store = sancho::open_store("rediss://user:password@host?ca=/etc/ssl/redis-ca.pem");
//     auto store = sancho::open_store("redis+unix:///run/redis/redis.sock");
//     auto store = sancho::open_store("redis+sentinel://user:password@s1,s2,s3/mymaster");
//     auto store = sancho::open_store("redis-cluster://user:password@a,b,c?wait=1");
//
// | option                              | values            |                                     |
// |-------------------------------------|-------------------|-------------------------------------|
// | `namespace`                         | a-z, 0-9, _       | as `RedisOptions::name_space`       |
// | `db`                                | 0 … 9999          | the database, where no path names it |
// | `wait`, `wait_timeout`              | 0 … 100, ms       | as `wait`, `wait_timeout`           |
// | `report_expiry`                     | milliseconds      | as `report_expiry`                  |
// | `durability`                        | `ask`, `none`, `process`, `power` | as `durability`     |
// | `connections`                       | 1 … 10000         | as `connections`                    |
// | `connect_timeout`                   | milliseconds      | as `connect_timeout`                |
// | `client_name`                       | text              | as `client_name`                    |
// | `tls`                               | `on`, `off`       | Sentinel and cluster; `rediss` is `redis` with it |
// | `ca`, `cert`, `key`, `tls_name`     | files; a name     | as in `RedisTls`                    |
// | `sentinel_user`, `sentinel_password` | text             | where the Sentinels want them       |
//
// docs/stores/redis.md has the layout of keys, the rights the user needs, and
// which promises hold under which settings of the server, after a crash and
// across a failover. Read the last before relying on replicas.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sancho/export.hpp"
#include "sancho/store.hpp"

namespace sancho SANCHO_EXPORT {

// Where a server listens: host and port, or the path of a unix socket, which
// begins with a slash.
struct RedisAddress {
  std::string host;
  std::uint16_t port = 6379;
};

// The server's certificate is always verified, its name or address included.
struct RedisTls {
  std::string ca;           // file of trusted certificates; empty: the system's
  std::string certificate;  // ours, in PEM, and its key, where the server asks for one
  std::string key;
  std::string name;  // the name to verify, if it is not the host's
};

struct RedisOptions {
  enum class Deployment { server, sentinel, cluster };
  Deployment deployment = Deployment::server;

  // The server; the Sentinels; some nodes of the cluster.
  std::vector<RedisAddress> addresses;
  std::string master_name;  // Sentinel: which of the masters they watch

  std::string user;  // empty with a password: Redis' default user
  std::optional<std::string> password;
  std::string sentinel_user;
  std::optional<std::string> sentinel_password;
  std::optional<RedisTls> tls;
  unsigned database = 0;  // a cluster has only this one

  // Keeps applications that share a server apart: up to 32 of a-z, 0-9 and _.
  std::string name_space;

  // After each write but touches, wait until so many replicas have it. Fewer
  // within `wait_timeout`: *unavailable*, and it may have been done. This
  // narrows what a failover loses; it promises nothing.
  unsigned wait = 0;
  Duration wait_timeout = std::chrono::seconds{1};

  // Zero: Redis removes what has expired, and nobody hears of it. Otherwise it is
  // kept so much longer, for a `sweep` that reports it.
  Duration report_expiry{};

  // What an acknowledged write survives: by the server's settings (`ask`), or
  // by your word where it may not be asked.
  enum class Durability { ask, none, process, power };
  Durability durability = Durability::ask;

  std::size_t connections = 16;  // at most, to each node
  Duration connect_timeout = std::chrono::seconds{1};
  Duration open_timeout = std::chrono::seconds{10};
  std::string client_name = "sancho";  // in CLIENT LIST
};

// Connects, and sets up what is missing.
//
// Thread safe, multiprocess safe, linearizable; its clock is the server's.
// Durable as far as the server's settings make it; never surviving a failover,
// because Redis replicates asynchronously. Offers `SubjectIndex`, `Epochs`,
// `Scan` and `Routing`.
//
// After a fork, a store belongs to the parent: in the child every verb throws
// `StoreError` of kind *refused*. Open stores after forking.
//
// A host that is a name is looked up by the system's resolver, which knows no
// deadline.
//
// Throws `ConfigError` for options that cannot be; `StoreError` of kind
//   - *unavailable*: nobody answers, or the namespace has a newer layout;
//   - *refused*: wrong password, missing rights, a certificate that is not to be
//     trusted, a server older than Redis 7.
std::unique_ptr<SessionStore> open_redis_store(const RedisOptions& options);

}  // namespace sancho
