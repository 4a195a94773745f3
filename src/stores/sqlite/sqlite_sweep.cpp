// Sweeping: many small transactions, so that no request waits for long.
#include <algorithm>
#include <limits>

#include "stores/sqlite/row.hpp"
#include "stores/sqlite/sqlite_store.hpp"

namespace sancho::sqlite {

SweepAnswer SqliteStore::sweep(const SweepRequest& request, Deadline deadline) {
  require_writable_store();
  auto answer = sweep_in_batches(
      request, deadline, [&](std::size_t most, SweepAnswer& sum) { return sweep_due(most, sum, deadline); },
      [&](Time before, std::size_t most, SweepAnswer& sum) { return sweep_idle(before, most, sum, deadline); });
  if (answer.removed > 0) pool_.see_to_reserve();
  return answer;
}

// The queue is `due`. Who stands in it too early, because the session was
// accessed since, is put off; a damaged row is put off for ever, and stays.
bool SqliteStore::sweep_due(std::size_t budget, SweepAnswer& answer, Deadline deadline) {
  constexpr const char* doing = "sweeping";
  std::size_t met = 0;
  const auto act = [&](Connection& c) {
    struct Met {
      std::int64_t bucket;
      std::optional<Record> record;
    };
    const auto now = clock_.now();
    std::vector<Met> rows;
    {
      Query due(c, Sql::due, doing);
      due.bind(milliseconds(now)).bind(static_cast<std::int64_t>(budget));
      while (due.step()) {
        const Row row(due);
        rows.push_back({row.bucket(), row.record()});
      }
    }
    // A row that is removed may have others move to a lower bucket.
    std::sort(rows.begin(), rows.end(), [](const Met& a, const Met& b) { return a.bucket > b.bucket; });
    met = rows.size();
    SweepAnswer done;
    for (const auto& [bucket, record] : rows) {
      if (record && record->expired(now)) {
        remove_row(c, bucket, doing);
        done.count(*record);
      } else {
        const auto later = record ? milliseconds(record->expires()) : std::numeric_limits<std::int64_t>::max();
        Query(c, Sql::put_off, doing).bind(bucket).bind(later).step();
      }
    }
    if (met < budget) Query(c, Sql::forget_epochs, doing).bind(milliseconds(now)).step();
    return done;
  };
  answer.add(freeing(deadline, [&](Room room) { return write(deadline, doing, act, {.room = room, .alone = true}); }));
  return met == budget;
}

// There is no index on the access time, because a touch would move it. This is
// a walk over the whole table, which reads without a lock, deletes in batches,
// and goes on in the next call where it stopped.
bool SqliteStore::sweep_idle(Time accessed_before, std::size_t budget, SweepAnswer& answer, Deadline deadline) {
  constexpr const char* doing = "removing old sessions";
  const auto old = [&](const Record& r) { return r.state == State::live && r.accessed < accessed_before; };
  const auto look = [&](const std::string& after, std::size_t most) {
    auto page = page_after(after, most, deadline);
    WalkPart part{page.last, page.more};
    std::erase_if(page.records, [&](const KeyedRecord& each) { return !old(each.record); });
    if (page.records.empty()) return part;
    const auto act = [&](Connection& c) {
      SweepAnswer done;
      for (const auto& each : page.records) {
        const auto current = read(c, each.key, doing);
        if (!current || !old(current->record)) continue;
        remove_row(c, current->bucket, doing);
        done.count(current->record);
      }
      return done;
    };
    const auto done = freeing(deadline, [&](Room room) { return write(deadline, doing, act, {.room = room, .alone = true}); });
    part.removed = done.removed;
    answer.add(done);
    return part;
  };
  return walk_for_old(walk_place_, accessed_before, budget, deadline, look);
}

}  // namespace sancho::sqlite
