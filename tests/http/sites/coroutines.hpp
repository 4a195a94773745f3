// The site's pages, for adapters whose handlers are coroutines.
#pragma once

#include <boost/asio/thread_pool.hpp>

#include "sancho/async/manager.hpp"
#include "site.hpp"

namespace site {

using AsyncScope = sancho::AsyncRequestScope<Session>;
using AsyncManager = sancho::AsyncSessionManager<Session>;

boost::asio::awaitable<Page> visit(AsyncManager& manager, AsyncScope& scope, Asked asked);

// Its store runs on these threads.
std::unique_ptr<AsyncManager> make_manager(const Options& options, boost::asio::thread_pool& threads);

}  // namespace site
