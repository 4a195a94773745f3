// Sweeping: many small transactions, so that no request waits for long.
#include <algorithm>

#include "stores/lmdb/lmdb_store.hpp"

namespace sancho::lmdb {

namespace {
// Entries to a transaction; and where there is little room, in which each takes
// some pages on the way.
constexpr std::size_t batch = 100, small_batch = 4;

constexpr Time never{Duration{std::int64_t{1} << 53}};
}  // namespace

SweepAnswer LmdbStore::sweep(const SweepRequest& request, Deadline deadline) {
  require_writable_store();
  environment_->clear_dead_readers(deadline);  // what they hold grows the file
  SweepAnswer answer;
  std::size_t left = request.budget, most = batch;
  answer.more = true;
  try {
    while (answer.more && left > 0 && !deadline.passed()) {
      const auto entries = std::min(most, left);
      try {
        answer.more = anything_due(deadline) && sweep_due(entries, answer, deadline);
        left -= entries;
      } catch (const StoreError& e) {
        if (e.kind() != Trouble::full || most == small_batch) throw;
        most = small_batch;
      }
    }
    if (!answer.more && request.accessed_before)
      answer.more = sweep_idle(*request.accessed_before, request.budget - answer.removed, answer, deadline);
  } catch (const StoreError&) {
    if (answer.removed == 0) throw;
    answer.more = true;  // what has gone must be told; the trouble will be back
  }
  if (answer.removed > 0) environment_->see_to_reserve();
  return answer;
}

bool LmdbStore::anything_due(Deadline deadline) {
  const Reading t(*environment_, deadline, "looking for what has expired");
  Cursor cursor(t, tables_.due);
  return cursor.seek({}) && time_of_due_key(cursor.key()) <= clock_.now();
}

bool LmdbStore::sweep_due(std::size_t budget, SweepAnswer& answer, Deadline deadline) {
  std::size_t met = 0;
  const auto act = [&](Writing& t) {
    const auto now = clock_.now();
    std::vector<std::pair<std::string, std::string>> due;
    {
      Cursor cursor(t, tables_.due);
      for (bool there = cursor.seek({}); there && due.size() < budget && time_of_due_key(cursor.key()) <= now;
           there = cursor.next())
        due.emplace_back(cursor.key(), cursor.value());
    }
    met = due.size();
    SweepAnswer done;
    for (const auto& [key, what] : due) meet(t, key, what, now, done);
    return done;
  };
  answer.add(freeing(deadline, Room::take, [&] { return write(deadline, "sweeping", Room::take, 0, act); }));
  return met == budget;
}

// Who stands in the queue too early, because the session was accessed since, is
// put off. A record that cannot be read stays, and comes up again in a day: by
// then a newer version of this program may be running, which can.
void LmdbStore::meet(Writing& t, std::string_view place, std::string_view what, Time now, SweepAnswer& done) const {
  t.remove(tables_.due, place);
  if (place.size() < due_time_size) return;  // nothing of ours
  const auto key_bytes = place.substr(due_time_size);
  if (what == due_epoch) {
    const auto value = t.get(tables_.epochs, key_bytes);
    const auto epoch = value ? decode_epoch(key_bytes, *value) : std::nullopt;
    if (epoch && epoch->until <= now) t.remove(tables_.epochs, key_bytes);
    return;
  }
  const auto key = SessionKey::from_bytes(key_bytes);
  const auto value = key ? t.get(tables_.sessions, key_bytes) : std::nullopt;
  if (!value) return;
  const auto head = head_of(key_bytes, *value);
  if (head && head->due != time_of_due_key(place)) return;  // it has another place
  auto later = now + std::chrono::hours{24};
  auto accessed = head ? head->accessed : Time{};
  try {
    const auto entry = decode_entry(tables_.layout, *key, *value, environment_->store());
    if (entry.record.expired(now)) {
      remove(t, *key, entry);
      done.count(entry.record);
      return;
    }
    later = entry.record.expires();
  } catch (const StoreError& e) {
    if (e.kind() != Trouble::corrupt && e.kind() != Trouble::unavailable) throw;
  }
  // Made before anything is put: a view lives no longer.
  const auto put_off = head ? with_head(key_bytes, *value, {accessed, later}) : std::string();
  t.put(tables_.due, due_key(head ? later : never, key_bytes), due_session);
  if (head) t.put(tables_.sessions, key_bytes, put_off);
}

// There is no index on the access time, because a touch would move it. This is
// a walk over the whole table, which reads without a lock, deletes in batches,
// and goes on in the next call where it stopped.
bool LmdbStore::sweep_idle(Time accessed_before, std::size_t budget, SweepAnswer& answer, Deadline deadline) {
  constexpr const char* doing = "removing old sessions";
  const auto old = [&](const Record& r) { return r.state == State::live && r.accessed < accessed_before; };
  const auto look = [&](const std::string& after, std::size_t most) {
    auto page = page_after(after, most, deadline, doing);
    WalkPart part{page.last, page.more};
    std::erase_if(page.records, [&](const KeyedRecord& each) { return !old(each.record); });
    if (page.records.empty()) return part;
    const auto act = [&](Writing& t) {
      SweepAnswer done;
      for (const auto& each : page.records) {
        const auto current = read(t, each.key);
        if (!current || !old(current->record)) continue;
        remove(t, each.key, *current);
        done.count(current->record);
      }
      return done;
    };
    const auto done = freeing(deadline, Room::take, [&] { return write(deadline, doing, Room::take, 0, act); });
    part.removed = done.removed;
    answer.add(done);
    return part;
  };
  return walk_for_old(walk_place_, accessed_before, budget, deadline, look);
}

}  // namespace sancho::lmdb
