#include "async/blocking_store.hpp"

namespace sancho {

namespace coro {

BlockingStore::BlockingStore(std::shared_ptr<AsyncSessionStore> store, boost::asio::any_io_executor executor)
    : store_(std::move(store)), executor_(std::move(executor)) {
  if (!store_) throw ConfigError("blocking needs a store");
}

void BlockingStore::must_not_run_here() const {
  if (runs_here(executor_).value_or(false))
    throw UsageError(
        "rule broken: a thread would wait for a coroutine that it runs itself; call a blocking store from another "
        "thread than its executor's");
}

namespace {
boost::asio::awaitable<Done> done(boost::asio::awaitable<void> work) {
  co_await std::move(work);
  co_return Done{};
}
}  // namespace

void BlockingStore::setup() { wait_for(done(store_->setup()), Deadline::after(std::chrono::hours(1)), true); }

void BlockingStore::set_epoch(std::string_view subject, std::uint64_t epoch, Time keep, Deadline until) {
  wait_for(done(store_->epochs()->set_epoch(std::string(subject), epoch, keep, until)), until, true);
}

}  // namespace coro

std::unique_ptr<SessionStore> blocking(std::shared_ptr<AsyncSessionStore> store,
                                       boost::asio::any_io_executor executor) {
  return std::make_unique<coro::BlockingStore>(std::move(store), std::move(executor));
}

}  // namespace sancho
