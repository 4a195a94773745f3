// Sweeping: many small transactions, so that no request waits for long.
#include <algorithm>
#include <limits>

#include "stores/sqlite/row.hpp"
#include "stores/sqlite/sqlite_store.hpp"

namespace sancho::sqlite {

namespace {
// Rows to a transaction.
constexpr std::size_t batch = 100;

void count_removed(const Record& record, SweepAnswer& answer) {
  ++answer.removed;
  if (record.state != State::live) return;
  ++answer.sessions;
  answer.handles.push_back(record.handle);
}

void add(SweepAnswer& sum, SweepAnswer&& part) {
  sum.removed += part.removed;
  sum.sessions += part.sessions;
  sum.handles.insert(sum.handles.end(), part.handles.begin(), part.handles.end());
}
}  // namespace

SweepAnswer SqliteStore::sweep(const SweepRequest& request, Deadline deadline) {
  require_writable_store();
  SweepAnswer answer;
  std::size_t left = request.budget;
  const auto rows = [&] { return std::min(batch, left); };
  answer.more = true;
  try {
    for (; answer.more && left > 0 && !deadline.passed(); left -= rows()) answer.more = sweep_due(rows(), answer, deadline);
    if (!answer.more && request.accessed_before)
      answer.more = sweep_idle(*request.accessed_before, request.budget - answer.removed, answer, deadline);
  } catch (const StoreError&) {
    if (answer.removed == 0) throw;
    answer.more = true;  // what has gone must be told; the trouble will be back
  }
  if (answer.removed > 0) pool_.see_to_reserve();
  return answer;
}

// The queue is `due`. Who stands in it too early, because the session was
// accessed since, is put off; a damaged row is put off for ever, and stays.
bool SqliteStore::sweep_due(std::size_t budget, SweepAnswer& answer, Deadline deadline) {
  constexpr const char* doing = "sweeping";
  std::size_t met = 0;
  const auto act = [&](Connection& c) {
    struct Row {
      std::string key;
      std::optional<Record> record;
    };
    const auto now = clock_.now();
    std::vector<Row> rows;
    {
      Query due(c, Sql::due, doing);
      due.bind(milliseconds(now)).bind(static_cast<std::int64_t>(budget));
      while (due.step()) rows.push_back({raw_key_of(due), record_of(due)});
    }
    met = rows.size();
    SweepAnswer done;
    for (const auto& [key, record] : rows) {
      if (record && record->expired(now)) {
        Query(c, Sql::erase, doing).bind_blob(key).step();
        count_removed(*record, done);
      } else {
        const auto later = record ? milliseconds(record->expires()) : std::numeric_limits<std::int64_t>::max();
        Query(c, Sql::put_off, doing).bind_blob(key).bind(later).step();
      }
    }
    return done;
  };
  add(answer, freeing(deadline, [&] { return write(deadline, doing, act); }));
  return met == budget;
}

// There is no index on the access time, because a touch would move it. This is
// a walk over the whole table, which reads without a lock, deletes in batches,
// and goes on in the next call where it stopped.
bool SqliteStore::sweep_idle(Time accessed_before, std::size_t budget, SweepAnswer& answer, Deadline deadline) {
  constexpr const char* doing = "removing old sessions";
  const auto old = [&](const Record& r) { return r.state == State::live && r.accessed < accessed_before; };
  std::string after;
  {
    const std::lock_guard lock(walk_mutex_);
    if (walk_ && walk_->accessed_before == accessed_before) after = walk_->after;
    walk_.reset();
  }
  for (bool more = true; more; ) {
    if (budget == 0 || deadline.passed()) {
      const std::lock_guard lock(walk_mutex_);
      walk_ = Walk{accessed_before, after};
      return true;
    }
    auto page = page_after(after, std::min(batch, budget), deadline);
    more = page.more;
    after = page.last;
    std::erase_if(page.records, [&](const KeyedRecord& each) { return !old(each.record); });
    if (page.records.empty()) continue;
    const auto act = [&](Connection& c) {
      SweepAnswer done;
      for (const auto& each : page.records) {
        const auto current = read(c, each.key, doing);
        if (!current || !old(*current)) continue;
        Query(c, Sql::erase, doing).bind_blob(each.key.bytes()).step();
        count_removed(*current, done);
      }
      return done;
    };
    auto part = freeing(deadline, [&] { return write(deadline, doing, act); });
    budget -= part.removed;
    add(answer, std::move(part));
  }
  return false;
}

}  // namespace sancho::sqlite
