// # A blocking store, for coroutines
//
// A blocking store must not run on an event loop: while it waits for its disk
// or its server, nobody is served. So its calls go to threads of their own,
// which you supply:
//
//     boost::asio::thread_pool threads(4);
//     auto store = sancho::on_executor(sancho::open_store("sqlite:shop.db"), threads.get_executor());
//     sancho::AsyncSessionManager<ShopSession> sessions(store);
//
// How many calls run at once is how many threads there are. The others wait,
// but not without end:
//
//   - when `max_waiting` calls wait already, one more fails at once
//     (*unavailable*), so a store that has become slow does not collect requests;
//   - a call whose deadline passes while it waits fails (*unavailable*) and is
//     never begun: `maybe_done()` is false;
//   - one that is cancelled while it waits is never begun either. What has begun
//     cannot be stopped: its caller is let go, and it ends by itself.
//
// A store that never waits (`StoreTraits::never_waits`: `memory:`) is asked where
// the coroutine runs, for whatever a request needs; sweeps, walks and counts go to
// the threads.
//
// The threads must outlive all requests. They may be joined before or after the
// `io_context` of the coroutines is destroyed, whatever is still under way.
//
// A walk (`AsyncScan`) keeps one thread for its whole length. While it waits for
// whoever looks at a record, that thread does what else is waiting; so one
// thread is enough.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "sancho/async/store.hpp"
#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

struct OnExecutorOptions {
  // The most calls that wait for a thread.
  std::size_t max_waiting = 256;
};

// Has the powers that `store` has. Throws `ConfigError` for no store, or where
// nothing may wait (`max_waiting` is zero).
std::shared_ptr<AsyncSessionStore> on_executor(std::shared_ptr<SessionStore> store,
                                               boost::asio::any_io_executor executor, OnExecutorOptions options = {});

}  // namespace sancho
