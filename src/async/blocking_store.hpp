// A coroutine store as a blocking one.
#pragma once

#include <boost/asio/co_spawn.hpp>

#include <condition_variable>
#include <mutex>

#include "async/driver.hpp"
#include "async/executors.hpp"
#include "sancho/async/blocking.hpp"

namespace sancho::coro {

class BlockingStore final : public SessionStore, public SubjectIndex, public Epochs, public Scan {
 public:
  BlockingStore(std::shared_ptr<AsyncSessionStore> store, boost::asio::any_io_executor executor);

  std::optional<Record> load(const SessionKey& key, Deadline until) override {
    return wait_for(store_->load(key, until), until, false);
  }
  CreateAnswer create(const SessionKey& key, const Record& record, Deadline until,
                      const Admission* admission) override {
    return wait_for(store_->create(key, record, until, admission ? std::optional(*admission) : std::nullopt), until,
                    true);
  }
  CommitAnswer commit(const SessionKey& key, const Version& expected, const Record& record, Deadline until) override {
    return wait_for(store_->commit(key, expected, record, until), until, true);
  }
  TouchAnswer touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline until) override {
    return wait_for(store_->touch(key, incarnation, accessed, until), until, true);
  }
  EraseAnswer erase(const SessionKey& key, const std::optional<Version>& expected, Deadline until) override {
    return wait_for(store_->erase(key, expected, until), until, true);
  }
  SweepAnswer sweep(const SweepRequest& request, Deadline until) override {
    return wait_for(store_->sweep(request, until), until, true);
  }
  void setup() override;

  StoreTraits traits() const override { return store_->traits(); }
  std::string name() const override { return store_->name(); }
  SubjectIndex* subjects() override { return store_->subjects() ? this : nullptr; }
  Epochs* epochs() override { return store_->epochs() ? this : nullptr; }
  Scan* scan() override { return store_->scan() ? this : nullptr; }
  Routing* routing() override { return store_->routing(); }
  Health* health() override { return store_->health(); }

  std::vector<KeyedRecord> find_by_subject(std::string_view subject, Deadline until) override {
    return wait_for(store_->subjects()->find_by_subject(std::string(subject), until), until, false);
  }
  EpochsSeen epochs(std::string_view subject, Deadline until) override {
    return wait_for(store_->epochs()->epochs(std::string(subject), until), until, false);
  }
  void set_epoch(std::string_view subject, std::uint64_t epoch, Time keep, Deadline until) override;
  void walk(const Each& each, Deadline until) override;
  std::size_t count(Deadline until) override { return wait_for(store_->scan()->count(until), until, false); }

 private:
  void must_not_run_here() const;

  // What the coroutine came out with, for the thread that waits.
  template <class T>
  struct Result {
    std::mutex mutex;
    std::condition_variable changed;
    bool there = false;
    std::exception_ptr trouble;
    T answer{};
  };

  // The coroutine is begun; `result` will have what it came out with.
  template <class T>
  void begin(boost::asio::awaitable<T> work, std::shared_ptr<Result<T>> result) {
    // The store stays for as long as one of its verbs is under way.
    auto ended = [result, store = store_](std::exception_ptr trouble, T answer) {
      const std::lock_guard lock(result->mutex);
      result->trouble = std::move(trouble);
      result->answer = std::move(answer);
      result->there = true;
      result->changed.notify_all();
    };
    boost::asio::co_spawn(executor_, std::move(work), std::move(ended));
  }

  template <class T>
  T wait_for(boost::asio::awaitable<T> work, Deadline until, bool writing) {
    must_not_run_here();
    auto result = std::make_shared<Result<T>>();
    begin(std::move(work), result);
    std::unique_lock lock(result->mutex);
    if (!result->changed.wait_until(lock, until.at() + patience, [&] { return result->there; }))
      throw no_answer(*store_, writing);
    if (result->trouble) std::rethrow_exception(as_trouble(result->trouble, *store_, writing));
    return std::move(result->answer);
  }

  std::shared_ptr<AsyncSessionStore> store_;
  boost::asio::any_io_executor executor_;
};

}  // namespace sancho::coro
