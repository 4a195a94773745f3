#pragma once

#include <boost/asio/any_io_executor.hpp>

#include <optional>

namespace sancho::coro {

// Is this one of the threads that run the executor? Nothing where that cannot be
// told.
std::optional<bool> runs_here(const boost::asio::any_io_executor& executor);

}  // namespace sancho::coro
