#include "async/bell.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace sancho::coro {

namespace asio = boost::asio;

// ## When the executor goes first
//
// The timer belongs to an execution context (an `io_context`), and who rings may
// be on a thread that knows nothing of it. A context tells its services before
// it takes anything away; from then on the gate is closed, and no timer behind
// it is touched.
struct Bell::Gate {
  std::mutex mutex;
  bool open = true;
};

class Bell::Home : public asio::execution_context::service {
 public:
  using key_type = Home;
  static asio::execution_context::id id;
  explicit Home(asio::execution_context& context) : service(context) {}
  std::shared_ptr<Gate> gate() const { return gate_; }

 private:
  void shutdown() noexcept override {
    const std::lock_guard lock(gate_->mutex);
    gate_->open = false;
  }
  std::shared_ptr<Gate> gate_ = std::make_shared<Gate>();
};

asio::execution_context::id Bell::Home::id;

// For as long as the coroutine waits: it may be torn down meanwhile.
class Bell::Hung {
 public:
  Hung(Bell& bell, asio::steady_timer& timer) : bell_(bell) {
    // The timer is there, so its service is older than ours and goes later.
    auto& context = asio::query(timer.get_executor(), asio::execution::context);
    const std::lock_guard lock(bell_.mutex_);
    bell_.gate_ = asio::use_service<Home>(context).gate();
    bell_.timer_ = &timer;
  }
  ~Hung() {
    const std::lock_guard lock(bell_.mutex_);
    bell_.timer_ = nullptr;
  }
  Hung(const Hung&) = delete;
  Hung& operator=(const Hung&) = delete;

 private:
  Bell& bell_;
};

void Bell::ring() {
  const std::lock_guard lock(mutex_);
  rung_ = true;
  if (!timer_) return;
  const std::lock_guard gate(gate_->mutex);
  if (gate_->open) timer_->cancel();
}

asio::awaitable<Bell::Heard> Bell::wait(Deadline until) {
  const bool cancelled = is_cancelled(co_await asio::this_coro::cancellation_state);
  boost::system::error_code error;
  if (!cancelled) {
    asio::steady_timer timer(co_await asio::this_coro::executor, until.at());
    const Hung hung(*this, timer);
    // All that touches the timer holds the mutex, so none of two threads does it
    // while the other does, and no ring is missed.
    auto begin = [this, &timer](auto handler) {
      const std::lock_guard lock(mutex_);
      if (rung_) timer.expires_at(asio::steady_timer::time_point::min());
      timer.async_wait(std::move(handler));
    };
    auto token = asio::redirect_error(asio::use_awaitable, error);
    co_await asio::async_initiate<decltype(token), void(boost::system::error_code)>(std::move(begin), token);
  }
  const std::lock_guard lock(mutex_);
  if (rung_) co_return Heard::rung;
  co_return cancelled || error ? Heard::cancelled : Heard::late;
}

void throw_cancelled() { throw boost::system::system_error(asio::error::operation_aborted); }

}  // namespace sancho::coro
