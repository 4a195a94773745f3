// Carries out tasks against a coroutine store: the twin of `runner.hpp`.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/this_coro.hpp>

#include <atomic>
#include <optional>

#include "async/bell.hpp"
#include "sancho/async/store.hpp"
#include "session/task.hpp"

namespace sancho::coro {

// The way to the store, for one thing that is done there.
struct Line {
  std::shared_ptr<AsyncSessionStore> store;
  boost::asio::any_io_executor executor;
  // Is true while the coroutine waits for the store.
  std::atomic<bool>* waiting = nullptr;
};

// From this coroutine's executor.
inline Line line_to(std::shared_ptr<AsyncSessionStore> store, const boost::asio::any_io_executor& executor,
                    std::atomic<bool>* waiting = nullptr) {
  return {std::move(store), executor, waiting};
}

// For as long as a coroutine waits for the store.
class Waiting {
 public:
  explicit Waiting(std::atomic<bool>* flag) : flag_(flag) { set(true); }
  ~Waiting() { set(false); }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  void set(bool to) {
    if (flag_) *flag_ = to;
  }
  std::atomic<bool>* flag_;
};

// How long a store is waited for beyond a deadline: its own word for what
// happened says more than ours.
inline constexpr Duration patience{50};

// What came out of a store as trouble: a `StoreError`, whatever it was thrown as.
std::exception_ptr as_trouble(std::exception_ptr thrown, const AsyncSessionStore& store, bool writing);

StoreError no_answer(const AsyncSessionStore& store, bool writing);

// # One call
//
// Ends when the store has answered, when the deadline has passed, or when this
// coroutine is cancelled, whichever comes first; then it throws `StoreError`
// (*unavailable*; a writing call may have been done) or what Asio throws for
// *cancelled*. The call itself is cancelled too, and left behind: it must own
// what it works with. It runs on a strand, so that it can be told to stop whatever
// thread it is on. A store that is punctual needs no watch.
template <class T>
boost::asio::awaitable<T> call(Line line, boost::asio::awaitable<T> work, Deadline until, bool writing) {
  namespace asio = boost::asio;
  const auto executor = co_await asio::this_coro::executor;
  if (line.store->punctual(asio::query(executor, asio::execution::context))) {
    std::exception_ptr trouble;
    bool aborted = false;
    T answer{};
    try {
      answer = co_await std::move(work);
    } catch (const boost::system::system_error&) {
      aborted = true;
      trouble = std::current_exception();
    } catch (...) {
      trouble = std::current_exception();
    }
    if (!trouble) co_return answer;
    if (aborted && is_cancelled(co_await asio::this_coro::cancellation_state)) throw_cancelled();
    std::rethrow_exception(as_trouble(trouble, *line.store, writing));
  }
  struct Call {
    Bell bell;
    asio::cancellation_signal stop;
    std::exception_ptr trouble;
    T answer{};
  };
  auto under_way = std::make_shared<Call>();
  auto ended = [under_way, store = line.store](std::exception_ptr trouble, T answer) {
    under_way->trouble = std::move(trouble);
    under_way->answer = std::move(answer);
    under_way->bell.ring();
  };
  const auto strand = asio::make_strand(line.executor);
  asio::co_spawn(strand, std::move(work), asio::bind_cancellation_slot(under_way->stop.slot(), std::move(ended)));
  const auto heard = co_await under_way->bell.wait(Deadline(until.at() + patience));
  if (heard != Bell::Heard::rung) {
    asio::post(strand, [under_way] { under_way->stop.emit(asio::cancellation_type::terminal); });
    if (heard == Bell::Heard::cancelled) throw_cancelled();
    throw no_answer(*line.store, writing);
  }
  if (under_way->trouble) std::rethrow_exception(as_trouble(under_way->trouble, *line.store, writing));
  co_return std::move(under_way->answer);
}

// # A task

// A stage of any task.
class Stage {
 public:
  virtual const protocol::Op* resume(protocol::Answer& answer) = 0;
  virtual bool plain() const = 0;
  virtual Deadline until() const = 0;

 protected:
  ~Stage() = default;
};

// Runs one stage to its end. Throws `StoreError`, or *cancelled* where nothing
// was written; a write that was under way then, is *in doubt*.
boost::asio::awaitable<void> run(const Line& line, Stage& stage);

// The error for what was cancelled too late.
StoreError cut_off(const AsyncSessionStore& store);

// Goes on with a task that has said that there is `more`, to its end.
template <StoreTask Task>
boost::asio::awaitable<void> carry_on(Task& task, const Line& line) {
  class Current final : public Stage {
   public:
    explicit Current(Task& task) : task_(task) {}
    const protocol::Op* resume(protocol::Answer& answer) override { return task_.resume(answer); }
    bool plain() const override { return task_.plain(); }
    Deadline until() const override { return task_.until(); }

   private:
    Task& task_;
  };
  Current stage(task);
  do {
    try {
      try {
        co_await run(line, stage);
      } catch (const boost::system::system_error&) {
        // Cancelled. If that was too late, it is trouble like any other.
        if (!task.done_already()) throw;
        throw cut_off(*line.store);
      }
    } catch (const StoreError& e) {
      task.failed(e);
    }
  } while (task.more());
}

template <StoreTask Task>
boost::asio::awaitable<void> carry_out(Task& task, const Line& line) {
  if (task.more()) co_await carry_on(task, line);
}

}  // namespace sancho::coro
