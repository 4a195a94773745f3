// # A bell
//
// A coroutine waits for something that happens elsewhere, on another thread or
// in another coroutine, until a deadline. Whoever rings need not know whether
// anybody waits, or still waits, nor whether the executor that the coroutine
// waited on is still there.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/steady_timer.hpp>

#include <memory>
#include <mutex>

#include "sancho/time.hpp"

namespace sancho::coro {

class Bell {
 public:
  Bell() = default;
  Bell(const Bell&) = delete;
  Bell& operator=(const Bell&) = delete;

  // Once, from any thread.
  void ring();

  enum class Heard {
    rung,
    late,       // the deadline has passed
    cancelled,  // the coroutine has been
  };
  // For one coroutine at a time, which keeps the bell alive meanwhile.
  boost::asio::awaitable<Heard> wait(Deadline until);

 private:
  class Home;
  class Hung;
  std::mutex mutex_;
  bool rung_ = false;
  boost::asio::steady_timer* timer_ = nullptr;  // of the coroutine that waits
  struct Gate;
  std::shared_ptr<Gate> gate_;
};

// Of `co_await boost::asio::this_coro::cancellation_state`: has this coroutine
// been cancelled?
inline bool is_cancelled(const boost::asio::cancellation_state& state) {
  return state.cancelled() != boost::asio::cancellation_type::none;
}

// Throws what Asio's own operations throw when they are cancelled.
[[noreturn]] void throw_cancelled();

}  // namespace sancho::coro
