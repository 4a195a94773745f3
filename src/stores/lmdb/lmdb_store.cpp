#include "stores/lmdb/lmdb_store.hpp"

#include <algorithm>

#include "stores/lmdb/schema.hpp"

namespace sancho {

std::unique_ptr<SessionStore> open_lmdb_store(const std::filesystem::path& path, const LmdbOptions& options,
                                              const Clock& clock) {
  const auto& text = path.native();
  if (text.empty() || text.find('\0') != text.npos)
    throw ConfigError("lmdb: needs the path of a directory, such as lmdb:sessions");
  if (options.map_size < std::uint64_t{4} << 20) throw ConfigError("lmdb: map_size must be 4194304 (4 MiB) or more");
  const auto plain = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (options.name_space.size() > lmdb::longest_name_space || !std::all_of(options.name_space.begin(), options.name_space.end(), plain))
    throw ConfigError("lmdb: a namespace is up to 32 of a-z, 0-9 and _");
  // Absolute, so that it is the same directory after a change of directory.
  auto absolute = std::filesystem::absolute(path).native();
  while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();
  return std::make_unique<lmdb::LmdbStore>(absolute, options, clock);
}

namespace lmdb {

LmdbStore::LmdbStore(const std::string& path, const LmdbOptions& options, const Clock& clock)
    : options_(options), clock_(clock), environment_(path, options) {
  setup();
}

void LmdbStore::setup() {
  tables_ = set_up(*environment_, options_.name_space, options_.read_only, Deadline::after(options_.open_timeout));
  if (!options_.read_only && !environment_->read_only()) environment_->see_to_reserve();
}

StoreTraits LmdbStore::traits() const {
  return {.thread_safe = true,
          .multiprocess_safe = true,
          .durable = true,
          .power_safe = options_.sync == LmdbOptions::Sync::full,
          .linearizable = true,
          .keeps = true};
}

void LmdbStore::require_writable_store() const {
  if (options_.read_only || environment_->read_only())
    throw StoreError(Trouble::refused, name() + ": it was opened read-only, or this process may not write it");
}

// ## Entries

std::optional<Entry> LmdbStore::read(const Transaction& t, const SessionKey& key) const {
  const auto value = t.get(tables_.sessions, key.bytes());
  if (!value) return std::nullopt;
  return decode_entry(tables_.layout, key, *value, environment_->store());
}

void LmdbStore::put_new(Writing& t, const SessionKey& key, const Record& record) const {
  t.put(tables_.sessions, key.bytes(), encode_entry(tables_.layout, key, record, record.accessed, record.expires()));
  t.put(tables_.due, due_key(record.expires(), key.bytes()), due_session);
  if (!record.subject.empty()) t.put(tables_.subjects, subject_digest(record.subject).append(key.bytes()), {});
}

void LmdbStore::remove(Writing& t, const SessionKey& key, const Entry& entry) const {
  t.remove(tables_.sessions, key.bytes());
  t.remove(tables_.due, due_key(entry.due, key.bytes()));
  if (!entry.record.subject.empty())
    t.remove(tables_.subjects, subject_digest(entry.record.subject).append(key.bytes()));
}

// ## The verbs

bool LmdbStore::load_into(const SessionKey& key, Record& record, Deadline deadline) {
  const Reading t(*environment_, deadline, "loading a session");
  const auto value = t.get(tables_.sessions, key.bytes());
  if (!value) return false;
  decode_entry(tables_.layout, key, *value, environment_->store(), record);
  return !clock_.passed(record.expires());
}

std::optional<Record> LmdbStore::load(const SessionKey& key, Deadline deadline) {
  std::optional<Record> record(std::in_place);
  if (!load_into(key, *record, deadline)) record.reset();
  return record;
}

CreateAnswer LmdbStore::create(const SessionKey& key, const Record& record, Deadline deadline,
                               const Admission* admission) {
  if (admission && record.subject.empty())
    throw StoreError(Trouble::refused, name() + ": an admission is for a record with a subject");
  require_writable(record, name());
  const auto act = [&](Writing& t) -> CreateAnswer {
    auto current = read(t, key);
    if (current && !current->record.expired(clock_.now())) return Taken{std::move(current->record)};
    if (admission)
      if (const auto no = refusal(t, record, *admission, deadline)) return *no;
    if (current) remove(t, key, *current);
    put_new(t, key, record);
    return Done{};
  };
  const auto size = record.payload.size() + record.subject.size();
  return freeing(deadline, Room::leave, [&] { return write(deadline, "creating a session", Room::leave, size, act); });
}

// The subject stays, and so does the place in the sweep's queue: an entry that
// expires later than it stands there is met by the sweep and put off. One that
// expires sooner (a logout's tombstone) moves forward.
CommitAnswer LmdbStore::commit(const SessionKey& key, const Version& expected, const Record& record,
                               Deadline deadline) {
  require_writable(record, name());
  const auto act = [&](Writing& t) -> CommitAnswer {
    auto current = read(t, key);
    if (!current || current->record.expired(clock_.now())) return Gone{};
    if (current->record.version != expected) return Conflict{std::move(current->record)};
    if (current->record.subject != record.subject)
      throw StoreError(Trouble::refused, name() + ": a commit may not change the subject");
    const auto accessed = std::max(record.accessed, current->record.accessed);
    const auto due = std::min(current->due, record.expires_if_accessed(accessed));
    if (due < current->due) {
      t.remove(tables_.due, due_key(current->due, key.bytes()));
      t.put(tables_.due, due_key(due, key.bytes()), due_session);
    }
    t.put(tables_.sessions, key.bytes(), encode_entry(tables_.layout, key, record, accessed, due));
    return Done{};
  };
  // A full map must not keep anybody logged in.
  const auto room = record.state == State::ended ? Room::take : Room::leave;
  return freeing(deadline, room,
                 [&] { return write(deadline, "committing a session", room, record.payload.size(), act); });
}

// It takes no room for good.
TouchAnswer LmdbStore::touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline) {
  return write(deadline, "touching a session", Room::take, 0, [&](Writing& t) -> TouchAnswer {
    const auto current = read(t, key);
    if (!current) return Gone{};
    const auto& r = current->record;
    if (r.state != State::live || r.version.incarnation != incarnation || r.expired(clock_.now())) return Gone{};
    if (r.accessed >= accessed) return Done{};
    const auto value = t.get(tables_.sessions, key.bytes());
    t.put(tables_.sessions, key.bytes(), with_head(key.bytes(), *value, {accessed, current->due}));
    return Done{};
  });
}

EraseAnswer LmdbStore::erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline) {
  const auto act = [&](Writing& t) -> EraseAnswer {
    auto current = read(t, key);
    if (!current || current->record.expired(clock_.now())) return Absent{};
    if (expected && current->record.version != *expected) return Conflict{std::move(current->record)};
    remove(t, key, *current);
    return Removed{std::move(current->record)};
  };
  return freeing(deadline, Room::take, [&] { return write(deadline, "erasing a session", Room::take, 0, act); });
}

}  // namespace lmdb
}  // namespace sancho
