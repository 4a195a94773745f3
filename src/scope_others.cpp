// The other sessions of a request's user: listed, and ended by their handles.
#include <algorithm>

#include "runner.hpp"
#include "scope_state.hpp"

namespace sancho {

namespace {
std::vector<KeyedRecord> of_subject(SessionStore& store, const std::string& subject, Deadline deadline) {
  auto* index = store.subjects();
  if (!index) throw StoreError(Trouble::refused, store.name() + ": this store cannot find sessions by their user");
  return index->find_by_subject(subject, deadline);
}
}  // namespace

// The user whom the handler has set acts from then on, as after a new password;
// a session that has ended under its request acts for nobody.
std::string RequestScopeBase::acting_for() const {
  const auto& s = *state_;
  const auto& subject = s.session->user_.subject();
  const bool logging_in = !s.session->record_ || s.session->record_->subject != subject;
  return s.seat.hand || logging_in ? subject : std::string();
}

std::optional<Handle> RequestScopeBase::own_handle() const {
  const auto& s = *state_;
  if (!s.seat.hand || s.seat.hand->record->subject != acting_for()) return std::nullopt;
  return s.seat.hand->record->handle;
}

std::vector<SessionInfo> RequestScopeBase::sessions() const {
  const auto& s = *state_;
  std::vector<SessionInfo> all;
  const auto subject = acting_for();
  if (subject.empty()) return all;
  for (const auto& [key, record] : of_subject(s.manager.store(), subject, deadline(s.manager))) {
    try {
      const protocol::PayloadView p(record);
      all.push_back({record.handle, record.created, record.accessed, std::string(p.remote_address), std::string(p.user_agent), record.handle == own_handle()});
    } catch (const StoreError& e) {
      report(EventKind::record_corrupt, e.what());
    }
  }
  std::sort(all.begin(), all.end(), [](const SessionInfo& a, const SessionInfo& b) { return a.accessed > b.accessed; });
  return all;
}

std::size_t RequestScopeBase::end_where(const std::function<bool(const KeyedRecord&)>& chosen) {
  auto& s = *state_;
  const auto subject = acting_for();
  if (subject.empty()) return 0;
  const auto until = deadline(s.manager);
  std::size_t ended = 0;
  // Once more as long as there was something to end: a session whose id was
  // being renewed is in no list for a moment.
  for (bool again = true; again;) {
    const auto before = ended;
    for (auto& keyed : of_subject(s.manager.store(), subject, until))
      if (chosen(keyed) && end_one(keyed, until)) ++ended;
    again = ended > before;
  }
  return ended;
}

bool RequestScopeBase::end_one(KeyedRecord& keyed, Deadline until) {
  auto& s = *state_;
  auto env = s.env(s.manager.options_.random, s.manager.clock().now(), s.manager.parts_->rules);
  const auto handle = keyed.record.handle;
  const auto subject = keyed.record.subject;
  protocol::End end(keyed.key, std::move(keyed.record));
  run(end, env, s.manager.store(), until);
  if (end.ended == 0) return false;
  s.manager.report(EventKind::revoked, handle, subject, {});
  return true;
}

bool RequestScopeBase::end_session(const Handle& handle) {
  if (own_handle() == handle) {
    expire_session();
    return true;
  }
  return end_where([&](const KeyedRecord& k) { return k.record.handle == handle; }) > 0;
}

std::size_t RequestScopeBase::end_other_sessions() {
  const auto mine = own_handle();
  return end_where([&](const KeyedRecord& k) { return k.record.handle != mine; });
}

}  // namespace sancho
