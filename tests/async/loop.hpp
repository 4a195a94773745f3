// Coroutines in tests: an event loop, and what one comes out with.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <exception>
#include <optional>
#include <string>

#include "sancho/error.hpp"

namespace sancho::test {

namespace asio = boost::asio;
using asio::awaitable;

// Runs a coroutine to its end, and throws what it throws.
inline void run(asio::io_context& loop, awaitable<void> coroutine) {
  std::exception_ptr trouble;
  bool ended = false;
  asio::co_spawn(loop, std::move(coroutine), [&](std::exception_ptr e) { trouble = e, ended = true; });
  loop.restart();
  while (!ended && loop.run_one() > 0) {
  }
  if (trouble) std::rethrow_exception(trouble);
  if (!ended) throw std::logic_error("the loop had nothing to do any more, and the coroutine had not ended");
}

inline void run(awaitable<void> coroutine) {
  asio::io_context loop;
  run(loop, std::move(coroutine));
}

inline awaitable<void> pause(std::chrono::nanoseconds time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

// Lets the others go first.
inline awaitable<void> yield() { co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable); }

// Waits until it is cancelled.
inline awaitable<void> for_ever() { return pause(std::chrono::hours(1)); }
// ... and not even then ends.
inline awaitable<void> deaf_for_ever() {
  co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
  co_await pause(std::chrono::hours(1));
}

// How something ended, in a word: "done", "cancelled", the kind of a StoreError,
// "broke a rule: ..." or "threw".
inline std::string how(std::exception_ptr trouble) {
  if (!trouble) return "done";
  try {
    std::rethrow_exception(trouble);
  } catch (const boost::system::system_error& e) {
    return e.code() == asio::error::operation_aborted ? "cancelled" : "threw";
  } catch (const StoreError& e) {
    return std::string(to_string(e.kind()));
  } catch (const UsageError& e) {
    return "broke a rule: " + std::string(e.what());
  } catch (...) {
    return "threw";
  }
}

template <class T>
awaitable<std::string> how(awaitable<T> what) {
  std::exception_ptr trouble;
  try {
    (void)co_await std::move(what);
  } catch (...) {
    trouble = std::current_exception();
  }
  co_return how(trouble);
}
template <>
inline awaitable<std::string> how(awaitable<void> what) {
  std::exception_ptr trouble;
  try {
    co_await std::move(what);
  } catch (...) {
    trouble = std::current_exception();
  }
  co_return how(trouble);
}

}  // namespace sancho::test
