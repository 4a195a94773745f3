// A walk over a blocking store, for a coroutine.
//
// The store walks on a thread and hands over what it comes by, a batch at a
// time. While the coroutine looks at it the thread has to stay, in the middle of
// the walk; it does what else there is to do, as `each` of a blocking walk may.
#include "async/on_executor.hpp"

namespace sancho::coro {

namespace asio = boost::asio;
using asio::awaitable;

namespace {

class Walk final : public Job {
 public:
  Walk(std::shared_ptr<SessionStore> store, std::shared_ptr<WorkQueue> queue, Deadline until)
      : Job(until), store_(std::move(store)), queue_(std::move(queue)) {}

  // ## The coroutine's side

  struct Batch {
    std::vector<KeyedRecord> records;
    bool last = false;
    std::exception_ptr trouble;
  };
  std::shared_ptr<Bell> next_bell() {
    const std::lock_guard lock(queue_->mutex());
    return next_;
  }
  // Once that has rung.
  Batch take() {
    const std::lock_guard lock(queue_->mutex());
    return std::move(batch_);
  }
  void go_on(bool on) {
    {
      const std::lock_guard lock(queue_->mutex());
      next_ = std::make_shared<Bell>();
      (on ? wanted_ : stopped_) = true;
    }
    queue_->stir();
  }

 private:
  static constexpr std::size_t batch_size = 64;

  // ## The thread's side

  void run() noexcept override {
    Batch last{.records = {}, .last = true, .trouble = {}};
    try {
      std::vector<KeyedRecord> some;
      const auto each = [&](const KeyedRecord& found) {
        some.push_back(found);
        return some.size() < batch_size || hand_over(std::exchange(some, {}));
      };
      store_->scan()->walk(each, until());
      last.records = std::move(some);
    } catch (...) {
      last.trouble = std::current_exception();
    }
    const std::lock_guard lock(queue_->mutex());
    batch_ = std::move(last);
    next_->ring();
  }
  void expire() noexcept override {
    const std::lock_guard lock(queue_->mutex());
    batch_ = {.records = {}, .last = true, .trouble = std::make_exception_ptr(never_begun(*store_))};
    next_->ring();
  }
  // True if more is wanted.
  bool hand_over(std::vector<KeyedRecord> some) {
    std::unique_lock lock(queue_->mutex());
    batch_ = {.records = std::move(some), .last = false, .trouble = {}};
    wanted_ = false;
    next_->ring();
    if (!queue_->help_until(lock, until(), [&] { return wanted_ || stopped_; }))
      throw StoreError(Trouble::unavailable, store_->name() + ": the walk did not end before its deadline");
    return !stopped_;
  }

  std::shared_ptr<SessionStore> store_;
  std::shared_ptr<WorkQueue> queue_;
  // All under the queue's mutex.
  std::shared_ptr<Bell> next_ = std::make_shared<Bell>();
  Batch batch_;
  bool wanted_ = false, stopped_ = false;
};

// However the coroutine ends, the thread must not wait for it.
class Guard {
 public:
  Guard(std::shared_ptr<Walk> walk, std::shared_ptr<WorkQueue> queue)
      : walk_(std::move(walk)), queue_(std::move(queue)) {}
  ~Guard() {
    queue_->withdraw(walk_);
    walk_->go_on(false);
  }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

 private:
  std::shared_ptr<Walk> walk_;
  std::shared_ptr<WorkQueue> queue_;
};

awaitable<void> walk_on_thread(std::shared_ptr<SessionStore> store, std::shared_ptr<WorkQueue> queue,
                               AsyncScan::Each each, Deadline until) {
  const auto walk = std::make_shared<Walk>(store, queue, until);
  if (!queue->submit(walk)) throw too_many_wait(*store, *queue);
  const Guard guard(walk, queue);
  for (;;) {
    const auto bell = walk->next_bell();
    const auto heard = co_await bell->wait(Deadline(until.at() + patience));
    if (heard == Bell::Heard::cancelled) throw_cancelled();
    if (heard == Bell::Heard::late)
      throw StoreError(Trouble::unavailable, store->name() + ": the walk did not end before its deadline");
    const auto batch = walk->take();
    for (const auto& found : batch.records) {
      const bool on = co_await each(found);
      if (!on) co_return;
    }
    if (batch.trouble) std::rethrow_exception(batch.trouble);
    if (batch.last) co_return;
    walk->go_on(true);
  }
}

}  // namespace

awaitable<void> OnExecutor::walk(Each each, Deadline until) {
  return walk_on_thread(store_, queue_, std::move(each), until);
}

}  // namespace sancho::coro
