// A walk over a coroutine store, for a thread that waits.
//
// The coroutine walks, and `each` is called on the thread that waits, because it
// may use the store, and would wait for its own thread elsewhere. A record at a
// time goes from the one to the other.
#include "async/blocking_store.hpp"

namespace sancho::coro {

using boost::asio::awaitable;

namespace {

struct Handover {
  std::mutex mutex;
  std::condition_variable changed;
  const KeyedRecord* offered = nullptr;
  std::shared_ptr<Bell> looked_at;
  bool on = true;          // what `each` last said
  bool abandoned = false;  // nobody waits any more
  bool over = false;
  std::exception_ptr trouble;
};

awaitable<bool> offer(std::shared_ptr<Handover> handover, const KeyedRecord& found, Deadline until) {
  const auto bell = std::make_shared<Bell>();
  {
    const std::lock_guard lock(handover->mutex);
    if (handover->abandoned) co_return false;
    handover->offered = &found;
    handover->looked_at = bell;
    handover->changed.notify_all();
  }
  const auto heard = co_await bell->wait(Deadline(until.at() + patience));
  const std::lock_guard lock(handover->mutex);
  handover->offered = nullptr;
  if (heard != Bell::Heard::rung && handover->on) throw StoreError(Trouble::unavailable, "the walk was cut off");
  co_return handover->on;
}

awaitable<void> walk(std::shared_ptr<AsyncSessionStore> store, std::shared_ptr<Handover> handover, Deadline until) {
  auto each = [handover, until](const KeyedRecord& found) { return offer(handover, found, until); };
  co_await store->scan()->walk(std::move(each), until);
}

}  // namespace

void BlockingStore::walk(const Each& each, Deadline until) {
  must_not_run_here();
  const auto handover = std::make_shared<Handover>();
  auto ended = [handover](std::exception_ptr trouble) {
    const std::lock_guard lock(handover->mutex);
    handover->trouble = std::move(trouble);
    handover->over = true;
    handover->changed.notify_all();
  };
  boost::asio::co_spawn(executor_, coro::walk(store_, handover, until), std::move(ended));

  std::exception_ptr from_each;
  std::unique_lock lock(handover->mutex);
  for (;;) {
    const auto stirred = [&] { return handover->offered || handover->over; };
    if (!handover->changed.wait_until(lock, until.at() + 2 * patience, stirred)) {
      handover->abandoned = true;
      throw StoreError(Trouble::unavailable, store_->name() + ": the walk did not end before its deadline");
    }
    if (handover->over) break;
    const KeyedRecord found = *std::exchange(handover->offered, nullptr);
    const auto bell = std::move(handover->looked_at);
    lock.unlock();
    bool on = false;
    try {
      on = each(found);
    } catch (...) {
      from_each = std::current_exception();
    }
    lock.lock();
    handover->on = on;
    bell->ring();
  }
  if (from_each) std::rethrow_exception(from_each);
  if (!handover->on) return;
  if (handover->trouble) std::rethrow_exception(as_trouble(handover->trouble, *store_, false));
}

}  // namespace sancho::coro
