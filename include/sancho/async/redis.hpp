// # The Redis stores, for coroutines
//
// All of `sancho/stores/redis.hpp`, deployments, options and promises, without a
// thread that waits:
//
//     boost::asio::awaitable<void> serve() {
//       auto store = co_await sancho::open_async_redis_store("redis://user:password@localhost:6379/0");
//       sancho::AsyncSessionManager<ShopSession> sessions(store);
//       ...
//     }
//
// Where the blocking store has a connection for each call under way, this one has
// one to each node, which all coroutines share. Their commands leave together in
// one packet, as soon as it can leave, and the replies find their way back. With
// the option `wait` there are up to `connections` of them, because a call that
// waits for replicas holds up what comes behind it.
//
// The connections run on the executor of the coroutine that opened the store;
// each call runs on that of whoever awaits it. No thread is started. Where one thread
// alone was seen to run an `io_context` for a while, the coroutines that are answered
// together go on within one handler, one after the other: one that blocks the thread
// holds up the others, even if another thread could have taken them. While no call
// is under way nothing runs on the executor either, so an `io_context` comes to
// its end with the last request. Store and `io_context` may be destroyed in any
// order, with calls under way too: these are then torn down, or fail.
//
// Deadlines: a host that is a name is looked up by Asio's resolver, which has a
// thread of its own for that, started with the first name. Addresses need none.
//
// A connection that breaks takes with it whatever was under way on it: reads and
// touches are sent again, other writes are *unavailable* with `maybe_done()`. So
// does a server from which nothing has come for `connect_timeout` while somebody
// has waited in vain. A call that is cancelled or late is let go, and its answer
// is dropped when it comes.
#pragma once

#include <boost/asio/awaitable.hpp>

#include <memory>
#include <string_view>

#include "sancho/async/store.hpp"
#include "sancho/export.hpp"
#include "sancho/stores/redis.hpp"

namespace sancho SANCHO_EXPORT {

struct AsyncRedisOptions {
  // The most calls that wait for their answers on one connection. One more fails
  // at once (*unavailable*), and was not done.
  std::size_t max_waiting = 1024;
};

// Connects, and sets up what is missing, when it is awaited. The options and the
// URI are those of `open_redis_store`. Throws `ConfigError` at once for what
// cannot be, and when it is awaited `StoreError`, as that does.
//
// What comes back has all the powers that the blocking store has, may be used from
// any thread, and in a child of this process refuses every call (*refused*).
boost::asio::awaitable<std::shared_ptr<AsyncSessionStore>> open_async_redis_store(RedisOptions options,
                                                                                  AsyncRedisOptions more = {});
boost::asio::awaitable<std::shared_ptr<AsyncSessionStore>> open_async_redis_store(std::string_view uri,
                                                                                  AsyncRedisOptions more = {});

}  // namespace sancho
