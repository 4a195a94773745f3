// A blocking store whose calls are jobs for the threads of an executor.
#pragma once

#include <functional>

#include "async/driver.hpp"
#include "async/work_queue.hpp"
#include "sancho/async/on_executor.hpp"

namespace sancho::coro {

class OnExecutor final : public AsyncSessionStore, public AsyncSubjectIndex, public AsyncEpochs, public AsyncScan {
 public:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;

  OnExecutor(std::shared_ptr<SessionStore> store, boost::asio::any_io_executor executor, OnExecutorOptions options);

  awaitable<std::optional<Record>> load(SessionKey key, Deadline deadline) override;
  awaitable<CreateAnswer> create(SessionKey key, Record record, Deadline deadline,
                                 std::optional<Admission> admission) override;
  awaitable<CommitAnswer> commit(SessionKey key, Version expected, Record record, Deadline deadline) override;
  awaitable<TouchAnswer> touch(SessionKey key, std::uint64_t incarnation, Time accessed, Deadline deadline) override;
  awaitable<EraseAnswer> erase(SessionKey key, std::optional<Version> expected, Deadline deadline) override;
  awaitable<SweepAnswer> sweep(SweepRequest request, Deadline deadline) override;
  awaitable<void> setup() override;

  StoreTraits traits() const override { return store_->traits(); }
  std::string name() const override { return store_->name(); }
  AsyncSubjectIndex* subjects() override { return store_->subjects() ? this : nullptr; }
  AsyncEpochs* epochs() override { return store_->epochs() ? this : nullptr; }
  AsyncScan* scan() override { return store_->scan() ? this : nullptr; }
  Routing* routing() override { return store_->routing(); }
  Health* health() override { return store_->health(); }

  awaitable<std::vector<KeyedRecord>> find_by_subject(std::string subject, Deadline deadline) override;
  awaitable<EpochsSeen> epochs(std::string subject, Deadline deadline) override;
  awaitable<void> set_epoch(std::string subject, std::uint64_t epoch, Time until, Deadline deadline) override;
  awaitable<void> walk(Each each, Deadline deadline) override;
  awaitable<std::size_t> count(Deadline deadline) override;
  // What it waits with is the coroutine's own timer.
  bool punctual(const boost::asio::execution_context&) const override { return true; }
  SessionStore* in_place() override { return in_place_ ? store_.get() : nullptr; }

 private:
  // What a request asks for: `work` is given the store.
  template <class T, class Work>
  awaitable<T> ask(Deadline until, bool writing, Work work);

  // What calls under way hold.
  std::shared_ptr<SessionStore> store_;
  std::shared_ptr<WorkQueue> queue_;
  const bool in_place_;
};

StoreError too_many_wait(const SessionStore& store, const WorkQueue& queue);
StoreError never_begun(const SessionStore& store);

}  // namespace sancho::coro
