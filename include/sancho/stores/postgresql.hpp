// # postgresql://USER:PASSWORD@HOST:PORT,HOST:PORT/DATABASE
//
// Sessions in PostgreSQL: shared by all machines that reach it, as durable as it
// is, and across a failover as safe as its replication.
//
//     auto store = sancho::open_store("postgresql://shop:secret@db1,db2/shop");
//     auto store = sancho::open_store("postgresql://shop@/shop?host=/run/postgresql&namespace=till");
//
// | option               | values                                               | |
// |----------------------|------------------------------------------------------|-----------------------------------------|
// | `namespace`          | up to 32 of a-z, 0-9, _                              | as `PostgresqlOptions::name_space` |
// | `pool`               | 1 to 1000                                            | as `PostgresqlOptions::connections` |
// | `synchronous_commit` | `on`, `off`, `local`, `remote_write`, `remote_apply` | as
// `PostgresqlOptions::synchronous_commit` |
// | `standby`            | `wanted`, `required`                                 | as
// `PostgresqlOptions::standby_required` |
//
// Everything else is libpq's: the URI is one of libpq's, with its several hosts,
// its options (`sslmode`, `sslrootcert`, `passfile`, `application_name`, ...)
// and its environment variables. Of several hosts the one that takes writes is
// found (`target_session_attrs=read-write`), after a failover too.
//
// docs/stores/postgresql.md has the schema, the rights of the role, and which
// promises hold under which settings.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "sancho/export.hpp"
#include "sancho/store.hpp"

namespace sancho SANCHO_EXPORT {

struct PostgresqlOptions {
  // Keeps applications that share a database apart: the tables are called
  // `sancho_sessions`, or `sancho_NAMESPACE_sessions`.
  std::string name_space = {};

  // Connections at most, of this store object in this process. Whoever finds
  // all of them busy waits, until its deadline.
  std::size_t connections = 16;

  // What an acknowledged write survives; empty: what the server has set.
  //   - on, remote_apply: power loss, and the loss of the server if it has
  //     synchronous standbys;
  //   - remote_write, local: power loss;
  //   - off: neither power loss nor a crash of the server, either of which may
  //     take the latest acknowledged writes. `traits().durable` is false.
  std::string synchronous_commit = {};

  // Whether a server is refused that waits for no synchronous standby. If not,
  // one is taken: a standby that was just promoted has none itself.
  bool standby_required = false;

  // How long opening the store may take.
  Duration open_timeout = std::chrono::seconds{10};
};

// Opens the store in the database that `uri` names (a libpq URI, without the
// options above), and makes its tables if they are not there.
//
// Thread safe, multiprocess safe, linearizable, and its clock is the server's.
// Durable and power safe as the server's settings are when the store is opened:
// a host that turns out to give less later, after a failover say, is not used,
// and *unavailable*. `survives_failover` if the server has synchronous standbys
// and waits for them, as it was when the latest connection was made. Offers
// `SubjectIndex`, `Epochs`, `Scan`.
//
// After a fork the child opens connections of its own; the store may be used in
// both.
//
// Throws `ConfigError` for a URI or option that cannot be. Throws `StoreError`
// of kind
//   - *unavailable*: no server answers that takes writes and keeps what it has
//     to, or the tables are of a newer schema (nothing is touched then);
//   - *refused*: the password is wrong, the database is not there, the role
//     lacks rights, or the tables are not sancho's.
//
// A deadline bounds everything but the look-up of a host's name, which the
// system's resolver does: use addresses, or a resolver that answers.
std::unique_ptr<SessionStore> open_postgresql_store(std::string_view uri, const PostgresqlOptions& options = {});

}  // namespace sancho
