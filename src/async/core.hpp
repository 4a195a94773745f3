// What an asynchronous manager and its scopes hold.
#pragma once

#include <atomic>
#include <exception>

#include "async/driver.hpp"
#include "async/executors.hpp"
#include "sancho/async/manager.hpp"
#include "session/manager_tasks.hpp"
#include "session/scope_tasks.hpp"

namespace sancho {

class AsyncManagerCore final : public ManagerBase {
 public:
  AsyncManagerCore(std::shared_ptr<AsyncSessionStore> store, Policy policy, ManagerOptions options);

  const std::shared_ptr<AsyncSessionStore>& store() const { return store_; }
  // Asked where the coroutine runs; null for most.
  SessionStore* in_place() const { return in_place_; }

  using ManagerBase::deadline;
  using ManagerBase::draw_epoch;
  using ManagerBase::Ending;
  using ManagerBase::EndingOne;
  using ManagerBase::Knocking;
  using ManagerBase::must_find_by_subject;
  using ManagerBase::report_expired;

  // ## Steps of what several operations do

  boost::asio::awaitable<EpochsSeen> epochs(const coro::Line& line, std::string subject);
  // What the epoch is now; nothing where there are none.
  boost::asio::awaitable<std::optional<std::uint64_t>> change_epoch(const coro::Line& line, std::string subject,
                                                                    Deadline until);
  boost::asio::awaitable<std::size_t> end_chosen(const coro::Line& line, std::string subject, Ending::Chosen chosen,
                                                 Deadline until);
  // One of many that are being ended.
  static boost::asio::awaitable<bool> end_one(const coro::Line& line, Ending& ending, const KeyedRecord& keyed);

 private:
  std::string store_name() const override { return store_->name(); }
  Routing* routing() const override { return store_->routing(); }
  const Health* health() const override { return store_->health(); }
  bool has_subjects() const override { return store_->subjects() != nullptr; }
  bool has_epochs() const override { return store_->epochs() != nullptr; }

  std::shared_ptr<AsyncSessionStore> store_;
  SessionStore* in_place_;
};

class AsyncScope final : public ScopeBase {
 public:
  AsyncScope(std::shared_ptr<AsyncManagerCore> core, const Request& request)
      : ScopeBase(*core, request), core_(std::move(core)) {}
  ~AsyncScope() override;

  using ScopeBase::acting_for;
  using ScopeBase::adopt;
  using ScopeBase::announced;
  using ScopeBase::Announcing;
  using ScopeBase::Consuming;
  using ScopeBase::context;
  using ScopeBase::Entering;
  using ScopeBase::give_up;
  using ScopeBase::GivingBack;
  using ScopeBase::leave;
  using ScopeBase::Listing;
  using ScopeBase::LoggingOut;
  using ScopeBase::must_not_be_over;
  using ScopeBase::own_handle;
  using ScopeBase::Saving;

  // An operation's hold on the scope. There is one at a time; one that does not
  // come to its end, nor to an exception, is being torn down.
  class Turn {
   public:
    explicit Turn(AsyncScope& scope);
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    void over() { over_ = true; }

   private:
    AsyncScope& scope_;
    bool over_ = false;
  };

  coro::Line line(const boost::asio::any_io_executor& from) { return coro::line_to(core_->store(), from, &waiting_); }
  std::atomic<bool>* waiting() { return &waiting_; }
  AsyncManagerCore& core() const { return *core_; }
  bool in_use() const { return taken_; }

  boost::asio::any_io_executor executor;  // that `start_request` ran on

 private:
  std::optional<FormClaim> consume(std::string_view token) override;
  bool give_back(const FormClaim& claim) override;
  std::optional<Misuse> out_of_turn() const override;

  std::shared_ptr<AsyncManagerCore> core_;
  std::atomic<bool> taken_ = false;    // by an operation
  std::atomic<bool> waiting_ = false;  // ... that waits for the store
  bool torn_ = false;
};

}  // namespace sancho
