// Walking, counting, and finding a user's sessions.
#include "stores/lmdb/lmdb_store.hpp"

namespace sancho::lmdb {

namespace {
constexpr std::size_t page_size = 100;

// Nothing if it is damaged.
std::optional<KeyedRecord> keyed(Layout layout, std::string_view key_bytes, std::string_view value, const std::string& store) {
  const auto key = SessionKey::from_bytes(key_bytes);
  if (!key) return std::nullopt;
  try {
    return KeyedRecord{*key, decode_entry(layout, *key, value, store).record};
  } catch (const StoreError&) {
    return std::nullopt;  // *corrupt* or of a newer version: a walk passes it over
  }
}
}  // namespace

// One short transaction each, because LMDB keeps whatever a reader may see.
LmdbStore::Page LmdbStore::page_after(const std::string& key, std::size_t size, Deadline deadline, const char* doing) {
  const Reading t(*environment_, deadline, doing);
  Cursor cursor(t, tables_.sessions);
  Page page;
  bool there = cursor.seek(key);
  if (there && cursor.key() == key) there = cursor.next();
  std::size_t seen = 0;
  for (; there && seen < size; there = cursor.next(), ++seen) {
    page.last = cursor.key();
    if (auto each = keyed(tables_.layout, cursor.key(), cursor.value(), environment_->store()))
      page.records.push_back(*std::move(each));
  }
  page.more = there;
  return page;
}

void LmdbStore::walk(const Each& each, Deadline deadline) {
  std::string after;
  for (bool more = true; more;) {
    const auto page = page_after(after, page_size, deadline, "walking over the sessions");
    more = page.more;
    after = page.last;
    for (const auto& found : page.records)
      if (!found.record.expired(clock_.now()) && !each(found)) return;
  }
}

std::size_t LmdbStore::count(Deadline deadline) {
  std::size_t live = 0;
  std::string after;
  for (bool more = true; more;) {
    const auto page = page_after(after, page_size, deadline, "counting the sessions");
    more = page.more;
    after = page.last;
    const auto now = clock_.now();
    for (const auto& found : page.records) live += found.record.state == State::live && !found.record.expired(now);
  }
  return live;
}

std::vector<KeyedRecord> LmdbStore::records_of(const Transaction& t, std::string_view subject,
                                               Deadline deadline) const {
  std::vector<KeyedRecord> found;
  const auto digest = subject_digest(subject);
  const auto now = clock_.now();
  Cursor cursor(t, tables_.subjects);
  std::size_t met = 0;
  for (bool there = cursor.seek(digest); there && cursor.key().substr(0, digest.size()) == digest;
       there = cursor.next()) {
    if (++met % 256 == 0 && deadline.passed())
      throw StoreError(Trouble::unavailable, name() + ": " + t.doing() + ": the deadline passed");
    const auto key = cursor.key().substr(digest.size());
    const auto value = t.get(tables_.sessions, key);
    if (!value) continue;
    if (auto each = keyed(tables_.layout, key, *value, environment_->store());
        each && each->record.subject == subject && !each->record.expired(now))
      found.push_back(*std::move(each));
  }
  return found;
}

std::vector<KeyedRecord> LmdbStore::find_by_subject(std::string_view subject, Deadline deadline) {
  if (subject.empty()) return {};
  const Reading t(*environment_, deadline, "finding a user's sessions");
  auto found = records_of(t, subject, deadline);
  std::erase_if(found, [](const KeyedRecord& each) { return !may_open(each.record.state); });
  return found;
}

}  // namespace sancho::lmdb
