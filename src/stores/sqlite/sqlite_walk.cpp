// Walking, counting, and finding a user's sessions.
#include "base/big_endian.hpp"
#include "stores/sqlite/row.hpp"
#include "stores/sqlite/sqlite_store.hpp"

namespace sancho::sqlite {

namespace {
constexpr std::size_t page_size = 100;

std::optional<KeyedRecord> keyed(const Row& row) {
  const auto key = SessionKey::from_bytes(row.raw_key());
  auto record = row.record();
  if (!key || !record) return std::nullopt;
  return KeyedRecord{*key, *std::move(record)};
}

std::int64_t bucket_at(const std::string& place) {
  return place.empty() ? -1 : static_cast<std::int64_t>(get_big_endian<std::uint64_t>(place.data()));
}
}  // namespace

// One short read each, so that a walk holds up no checkpoint and no connection.
SqliteStore::Page SqliteStore::page_after(const std::string& place, std::size_t size, Deadline deadline) {
  const auto lease = pool_.take(deadline, Pool::Use::read);
  Query rows(*lease, Sql::walk, "walking over the sessions");
  rows.bind(bucket_at(place)).bind(static_cast<std::int64_t>(size));
  Page page;
  std::size_t seen = 0;
  for (; rows.step(); ++seen) {
    const Row row(rows);
    page.last = std::string_view(EightBytes(static_cast<std::uint64_t>(row.bucket())));
    if (auto each = keyed(row)) page.records.push_back(*std::move(each));
  }
  page.more = seen == size;
  return page;
}

void SqliteStore::walk(const Each& each, Deadline deadline) {
  std::string after;
  for (bool more = true; more;) {
    const auto page = page_after(after, page_size, deadline);
    more = page.more;
    after = page.last;
    for (const auto& found : page.records)
      if (!found.record.expired(clock_.now()) && !each(found)) return;
  }
}

std::size_t SqliteStore::count(Deadline deadline) {
  const auto lease = pool_.take(deadline, Pool::Use::read);
  Query query(*lease, Sql::count, "counting the sessions");
  query.bind(milliseconds(clock_.now()));
  query.step();
  return static_cast<std::size_t>(query.integer(0).value_or(0));
}

std::vector<KeyedRecord> SqliteStore::find_by_subject(std::string_view subject, Deadline deadline) {
  const auto lease = pool_.take(deadline, Pool::Use::read);
  const auto now = clock_.now();
  Query rows(*lease, Sql::by_subject, "finding a user's sessions");
  rows.bind_blob(subject);
  std::vector<KeyedRecord> found;
  while (rows.step())
    if (auto each = keyed(Row(rows)); each && each->record.subject == subject && !each->record.expired(now)) found.push_back(*std::move(each));
  return found;
}

}  // namespace sancho::sqlite
