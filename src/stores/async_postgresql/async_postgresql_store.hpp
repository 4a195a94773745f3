// The asynchronous store: the verbs, carried out on an event loop.
#pragma once

#include <sys/types.h>

#include "sancho/async/store.hpp"
#include "stores/async_postgresql/lanes.hpp"

namespace sancho::postgresql {

// What calls under way hold.
class Ground {
 public:
  Ground(const boost::asio::any_io_executor& executor, std::shared_ptr<Verbs> what, std::size_t most_waiting);
  ~Ground();
  Ground(const Ground&) = delete;
  Ground& operator=(const Ground&) = delete;

  // Throws `StoreError` (*refused*) in a child of the process that made this.
  void require_own_process() const;

  const std::shared_ptr<Verbs> verbs;
  const std::shared_ptr<Lanes> lanes;

 private:
  const pid_t owner_;
};

class AsyncPostgresqlStore final : public AsyncSessionStore,
                                   public AsyncSubjectIndex,
                                   public AsyncEpochs,
                                   public AsyncScan {
 public:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;

  explicit AsyncPostgresqlStore(std::shared_ptr<Ground> ground) : ground_(std::move(ground)) {}

  awaitable<std::optional<Record>> load(SessionKey key, Deadline deadline) override;
  awaitable<CreateAnswer> create(SessionKey key, Record record, Deadline deadline,
                                 std::optional<Admission> admission) override;
  awaitable<CommitAnswer> commit(SessionKey key, Version expected, Record record, Deadline deadline) override;
  awaitable<TouchAnswer> touch(SessionKey key, std::uint64_t incarnation, Time accessed, Deadline deadline) override;
  awaitable<EraseAnswer> erase(SessionKey key, std::optional<Version> expected, Deadline deadline) override;
  awaitable<SweepAnswer> sweep(SweepRequest request, Deadline deadline) override;
  awaitable<void> setup() override;

  StoreTraits traits() const override { return ground_->verbs->traits(); }
  std::string name() const override { return ground_->verbs->name(); }
  AsyncSubjectIndex* subjects() override { return this; }
  AsyncEpochs* epochs() override { return this; }
  AsyncScan* scan() override { return this; }
  bool punctual(const boost::asio::execution_context& context) const override {
    return ground_->lanes->belongs_to(context);
  }

  awaitable<std::vector<KeyedRecord>> find_by_subject(std::string subject, Deadline deadline) override;
  awaitable<EpochsSeen> epochs(std::string subject, Deadline deadline) override;
  awaitable<void> set_epoch(std::string subject, std::uint64_t epoch, Time until, Deadline deadline) override;
  awaitable<void> walk(Each each, Deadline deadline) override;
  awaitable<std::size_t> count(Deadline deadline) override;

 private:
  std::shared_ptr<Ground> ground_;
};

// Carries a conversation out. Throws what Asio throws where it is cancelled, and
// what `each` throws; all other trouble is the conversation's.
boost::asio::awaitable<void> carry_out(const Ground& ground, Floor& floor, const AsyncScan::Each* each = nullptr);
// Has the tables made. Throws `StoreError`.
boost::asio::awaitable<void> have_tables_made(std::shared_ptr<Ground> ground);

}  // namespace sancho::postgresql
