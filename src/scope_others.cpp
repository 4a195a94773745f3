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

std::vector<SessionInfo> RequestScopeBase::sessions() const {
  const auto& s = *state_;
  std::vector<SessionInfo> all;
  if (!s.seat.hand || s.seat.hand->record->subject.empty()) return all;
  for (const auto& [key, record] : of_subject(s.manager.store(), s.seat.hand->record->subject, deadline(s.manager))) {
    try {
      const protocol::PayloadView p(record);
      all.push_back({record.handle, record.created, record.accessed, std::string(p.remote_address), std::string(p.user_agent), key == s.seat.hand->key});
    } catch (const StoreError& e) {
      report(EventKind::record_corrupt, e.what());
    }
  }
  std::sort(all.begin(), all.end(), [](const SessionInfo& a, const SessionInfo& b) { return a.accessed > b.accessed; });
  return all;
}

std::size_t RequestScopeBase::end_where(const std::function<bool(const KeyedRecord&)>& chosen) {
  auto& s = *state_;
  if (!s.seat.hand || s.seat.hand->record->subject.empty()) return 0;
  std::size_t ended = 0;
  for (auto& keyed : of_subject(s.manager.store(), s.seat.hand->record->subject, deadline(s.manager))) {
    if (!chosen(keyed)) continue;
    auto env = s.env(s.manager.options_.random, s.manager.clock().now(), s.manager.parts_->rules);
    const auto handle = keyed.record.handle;
    protocol::End end(keyed.key, std::move(keyed.record));
    run(end, env, s.manager.store(), deadline(s.manager));
    if (end.ended == 0) continue;
    ++ended;
    s.manager.report(EventKind::revoked, handle, s.seat.hand->record->subject, {});
  }
  return ended;
}

bool RequestScopeBase::end_session(const Handle& handle) {
  if (state_->seat.hand && state_->seat.hand->record->handle == handle) {
    expire_session();
    return true;
  }
  return end_where([&](const KeyedRecord& k) { return k.record.handle == handle; }) > 0;
}

std::size_t RequestScopeBase::end_other_sessions() {
  const auto& s = *state_;
  if (!s.seat.hand) return 0;
  const auto mine = s.seat.hand->record->handle;
  return end_where([&](const KeyedRecord& k) { return k.record.handle != mine; });
}

}  // namespace sancho
