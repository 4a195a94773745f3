// # Does the session last? For coroutines
//
// As `SessionWatch` (session_watch.hpp), for a connection that coroutines serve.
// One of them waits until the session has ended:
//
//     sancho::AsyncSessionWatch watch(manager, ticket);
//     co_await (conversation(socket, watch) || watch.until_ended());
//
// It costs one `load` a look, for each connection.
#pragma once

#include <boost/asio/awaitable.hpp>

#include "sancho/async/manager.hpp"
#include "sancho/export.hpp"
#include "sancho/session_watch.hpp"

namespace sancho SANCHO_EXPORT {

// For one coroutine at a time, but for `used` and `ended`. The manager must
// outlive the looks, but for those that are torn down with their executor.
class AsyncSessionWatch : public SessionWatchBase {
 public:
  AsyncSessionWatch(AsyncSessionManagerBase& manager, SessionTicket ticket, WatchOptions options = {});
  ~AsyncSessionWatch();

  // As `SessionWatch::look`. Cancelled, it throws `operation_aborted`, and nothing
  // else.
  boost::asio::awaitable<std::optional<SessionEnd>> look();

  // Looks, and pauses, and looks, until the session has ended: how. Cancelled, it
  // throws `operation_aborted`, and may be called again.
  boost::asio::awaitable<SessionEnd> until_ended();

 private:
  AsyncSessionWatch(std::shared_ptr<AsyncManagerCore> core, SessionTicket ticket, WatchOptions options);
  std::shared_ptr<AsyncManagerCore> core_;
};

}  // namespace sancho
