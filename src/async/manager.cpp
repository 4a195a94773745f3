// The manager of requests that are served by coroutines.
#include "async/core.hpp"
#include "base/spare_block.hpp"

namespace sancho {

namespace asio = boost::asio;
using asio::awaitable;
using Core = std::shared_ptr<AsyncManagerCore>;
namespace this_coro = asio::this_coro;

AsyncManagerCore::AsyncManagerCore(std::shared_ptr<AsyncSessionStore> store, Policy policy, ManagerOptions options)
    : ManagerBase(std::move(policy), options), store_(std::move(store)), in_place_(nullptr) {
  if (!store_) throw ConfigError("a session manager needs a store");
  this->policy().check(store_->traits(), store_->epochs() != nullptr, store_->name());
  in_place_ = store_->in_place();
}

// ## Steps

awaitable<EpochsSeen> AsyncManagerCore::epochs(const coro::Line& line, std::string subject) {
  const auto until = deadline();
  return coro::call<EpochsSeen>(line, store_->epochs()->epochs(std::move(subject), until), until, false);
}

namespace {
awaitable<Done> set_epoch(AsyncSessionStore& store, std::string subject, std::uint64_t number, Time keep,
                          Deadline until) {
  co_await store.epochs()->set_epoch(std::move(subject), number, keep, until);
  co_return Done{};
}

// Logins in flight may have ended, so it must not be said that nothing has.
StoreError ended_in_part(const AsyncSessionStore& store) {
  return {Trouble::in_doubt,
          store.name() + ": cancelled while sessions were being ended; some may have ended: try again", true};
}
}  // namespace

awaitable<std::optional<std::uint64_t>> AsyncManagerCore::change_epoch(const coro::Line& line, std::string subject,
                                                                       Deadline until) {
  if (!store_->epochs()) co_return std::nullopt;
  const auto epoch = draw_epoch();
  try {
    auto change = set_epoch(*store_, std::move(subject), epoch.number, epoch.until, until);
    co_await coro::call<Done>(line, std::move(change), until, true);
  } catch (const boost::system::system_error&) {
    throw ended_in_part(*store_);
  }
  co_return epoch.number;
}

awaitable<bool> AsyncManagerCore::end_one(const coro::Line& line, Ending& ending, const KeyedRecord& keyed) {
  EndingOne one(ending, keyed);
  co_await coro::carry_out(one, line);
  co_return one.result();
}

awaitable<std::size_t> AsyncManagerCore::end_chosen(const coro::Line& line, std::string subject, Ending::Chosen chosen,
                                                    Deadline until) {
  must_find_by_subject();
  Ending ending(*this, std::move(chosen));
  try {
    do {
      auto find = store_->subjects()->find_by_subject(subject, until);
      auto found = co_await coro::call<std::vector<KeyedRecord>>(line, std::move(find), until, false);
      ending.begin_round(std::move(found));
      while (const auto* keyed = ending.next()) {
        const bool mine = co_await end_one(line, ending, *keyed);
        if (mine) ending.ended(*keyed);
      }
    } while (ending.another_round());
  } catch (const boost::system::system_error&) {
    if (ending.begun() || store_->epochs()) throw ended_in_part(*store_);
    throw;
  }
  co_return ending.count();
}

// ## Operations
//
// Each holds what it works with: its manager may be gone when it is torn down.

namespace {

awaitable<bool> knock(Core core, std::shared_ptr<AsyncManagerCore::Knocking> knocking) {
  const auto line = coro::line_to(core->store(), co_await this_coro::executor);
  co_await coro::carry_out(*knocking, line);
  co_return knocking->result();
}

awaitable<std::size_t> end_sessions(Core core, std::string subject) {
  if (subject.empty()) co_return 0;
  core->must_find_by_subject();
  const auto line = coro::line_to(core->store(), co_await this_coro::executor);
  const auto until = core->deadline();
  co_await core->change_epoch(line, subject, until);
  AsyncManagerCore::Ending::Chosen all = [](const KeyedRecord&) { return true; };
  const auto ended = co_await core->end_chosen(line, subject, std::move(all), until);
  co_return ended;
}

awaitable<std::size_t> end_all(Core core) {
  auto& store = *core->store();
  auto* scan = store.scan();
  if (!scan) throw StoreError(Trouble::refused, store.name() + ": this store cannot list its sessions");
  const auto line = coro::line_to(core->store(), co_await this_coro::executor);
  co_await core->change_epoch(line, {}, core->deadline());
  AsyncManagerCore::Ending ending(*core);
  auto end = [&](const KeyedRecord& found) -> awaitable<bool> {
    if (AsyncManagerCore::Ending::to_be_ended(found)) {
      const bool mine = co_await AsyncManagerCore::end_one(line, ending, found);
      if (mine) ending.ended_on_the_way(found);
    }
    co_return true;
  };
  try {
    co_await scan->walk(end, Deadline::after(std::chrono::hours(24)));
  } catch (const boost::system::system_error&) {
    if (ending.begun() || store.epochs()) throw ended_in_part(store);
    throw;
  }
  co_return ending.count();
}

awaitable<SweepAnswer> sweep_once(const Core& core, const coro::Line& line, SweepRequest request, Deadline until) {
  auto work = core->store()->sweep(request, until);
  return coro::call<SweepAnswer>(line, std::move(work), until, false);
}

awaitable<bool> sweep_some(Core core, std::size_t budget) {
  const auto line = coro::line_to(core->store(), co_await this_coro::executor);
  const SweepRequest request{.budget = budget};
  const auto swept = co_await sweep_once(core, line, request, core->deadline());
  core->report_expired(swept.handles);
  co_return swept.more;
}

// As the function of the same name for a blocking store.
awaitable<std::size_t> delete_old(Core core, Duration age) {
  const auto line = coro::line_to(core->store(), co_await this_coro::executor);
  const auto until = core->deadline();
  const SweepRequest request{.accessed_before = core->clock().now() - age + Duration{1}};
  std::size_t sessions = 0;
  bool answered = false;
  for (bool more = true; more && !until.passed();) {
    try {
      const auto swept = co_await sweep_once(core, line, request, until);
      answered = true;
      core->report_expired(swept.handles, "not accessed for long");
      sessions += swept.sessions;
      more = swept.more;
    } catch (const StoreError&) {
      if (!answered || !until.passed()) throw;
    }
  }
  co_return sessions;
}

}  // namespace

// ## The manager

AsyncSessionManagerBase::AsyncSessionManagerBase(std::shared_ptr<AsyncSessionStore> store, Policy policy,
                                                 ManagerOptions options)
    : core_(std::make_shared<AsyncManagerCore>(std::move(store), std::move(policy), options)) {}
AsyncSessionManagerBase::~AsyncSessionManagerBase() = default;

std::shared_ptr<AsyncScope> AsyncSessionManagerBase::arrive(const Request& request) {
  return std::allocate_shared<AsyncScope>(SpareAllocator<AsyncScope>(), core_, request);
}

awaitable<bool> AsyncSessionManagerBase::has_session_cookie(const Request& request, bool must_exist) {
  return knock(core_, std::make_shared<AsyncManagerCore::Knocking>(*core_, request, must_exist));
}
bool AsyncSessionManagerBase::origin_allowed(const Request& request) { return core_->origin_allowed(request); }
bool AsyncSessionManagerBase::content_allowed(const Request& request) { return core_->content_allowed(request); }
int AsyncSessionManagerBase::refusal(const Request& request) { return core_->refusal(request); }
bool AsyncSessionManagerBase::handshake_allowed(const Request& request) { return core_->handshake_allowed(request); }

awaitable<std::size_t> AsyncSessionManagerBase::end_sessions_of(std::string_view subject) {
  return end_sessions(core_, std::string(subject));
}
awaitable<std::size_t> AsyncSessionManagerBase::end_all_sessions() { return end_all(core_); }
awaitable<bool> AsyncSessionManagerBase::sweep(std::size_t budget) { return sweep_some(core_, budget); }
awaitable<std::size_t> AsyncSessionManagerBase::delete_old_sessions(Duration age) { return delete_old(core_, age); }

AsyncSessionStore& AsyncSessionManagerBase::store() const { return *core_->store(); }
const Policy& AsyncSessionManagerBase::policy() const { return core_->policy(); }
const Clock& AsyncSessionManagerBase::clock() const { return core_->clock(); }

}  // namespace sancho
