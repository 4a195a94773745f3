// Walking, counting, and finding a user's sessions.
#include "stores/mysql/mysql_store.hpp"
#include "stores/mysql/row.hpp"

namespace sancho::mysql {

namespace {
constexpr std::size_t page_size = 100;

std::optional<KeyedRecord> keyed(const Answer& row) {
  const auto key = SessionKey::from_bytes(row.text(1).value_or(""));
  auto record = record_of(row, 2);
  if (!key || !record) return std::nullopt;
  return KeyedRecord{*key, *std::move(record)};
}
}  // namespace

MysqlStore::Page MysqlStore::page_after(const std::string& raw_key, std::size_t size, bool with_payload,
                                        Deadline deadline) {
  return carry_out("walking over the sessions", deadline, [&](Talk& talk) {
    auto rows = talk.ask(sql_.page_after(raw_key, size, with_payload));
    Page page;
    std::size_t seen = 0;
    for (; rows.next(); ++seen) {
      page.now = time_of(rows);
      page.last = rows.text(1).value_or("");
      if (auto each = keyed(rows)) page.records.push_back(*std::move(each));
    }
    page.more = seen == size;
    return std::optional(std::move(page));
  });
}

void MysqlStore::walk(const Each& each, Deadline deadline) {
  std::string after;
  for (bool more = true; more;) {
    const auto page = page_after(after, page_size, true, deadline);
    more = page.more;
    after = page.last;
    for (const auto& found : page.records)
      if (!found.record.expired(page.now) && !each(found)) return;
  }
}

std::size_t MysqlStore::count(Deadline deadline) {
  return carry_out("counting the sessions", deadline, [&](Talk& talk) {
    auto row = talk.ask(sql_.count());
    row.next();
    return std::optional(static_cast<std::size_t>(row.natural(0).value_or(0)));
  });
}

std::vector<KeyedRecord> MysqlStore::find_by_subject(std::string_view subject, Deadline deadline) {
  if (subject.empty()) return {};
  return carry_out("finding a user's sessions", deadline, [&](Talk& talk) {
    auto rows = talk.ask(sql_.by_subject(subject));
    std::vector<KeyedRecord> found;
    while (rows.next())
      if (auto each = keyed(rows); each && !each->record.expired(time_of(rows))) found.push_back(*std::move(each));
    return std::optional(std::move(found));
  });
}

}  // namespace sancho::mysql
