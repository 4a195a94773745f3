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

#include "base/spare_block.hpp"
#include "stores/async_home.hpp"

namespace sancho {

class Waiter : public Guest, public std::enable_shared_from_this<Waiter> {
 public:
  // The coroutine goes on, on its own executor. From any thread; once.
  void wake();
  // The same, on a thread that runs `loop` just now, and on nobody's strand: a
  // coroutine that belongs there goes on within this call, and what it throws comes
  // out of it.
  void wake_within(const boost::asio::io_context& loop);

  // For a coroutine: `co_await` it, at once, until it is woken. Once; it has hold of
  // the waiter meanwhile. `gate_of(executor)` is the gate of its context; null if that
  // is the one that who wakes it belongs to: its gate is `own`, and who wakes it lets go
  // of it.
  // `withdrawing()` is a function that is called when the coroutine is cancelled,
  // and wakes it.
  template <class GateOf, class Withdrawing>
  auto sleep(GateOf gate_of, Withdrawing withdrawing, Gate* own = nullptr);
  // The own context has gone, and cannot be passed any more.
  void let_go() noexcept;

 protected:
  Waiter() = default;
  ~Waiter() = default;
  // Nobody waits, and nobody else holds it: it is to be used once more.
  void forget() noexcept {
    awake_ = false;
    gate_.reset();
    sleeper_.reset();
  }

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

  struct Sleeper : InSpareBlock {
    explicit Sleeper(const boost::asio::execution_context* whose) : loop(whose) {}
    virtual ~Sleeper() = default;
    virtual void rise() = 0;
    const boost::asio::execution_context* const loop;  // whose plain executor is its own, or null
    virtual void go_on() = 0;
  };
  template <class Handler>
  struct Sleeping final : Sleeper {
    Sleeping(Handler whose, const boost::asio::any_io_executor& executor)
        : Sleeper(loop_of(executor)), handler(std::move(whose)) {}
    void rise() override {
      const boost::asio::any_io_executor executor = boost::asio::get_associated_executor(handler);
      post(executor, std::move(handler));
    }
    void go_on() override {
      auto whose = std::move(handler);
      std::move(whose)();
    }
    Handler handler;
  };
  static const boost::asio::execution_context* loop_of(const boost::asio::any_io_executor& executor) {
    const auto* loop = executor.target<boost::asio::io_context::executor_type>();
    return loop ? &boost::asio::query(*loop, boost::asio::execution::context) : nullptr;
  }

  void give_back() noexcept override {}
  void leave() noexcept override;
  // While the context is there, on the way out.
  template <class Act>
  void pass(Act act) {
    if (!gate_) return void(own_->pass(act));
    gate_->pass([&] {
      gate_->leave(*this);
      act();
    });
  }
  std::shared_ptr<Guest> hold() noexcept override { return weak_from_this().lock(); }

  std::mutex mutex_;  // over what follows; before the gate's
  bool awake_ = false;
  std::shared_ptr<Gate> gate_;  // that it has entered
  Gate* own_ = nullptr;         // or stands behind
  std::unique_ptr<Sleeper> sleeper_;
};

// Not a coroutine of its own: that would be a frame to each call.
template <class GateOf, class Withdrawing>
auto Waiter::sleep(GateOf gate_of, Withdrawing withdrawing, Gate* own) {
  namespace asio = boost::asio;
  auto begin = [this, gate_of = std::move(gate_of), withdrawing = std::move(withdrawing), own](auto handler) {
    const auto executor = asio::get_associated_executor(handler);
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected())
      slot.assign([withdraw = withdrawing(), self = weak_from_this()](asio::cancellation_type type) {
        const auto alive = self.lock();
        if (alive && (type & asio::cancellation_type::terminal) != asio::cancellation_type::none) withdraw();
      });
    std::unique_lock lock(mutex_);
    if (awake_) {
      lock.unlock();  // the coroutine may go on, and away with this, at once
      return post(executor, std::move(handler));
    }
    gate_ = gate_of(executor);
    sleeper_ = std::make_unique<Sleeping<decltype(handler)>>(std::move(handler), executor);
    own_ = own;
    if (gate_) gate_->pass([this] { gate_->enter(*this); });
  };
  return asio::async_initiate<const asio::deferred_t, void()>(std::move(begin), asio::deferred);
}

}  // namespace sancho
