// The manager whose callers wait for the store.
#include "sancho/manager.hpp"
#include "session/manager_tasks.hpp"
#include "session/runner.hpp"

namespace sancho {

SessionManagerBase::SessionManagerBase(std::shared_ptr<SessionStore> store, Policy policy, ManagerOptions options)
    : ManagerBase(std::move(policy), options), store_(std::move(store)) {
  if (!store_) throw ConfigError("a session manager needs a store");
  this->policy().check(*store_);
}

SessionManagerBase::~SessionManagerBase() = default;

std::string SessionManagerBase::store_name() const { return store_->name(); }
Routing* SessionManagerBase::routing() const { return store_->routing(); }
const Health* SessionManagerBase::health() const { return store_->health(); }
bool SessionManagerBase::has_subjects() const { return store_->subjects() != nullptr; }
bool SessionManagerBase::has_epochs() const { return store_->epochs() != nullptr; }

bool SessionManagerBase::has_session_cookie(const Request& request, bool must_exist) {
  Knocking knocking(*this, request, must_exist);
  carry_out(knocking, *store_);
  return knocking.result();
}

// ## Ending sessions

std::optional<std::uint64_t> SessionManagerBase::change_epoch(std::string_view subject, Deadline until) {
  auto* epochs = store_->epochs();
  if (!epochs) return std::nullopt;
  const auto epoch = draw_epoch();
  epochs->set_epoch(subject, epoch.number, epoch.until, until);
  return epoch.number;
}

std::size_t SessionManagerBase::end_chosen(std::string_view subject,
                                           const std::function<bool(const KeyedRecord&)>& chosen, Deadline until) {
  must_find_by_subject();
  Ending ending(*this, chosen);
  do {
    ending.begin_round(store_->subjects()->find_by_subject(subject, until));
    while (const auto* keyed = ending.next()) {
      EndingOne one(ending, *keyed);
      carry_out(one, *store_);
      if (one.result()) ending.ended(*keyed);
    }
  } while (ending.another_round());
  return ending.count();
}

std::size_t SessionManagerBase::end_sessions_of(std::string_view subject) {
  if (subject.empty()) return 0;
  must_find_by_subject();
  const auto until = deadline();
  change_epoch(subject, until);
  return end_chosen(
      subject, [](const KeyedRecord&) { return true; }, until);
}

std::size_t SessionManagerBase::end_all_sessions() {
  auto* scan = store_->scan();
  if (!scan) throw StoreError(Trouble::refused, store_->name() + ": this store cannot list its sessions");
  change_epoch({}, deadline());
  Ending ending(*this);
  const auto end = [&](const KeyedRecord& found) {
    if (!Ending::to_be_ended(found)) return true;
    EndingOne one(ending, found);
    carry_out(one, *store_);
    if (one.result()) ending.ended_on_the_way(found);
    return true;
  };
  scan->walk(end, Deadline::after(std::chrono::hours(24)));
  return ending.count();
}

// ## Housekeeping

bool SessionManagerBase::sweep(std::size_t budget) {
  const auto swept = store_->sweep({.budget = budget}, deadline());
  report_expired(swept.handles);
  return swept.more;
}

std::size_t SessionManagerBase::delete_old_sessions(Duration age) {
  return sancho::delete_old_sessions(*store_, age, clock().now(), deadline(), [&](const Handle& handle) {
    report_expired({&handle, 1}, "not accessed for long");
  });
}

}  // namespace sancho
