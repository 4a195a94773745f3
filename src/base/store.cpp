#include "sancho/store.hpp"

#include <algorithm>

namespace sancho {

bool SessionStore::load_into(const SessionKey& key, Record& record, Deadline deadline) {
  auto found = load(key, deadline);
  if (!found) return false;
  record = std::move(*found);
  return true;
}

void SweepAnswer::count(const Record& gone) {
  ++removed;
  if (gone.state != State::live) return;
  ++sessions;
  handles.push_back(gone.handle);
}

void SweepAnswer::add(const SweepAnswer& part) {
  removed += part.removed;
  sessions += part.sessions;
  handles.insert(handles.end(), part.handles.begin(), part.handles.end());
}

std::size_t delete_old_sessions(SessionStore& store, Duration age, Time now, Deadline deadline,
                                const std::function<void(const Handle&)>& each) {
  std::size_t sessions = 0;
  bool answered = false;
  for (bool more = true; more && !deadline.passed();) {
    try {
      // "At least `age` ago" includes the moment itself.
      const auto answer = store.sweep({.accessed_before = now - age + Duration{1}}, deadline);
      answered = true;
      sessions += answer.sessions;
      if (each) std::for_each(answer.handles.begin(), answer.handles.end(), each);
      more = answer.more;
    } catch (const StoreError&) {
      // Whatever the deadline cut off comes again in the next call. What has
      // gone before must be told now.
      if (!answered || !deadline.passed()) throw;
    }
  }
  return sessions;
}

void Scan::iter_sessions(const Each& each, Deadline deadline) {
  walk([&](const KeyedRecord& found) { return found.record.state != State::live || each(found); }, deadline);
}

Statistics statistics(SessionStore& store, Deadline deadline) {
  auto* scan = store.scan();
  if (!scan) throw StoreError(Trouble::refused, store.name() + ": it cannot list what it holds, so it has no statistics");
  Statistics s;
  const auto count = [&](const KeyedRecord& found) {
    const auto& record = found.record;
    s.payload_bytes += record.payload.size();
    s.largest_payload = std::max(s.largest_payload, record.payload.size());
    switch (record.state) {
      case State::pending: ++s.pending; break;
      case State::moved: ++s.moved; break;
      case State::ended: ++s.ended; break;
      case State::note: ++s.notes; break;
      case State::live:
        ++s.live;
        s.with_user += !record.subject.empty();
        s.oldest_created = std::min(s.oldest_created.value_or(record.created), record.created);
        s.oldest_accessed = std::min(s.oldest_accessed.value_or(record.accessed), record.accessed);
    }
    return true;
  };
  scan->walk(count, deadline);
  return s;
}

}  // namespace sancho
