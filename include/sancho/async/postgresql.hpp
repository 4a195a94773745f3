// # The PostgreSQL store, for coroutines
//
// All of `sancho/stores/postgresql.hpp`, URI, options, tables and promises,
// without a thread that waits:
//
//     boost::asio::awaitable<void> serve() {
//       auto store = co_await sancho::open_async_postgresql_store("postgresql://shop:secret@db1,db2/shop");
//       sancho::AsyncSessionManager<ShopSession> sessions(store);
//       ...
//     }
//
// Coroutines share connections (libpq's pipeline mode): whatever they have asked
// leaves together, over the connection that has least to do, and nobody waits for
// the answer to another's question before asking. Each call is a transaction of
// its own, so what fails in one does nothing to the others. A server works on the
// calls of one connection one after the other: whoever waits for a row holds up
// who stands behind. So another connection is opened when each has four calls
// under way, up to `PostgresqlOptions::connections`, and none takes more than 64.
//
// ## Executor, threads, lifetime
//
// The connections run on one strand of the executor of the coroutine that opened
// the store; each call runs on that of whoever awaits it, on whichever thread. No
// thread is started, but by Asio's resolver for the first host that is a name;
// libpq is given addresses, and never waits for a resolver. (Where the URI names
// no host and `PGHOST` does, libpq looks it up itself, and holds the strand up
// meanwhile. Write hosts into the URI.)
//
// While no call is under way nothing runs on the executor, but for a connection
// that is being opened: so an `io_context` comes to its end with the last request.
// Store and `io_context` may be destroyed in any order, with calls under way too:
// these are then torn down, or fail (*unavailable*).
//
// ## Deadlines and cancellation
//
// A deadline bounds everything. A call that is late, or cancelled, is let go. If
// it has not been sent, it will not be. If it has, it may be done: a late write is
// *unavailable* with `maybe_done()`, a cancelled one ends with `operation_aborted`
// and nobody may conclude anything. Its answer is dropped when it comes and
// reaches nobody else.
//
// A connection on which such an answer is missing, and nothing has come for as
// long as that call had (but for 100 ms at least, and a second at most), takes no
// more calls, and is closed when nobody waits for it any more. So a server that is frozen, or at work on what
// nobody wants, has lost us soon.
//
// A connection that breaks takes with it whatever was under way on it: reads are
// asked once more over another; a write is *unavailable* and `maybe_done()`, but
// where the server's last words show that it had not begun it.
//
// ## Connecting
//
// Hosts are tried one after the other, the one that was good first. One that is
// silent has `connect_timeout` of the URI, or its share of
// `PostgresqlOptions::open_timeout`. There is one attempt at a time. If it fails,
// whoever waits for a connection is told (*unavailable*, or *refused* for a wrong
// password), and the next one begins 25 to 50 ms later, then after twice as long,
// up to a second. A call that comes meanwhile waits for it.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string_view>

#include "sancho/async/store.hpp"
#include "sancho/export.hpp"
#include "sancho/stores/postgresql.hpp"

namespace sancho SANCHO_EXPORT {

struct AsyncPostgresqlOptions {
  // The most calls that wait for a connection or an answer, those included that
  // were let go and whose answer is missing. One more fails at once
  // (*unavailable*), and was not done.
  std::size_t max_waiting = 1024;
};

// Connects, and makes the tables if they are not there, when it is awaited. `uri`
// and `options` are those of `open_postgresql_store`; nothing of them need
// outlive the call. Throws `ConfigError` at once for what cannot be, and when it is
// awaited `StoreError`, as that does.
//
// What comes back has all the powers that the blocking store has, may be used from
// any thread, and in a child of this process refuses every call (*refused*).
//
// g++ 12 destroys some unnamed values twice that live across a `co_await`: give
// the options a name.
boost::asio::awaitable<std::shared_ptr<AsyncSessionStore>> open_async_postgresql_store(std::string_view uri);
boost::asio::awaitable<std::shared_ptr<AsyncSessionStore>> open_async_postgresql_store(
    std::string_view uri, const PostgresqlOptions& options, AsyncPostgresqlOptions more = {});

}  // namespace sancho
