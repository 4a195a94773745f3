// The asynchronous store: the verbs, carried out on an event loop.
#pragma once

#include "stores/async_redis/carry_out.hpp"

namespace sancho::redis {

class AsyncRedisStore final : public AsyncSessionStore,
                              public AsyncSubjectIndex,
                              public AsyncEpochs,
                              public AsyncScan,
                              public Routing {
 public:
  template <class T>
  using awaitable = boost::asio::awaitable<T>;

  explicit AsyncRedisStore(std::shared_ptr<Ground> ground) : ground_(std::move(ground)) {}

  awaitable<std::optional<Record>> load(SessionKey key, Deadline deadline) override;
  awaitable<CreateAnswer> create(SessionKey key, Record record, Deadline deadline,
                                 std::optional<Admission> admission) override;
  awaitable<CommitAnswer> commit(SessionKey key, Version expected, Record record, Deadline deadline) override;
  awaitable<TouchAnswer> touch(SessionKey key, std::uint64_t incarnation, Time accessed, Deadline deadline) override;
  awaitable<EraseAnswer> erase(SessionKey key, std::optional<Version> expected, Deadline deadline) override;
  awaitable<SweepAnswer> sweep(SweepRequest request, Deadline deadline) override;
  awaitable<void> setup() override;

  StoreTraits traits() const override { return ground_->verbs.traits(); }
  std::string name() const override { return ground_->verbs.name(); }
  AsyncSubjectIndex* subjects() override { return this; }
  AsyncEpochs* epochs() override { return this; }
  AsyncScan* scan() override { return this; }
  Routing* routing() override { return this; }
  bool punctual(const boost::asio::execution_context& context) const override {
    return ground_->wires.belongs_to(context);
  }

  awaitable<std::vector<KeyedRecord>> find_by_subject(std::string subject, Deadline deadline) override;
  awaitable<EpochsSeen> epochs(std::string subject, Deadline deadline) override;
  awaitable<void> set_epoch(std::string subject, std::uint64_t epoch, Time until, Deadline deadline) override;
  awaitable<void> walk(Each each, Deadline deadline) override;
  awaitable<std::size_t> count(Deadline deadline) override;
  std::uint32_t tag_of(std::string_view subject) override { return ground_->verbs.tag_of(subject); }

 private:
  std::shared_ptr<Ground> ground_;
};

}  // namespace sancho::redis
