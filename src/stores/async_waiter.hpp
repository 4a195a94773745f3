// # One coroutine that waits for an answer
//
// Whoever answers is on another thread, or on another event loop, and may come
// late: the coroutine may have been let go before, or its loop be gone. So what
// it waits at outlives it, and a gate (async_home.hpp) stands before its loop.
#pragma once

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/execution.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/prefer.hpp>
#include <boost/asio/require.hpp>

#include <memory>
#include <mutex>

#include "stores/async_home.hpp"

namespace sancho {

class Waiter : public Guest, public std::enable_shared_from_this<Waiter> {
 public:
  // The coroutine goes on, on its own executor. From any thread; once.
  void wake();

  // For a coroutine: `co_await` it, at once, until it is woken. Once; it has hold of
  // the waiter meanwhile. `gate_of(executor)` is the gate of its context.
  // `withdrawing()` is a function that is called when the coroutine is cancelled,
  // and wakes it.
  template <class GateOf, class Withdrawing>
  auto sleep(GateOf gate_of, Withdrawing withdrawing);

 protected:
  Waiter() = default;
  ~Waiter() = default;

 private:
  // Without the handler's own executor, by which Asio would dispatch it once more;
  // and, where it can be told, not through the type-erased one. Who wakes many is on
  // that loop mostly, and then takes its lock once for all of them.
  template <class Handler>
  static void post(const boost::asio::any_io_executor& executor, Handler handler) {
    namespace asio = boost::asio;
    namespace execution = asio::execution;
    auto go_on = [handler = std::move(handler)]() mutable { std::move(handler)(); };
    if (const auto* loop = executor.target<asio::io_context::executor_type>())
      asio::prefer(asio::require(*loop, execution::blocking.never), execution::relationship.continuation)
          .execute(std::move(go_on));
    else
      asio::post(executor, std::move(go_on));
  }

  struct Sleeper {
    virtual ~Sleeper() = default;
    virtual void rise() = 0;
  };
  template <class Handler>
  struct Sleeping final : Sleeper {
    explicit Sleeping(Handler whose) : handler(std::move(whose)) {}
    void rise() override {
      const boost::asio::any_io_executor executor = boost::asio::get_associated_executor(handler);
      post(executor, std::move(handler));
    }
    Handler handler;
  };

  void give_back() noexcept override {}
  void leave() noexcept override;
  std::shared_ptr<Guest> hold() noexcept override { return weak_from_this().lock(); }

  std::mutex mutex_;  // over what follows; before the gate's
  bool awake_ = false;
  std::shared_ptr<Gate> gate_;
  std::unique_ptr<Sleeper> sleeper_;
};

// Not a coroutine of its own: that would be a frame to each call.
template <class GateOf, class Withdrawing>
auto Waiter::sleep(GateOf gate_of, Withdrawing withdrawing) {
  namespace asio = boost::asio;
  auto begin = [this, gate_of = std::move(gate_of), withdrawing = std::move(withdrawing)](auto handler) {
    const auto executor = asio::get_associated_executor(handler);
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected())
      slot.assign([withdraw = withdrawing(), self = weak_from_this()](asio::cancellation_type type) {
        const auto alive = self.lock();
        if (alive && (type & asio::cancellation_type::terminal) != asio::cancellation_type::none) withdraw();
      });
    // The coroutine may go on, and away, before the mutex has been let go.
    const auto self = shared_from_this();
    const std::lock_guard lock(mutex_);
    if (awake_) {
      post(executor, std::move(handler));
      return;
    }
    gate_ = gate_of(executor);
    sleeper_ = std::make_unique<Sleeping<decltype(handler)>>(std::move(handler));
    gate_->pass([this] { gate_->enter(*this); });
  };
  return asio::async_initiate<const asio::deferred_t, void()>(std::move(begin), asio::deferred);
}

}  // namespace sancho
