// Sweeping: many small transactions, so that no request waits for long. What
// another has locked is left to the other.
#include <algorithm>
#include <limits>

#include "stores/mysql/mysql_store.hpp"
#include "stores/mysql/row.hpp"

namespace sancho::mysql {

SweepAnswer MysqlStore::sweep(const SweepRequest& request, Deadline deadline) {
  return sweep_in_batches(
      request, deadline, [&](std::size_t most, SweepAnswer& sum) { return sweep_due(most, sum, deadline); },
      [&](Time before, std::size_t most, SweepAnswer& sum) { return sweep_idle(before, most, sum, deadline); });
}

// The queue is `due`. Who stands in it too early, because the session was
// accessed since, is put off; a damaged row is put off for ever, and stays.
bool MysqlStore::sweep_due(std::size_t budget, SweepAnswer& answer, Deadline deadline) {
  struct Swept {
    SweepAnswer done;
    bool more = false;
  };
  auto swept = carry_out("sweeping", deadline, [&](Talk& talk) {
    auto rows = std::move(talk.begin({sql_.lock_due(budget)})[0]);
    Swept s;
    std::size_t met = 0;
    std::vector<std::string> expired, statements;
    for (; rows.next(); ++met) {
      const std::string key(rows.text(1).value_or(""));
      const auto record = record_of(rows, 2);
      if (record && record->expired(time_of(rows))) {
        expired.push_back(key);
        s.done.count(*record);
      } else {
        statements.push_back(
            sql_.put_off(key, record ? milliseconds(record->expires()) : std::numeric_limits<std::int64_t>::max()));
      }
    }
    s.more = met == budget;
    if (!expired.empty()) statements.push_back(sql_.remove(expired));
    if (!s.more) statements.push_back(sql_.forget_epochs());
    talk.commit(std::move(statements));
    return std::optional(std::move(s));
  });
  answer.add(std::move(swept.done));
  return swept.more;
}

// There is no index on the access time, because a touch would move it. This is
// a walk over the whole table, which reads without a lock, deletes in batches,
// and goes on in the next call where it stopped.
bool MysqlStore::sweep_idle(Time accessed_before, std::size_t budget, SweepAnswer& answer, Deadline deadline) {
  const auto look = [&](const std::string& after, std::size_t most) {
    const auto page = page_after(after, most, false, deadline);
    WalkPart part{page.last, page.more};
    std::vector<std::string> old;
    for (const auto& [key, record] : page.records)
      if (record.state == State::live && record.accessed < accessed_before) old.emplace_back(key.bytes());
    if (old.empty()) return part;
    const auto done = carry_out("removing old sessions", deadline, [&](Talk& talk) {
      auto rows = std::move(talk.begin({sql_.lock_idle(old, accessed_before)})[0]);
      SweepAnswer removed;
      std::vector<std::string> keys;
      while (rows.next())
        if (const auto record = record_of(rows, 2)) {
          keys.emplace_back(rows.text(1).value_or(""));
          removed.count(*record);
        }
      if (!keys.empty()) talk.commit({sql_.remove(keys)});
      return std::optional(std::move(removed));
    });
    part.removed = done.removed;
    answer.add(done);
    return part;
  };
  return walk_for_old(walk_place_, accessed_before, budget, deadline, look);
}

}  // namespace sancho::mysql
