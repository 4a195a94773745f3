// # mysql://…
//
// Sessions in MariaDB or MySQL: one server, or a Galera cluster.
//
//     auto store = sancho::open_store("mysql://shop:secret@db1/shop");
//     auto store = sancho::open_store("mysql://shop:secret@db1,db2,db3/shop?namespace=shop");
//     auto store = sancho::open_store("mysql://shop:secret@localhost/shop?socket=/run/mysqld/mysqld.sock");
//
// | option            | values                     |                                          |
// |-------------------|----------------------------|------------------------------------------|
// | `namespace`       | a-z, 0-9, _                | as `MysqlOptions::name_space`            |
// | `hosts`           | `in_order`, `random`       | as `MysqlOptions::order`                 |
// | `connections`     | 1 … 1000                   | as `MysqlOptions::connections`           |
// | `connect_timeout` | 10 … 60000 (milliseconds)  | as `MysqlOptions::connect_timeout`       |
// | `socket`          | a path                     | as `MysqlOptions::socket`                |
// | `tls`             | `off`, `require`, `verify` | as `MysqlOptions::tls`                   |
// | `tls_ca`          | a path                     | as `MysqlOptions::tls_ca`                |
//
// Needs MariaDB 10.6 or MySQL 8.0, or newer. docs/stores/mysql.md has the
// schema, the rights a user needs, what the operator must set, and which
// promises hold under which settings.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sancho/export.hpp"
#include "sancho/store.hpp"

namespace sancho SANCHO_EXPORT {

struct MysqlHost {
  std::string host;  // a name or an address, IPv6 without brackets
  std::uint16_t port = 3306;
  bool operator==(const MysqlHost&) const = default;
};

struct MysqlOptions {
  // Where it is. A host that does not answer, is read-only, or is a Galera node
  // that is not ready is passed over. A name is looked up by the system's
  // resolver, which knows no deadline: give addresses, or names that are known
  // on this machine.
  std::vector<MysqlHost> hosts = {};
  // A unix socket of this machine, in place of `hosts`.
  std::string socket = {};
  std::string database = {};
  std::string user = {};
  std::optional<std::string> password = {};

  // Which host a new connection tries first. In order: the first one that can
  // be used, so that all programs write to the same node of a cluster, where
  // they wait for each other's locks instead of undoing each other's writes.
  // Random: spreads the load.
  enum class Order { in_order, random };
  Order order = Order::in_order;

  // `verify`: encrypted, and the server's certificate is for its host and by an
  // authority that `tls_ca` names (a file in PEM format; empty: the system's).
  // `require`: encrypted, with whoever answers.
  enum class Tls { off, require, verify };
  Tls tls = Tls::off;
  std::string tls_ca = {};

  // Applications that share a database and have different namespaces never see
  // each other's sessions. Up to 32 of a-z, 0-9 and _.
  std::string name_space = {};

  // At most so many connections at once; further calls wait until their
  // deadline for one to come free.
  std::uint32_t connections = 16;
  // After so long without a connection the next host is tried.
  Duration connect_timeout = std::chrono::seconds{1};
  // How long opening and `setup` may take.
  Duration open_timeout = std::chrono::seconds{10};
};

// Connects, and makes the tables if they are not there.
//
// Thread safe, multiprocess safe, distributed: the server's clock decides what
// has expired. Durable, power safe, linearizable and safe against the loss of a
// machine as far as the settings say that every host which answers at the
// opening has; a host that gives less is not used later. Offers `SubjectIndex`,
// `Epochs` and `Scan`.
//
// After a fork, a store belongs to the parent: in the child every verb throws
// `StoreError` of kind *refused*. The child may open a store of its own.
//
// Throws `ConfigError` for options that cannot work, `StoreError` of kind
//   - *unavailable*: no host can be used now, or the tables have the schema of a
//     newer version (nothing is touched then);
//   - *refused*: a wrong user or password, no such database, missing rights,
//     tables of another application.
std::unique_ptr<SessionStore> open_mysql_store(const MysqlOptions& options);

}  // namespace sancho
