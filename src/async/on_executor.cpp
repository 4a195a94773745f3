#include "async/on_executor.hpp"

#include <utility>

namespace sancho {

namespace coro {

namespace asio = boost::asio;
using asio::awaitable;

StoreError too_many_wait(const SessionStore& store, const WorkQueue& queue) {
  return {Trouble::unavailable,
          store.name() + ": " + std::to_string(queue.max_waiting()) +
              " calls wait for a thread already, which is all that may (OnExecutorOptions::max_waiting)"};
}

StoreError never_begun(const SessionStore& store) {
  return {Trouble::unavailable,
          store.name() + ": the deadline passed while the call waited for a thread; it was not begun"};
}

namespace {

template <class T>
class Call final : public Job {
 public:
  using Work = std::function<T(SessionStore&)>;
  Call(std::shared_ptr<SessionStore> store, Work work, Deadline until)
      : Job(until), store_(std::move(store)), work_(std::move(work)) {}

  // Once the bell has rung; once. What was thrown leaves with its reader, so that
  // no thread lets go of it while another looks at it.
  T answer() {
    if (trouble_) std::rethrow_exception(std::exchange(trouble_, nullptr));
    return std::move(*answer_);
  }

 private:
  void run() noexcept override {
    try {
      answer_ = work_(*store_);
    } catch (...) {
      trouble_ = std::current_exception();
    }
    bell.ring();
  }
  void expire() noexcept override {
    trouble_ = std::make_exception_ptr(never_begun(*store_));
    bell.ring();
  }
  std::shared_ptr<SessionStore> store_;
  Work work_;
  std::optional<T> answer_;
  std::exception_ptr trouble_;
};

// A call that has begun is waited for a little beyond its deadline, and less
// long than the manager waits for us.
constexpr Duration grace = patience / 2;

template <class T>
awaitable<T> on_thread(std::shared_ptr<SessionStore> store, std::shared_ptr<WorkQueue> queue, Deadline until,
                       bool writing, typename Call<T>::Work work) {
  const auto job = std::make_shared<Call<T>>(store, std::move(work), until);
  if (until.passed()) throw never_begun(*store);
  if (!queue->submit(job)) throw too_many_wait(*store, *queue);
  auto heard = co_await job->bell.wait(until);
  if (heard == Bell::Heard::late) {
    if (queue->withdraw(job)) throw never_begun(*store);
    heard = co_await job->bell.wait(Deadline(until.at() + grace));
  }
  switch (heard) {
    case Bell::Heard::rung:
      break;
    case Bell::Heard::late:
      throw StoreError(Trouble::unavailable, store->name() + ": there was no answer by the deadline", writing);
    case Bell::Heard::cancelled:
      queue->withdraw(job);
      throw_cancelled();
  }
  co_return job->answer();
}

template <class T, class Work>
awaitable<T> call_here(std::shared_ptr<SessionStore> store, Deadline until, Work work) {
  if (until.passed()) throw never_begun(*store);
  co_return work(*store);
}

std::shared_ptr<SessionStore> checked(std::shared_ptr<SessionStore> store, const OnExecutorOptions& options) {
  if (!store) throw ConfigError("on_executor needs a store");
  if (options.max_waiting == 0)
    throw ConfigError("OnExecutorOptions::max_waiting must be at least 1: every call waits for a thread");
  return store;
}

}  // namespace

OnExecutor::OnExecutor(std::shared_ptr<SessionStore> store, asio::any_io_executor executor, OnExecutorOptions options)
    : store_(checked(std::move(store), options)),
      queue_(std::make_shared<WorkQueue>(std::move(executor), options.max_waiting)),
      in_place_(store_->traits().never_waits) {}

// A store that never waits is asked where the coroutine runs. On the way to a
// thread and back it would do nothing but let others change the session.
template <class T, class Work>
awaitable<T> OnExecutor::ask(Deadline until, bool writing, Work work) {
  if (in_place_) return call_here<T>(store_, until, std::move(work));
  return on_thread<T>(store_, queue_, until, writing, std::move(work));
}

awaitable<std::optional<Record>> OnExecutor::load(SessionKey key, Deadline until) {
  return ask<std::optional<Record>>(until, false, [=](SessionStore& s) { return s.load(key, until); });
}

awaitable<CreateAnswer> OnExecutor::create(SessionKey key, Record record, Deadline until,
                                           std::optional<Admission> admission) {
  auto work = [=, record = std::move(record)](SessionStore& s) {
    return s.create(key, record, until, admission ? &*admission : nullptr);
  };
  return ask<CreateAnswer>(until, true, std::move(work));
}

awaitable<CommitAnswer> OnExecutor::commit(SessionKey key, Version expected, Record record, Deadline until) {
  auto work = [=, record = std::move(record)](SessionStore& s) { return s.commit(key, expected, record, until); };
  return ask<CommitAnswer>(until, true, std::move(work));
}

awaitable<TouchAnswer> OnExecutor::touch(SessionKey key, std::uint64_t incarnation, Time accessed, Deadline until) {
  auto work = [=](SessionStore& s) { return s.touch(key, incarnation, accessed, until); };
  return ask<TouchAnswer>(until, true, std::move(work));
}

awaitable<EraseAnswer> OnExecutor::erase(SessionKey key, std::optional<Version> expected, Deadline until) {
  auto work = [=](SessionStore& s) { return s.erase(key, expected, until); };
  return ask<EraseAnswer>(until, true, std::move(work));
}

awaitable<SweepAnswer> OnExecutor::sweep(SweepRequest request, Deadline until) {
  return on_thread<SweepAnswer>(store_, queue_, until, true, [=](SessionStore& s) { return s.sweep(request, until); });
}

namespace {
awaitable<void> done(awaitable<Done> work) { co_await std::move(work); }
}  // namespace

// Tables may be made, which is nothing for a request's patience.
awaitable<void> OnExecutor::setup() {
  auto work = [](SessionStore& s) { return s.setup(), Done{}; };
  return done(on_thread<Done>(store_, queue_, Deadline::after(std::chrono::hours(1)), true, work));
}

awaitable<std::vector<KeyedRecord>> OnExecutor::find_by_subject(std::string subject, Deadline until) {
  auto work = [=, subject = std::move(subject)](SessionStore& s) {
    return s.subjects()->find_by_subject(subject, until);
  };
  return ask<std::vector<KeyedRecord>>(until, false, std::move(work));
}

awaitable<EpochsSeen> OnExecutor::epochs(std::string subject, Deadline until) {
  auto work = [=, subject = std::move(subject)](SessionStore& s) { return s.epochs()->epochs(subject, until); };
  return ask<EpochsSeen>(until, false, std::move(work));
}

awaitable<void> OnExecutor::set_epoch(std::string subject, std::uint64_t epoch, Time keep, Deadline until) {
  auto work = [=, subject = std::move(subject)](SessionStore& s) {
    return s.epochs()->set_epoch(subject, epoch, keep, until), Done{};
  };
  return done(ask<Done>(until, true, std::move(work)));
}

awaitable<std::size_t> OnExecutor::count(Deadline until) {
  return on_thread<std::size_t>(store_, queue_, until, false, [=](SessionStore& s) { return s.scan()->count(until); });
}

}  // namespace coro

std::shared_ptr<AsyncSessionStore> on_executor(std::shared_ptr<SessionStore> store,
                                               boost::asio::any_io_executor executor, OnExecutorOptions options) {
  return std::make_shared<coro::OnExecutor>(std::move(store), std::move(executor), options);
}

}  // namespace sancho
