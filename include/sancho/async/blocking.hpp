// # A coroutine store, for those who wait
//
// For the conformance suite, for a `Sweeper`, for an operator's program: every
// verb is run as a coroutine on `executor`, and the calling thread waits for it.
//
//     boost::asio::thread_pool loop(1);
//     auto store = sancho::blocking(my_async_store, loop.get_executor());
//
// Whoever waits must not be the one who is waited for. From a thread that runs
// the executor every verb throws `UsageError`, where that can be told: for those
// of an `io_context` and of a `thread_pool`, and strands on them. On another
// kind of executor such a call fails at its deadline.
#pragma once

#include <boost/asio/any_io_executor.hpp>

#include "sancho/async/store.hpp"
#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

// Has the powers that `store` has, and the same traits. Safe to call from any
// thread but those. The executor's context must outlive it.
std::unique_ptr<SessionStore> blocking(std::shared_ptr<AsyncSessionStore> store, boost::asio::any_io_executor executor);

}  // namespace sancho
