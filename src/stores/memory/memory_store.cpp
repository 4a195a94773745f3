#include "stores/memory/memory_store.hpp"

#include <algorithm>
#include <set>

namespace sancho::memory {

using Reading = ShardMutex::Reading;
using Writing = ShardMutex::Writing;

namespace {
// What there is, unless it has expired.
std::optional<Shard::Place> alive(std::optional<Shard::Place> record, const Clock& clock) {
  return record && !clock.passed(record->expires()) ? record : std::nullopt;
}

Record copy(const Packed& record) {
  Record into;
  record.read(into);
  return into;
}
}  // namespace

MemoryStore::MemoryStore(const Clock& clock) : clock_(clock), subjects_(memory_), gates_(clock) {
  // Segments of 64 to 120 cache lines: a split takes a few dozen microseconds.
  for (std::size_t i = 0; i < shard_count; ++i) shards_[i] = std::make_unique<Shard>(memory_, subjects_, static_cast<std::uint32_t>(64 + i % 8 * 8));
}

// ## Verbs

bool MemoryStore::load_into(const SessionKey& key, Record& into, Deadline) {
  const auto hash = hash_of(key);
  auto& shard = shard_of(hash);
  const Reading lock(shard.mutex, readers_);
  const auto record = shard.find(key, hash);
  if (!record) return false;
  record->read(into);
  return !clock_.passed(into.expires());
}

std::optional<Record> MemoryStore::load(const SessionKey& key, Deadline deadline) {
  std::optional<Record> record(std::in_place);
  if (!load_into(key, *record, deadline)) record.reset();
  return record;
}

CreateAnswer MemoryStore::create(const SessionKey& key, const Record& record, Deadline deadline, const Admission* admission) {
  const LargePages::Ahead ahead(memory_);
  return admission ? create_admitted(key, record, deadline, *admission) : create_unless({}, key, record);
}

CreateAnswer MemoryStore::create_unless(const std::optional<Refused>& refused, const SessionKey& key, const Record& record) {
  const auto hash = hash_of(key);
  auto& shard = shard_of(hash);
  const Writing lock(shard.mutex, readers_);
  const auto there = shard.find(key, hash);
  if (const auto current = alive(there, clock_)) return Taken{copy(*current)};
  if (refused) return *refused;
  if (there) shard.remove(*there);
  shard.insert(key, hash, record);
  return Done{};
}

CommitAnswer MemoryStore::commit(const SessionKey& key, const Version& expected, const Record& record, Deadline) {
  const LargePages::Ahead ahead(memory_);
  const auto hash = hash_of(key);
  auto& shard = shard_of(hash);
  const Writing lock(shard.mutex, readers_);
  const auto current = alive(shard.find(key, hash), clock_);
  if (!current) return Gone{};
  if (current->version() != expected) return Conflict{copy(*current)};
  if (current->subject() != record.subject) throw StoreError(Trouble::refused, "memory: a commit must not change the subject");
  shard.replace(*current, key, hash, record, std::max(record.accessed, current->accessed()));
  return Done{};
}

TouchAnswer MemoryStore::touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline) {
  const auto hash = hash_of(key);
  auto& shard = shard_of(hash);
  const Writing lock(shard.mutex, readers_);
  auto current = alive(shard.find(key, hash), clock_);
  if (!current || current->state() != State::live || current->version().incarnation != incarnation) return Gone{};
  if (!current->raise(accessed)) shard.replace(*current, key, hash, copy(*current), accessed);
  return Done{};
}

EraseAnswer MemoryStore::erase(const SessionKey& key, const std::optional<Version>& expected, Deadline) {
  const auto hash = hash_of(key);
  auto& shard = shard_of(hash);
  const Writing lock(shard.mutex, readers_);
  const auto current = alive(shard.find(key, hash), clock_);
  if (!current) return Absent{};
  if (expected && current->version() != *expected) return Conflict{copy(*current)};
  Removed answer{copy(*current)};
  shard.remove(*current);
  return answer;
}

// ## A subject's sessions

void MemoryStore::find_sessions(Hash hash, std::string_view subject, std::vector<KeyedRecord>& found) {
  const auto now = clock_.now();
  auto& shard = shard_of(hash);
  const Reading lock(shard.mutex, readers_);
  shard.each_of(hash, [&](const Packed& record) {
    if (record.subject() == subject && may_open(record.state()) && record.expires() > now) found.push_back({record.key(), copy(record)});
  });
}

// As at one moment: looked through again if a key came meanwhile, because it
// may have taken over from one that was looked at too late.
std::vector<KeyedRecord> MemoryStore::find_by_subject(std::string_view subject, Deadline deadline) {
  std::vector<KeyedRecord> found;
  if (subject.empty()) return found;
  for (auto keys = subjects_.of(subject); !keys.empty();) {
    found.clear();
    for (const auto hash : keys) find_sessions(hash, subject, found);
    auto now = subjects_.of(subject);
    if (std::includes(keys.begin(), keys.end(), now.begin(), now.end())) break;
    if (deadline.passed()) throw StoreError(Trouble::unavailable, "memory: the subject's sessions kept changing until the deadline");
    keys = std::move(now);
  }
  return found;
}

// ## Logging in

// The gate stays closed until the record is in: nobody counts without it.
CreateAnswer MemoryStore::create_admitted(const SessionKey& key, const Record& record, Deadline deadline, const Admission& admission) {
  if (record.subject.empty()) throw StoreError(Trouble::refused, "memory: an admission is for a record with a subject");
  expect(key, record.subject);
  const Gates::Passage passage(gates_, record.subject);
  std::optional<Refused> refused;
  if (passage.seen(record.subject) != admission.seen) refused = {Refused::Why::revoked};
  else if (admission.cap > 0 && others(record, deadline) >= admission.cap) refused = {Refused::Why::at_cap};
  return create_unless(refused, key, record);
}

// So that it is on its way while the gate is passed.
void MemoryStore::expect(const SessionKey& key, std::string_view subject) {
  const auto hash = hash_of(key);
  auto& shard = shard_of(hash);
  {
    const Reading lock(shard.mutex, readers_);
    shard.expect(hash);
  }
  subjects_.expect(subject);
}

// How many other sessions this record's subject has.
std::size_t MemoryStore::others(const Record& record, Deadline deadline) {
  std::set<Handle> handles;
  for (const auto& [key, other] : find_by_subject(record.subject, deadline))
    if (other.state != State::moved && other.handle != record.handle) handles.insert(other.handle);
  return handles.size();
}

EpochsSeen MemoryStore::epochs(std::string_view subject, Deadline) {
  return Gates::Passage(gates_, subject).seen(subject);
}

void MemoryStore::set_epoch(std::string_view subject, std::uint64_t epoch, Time until, Deadline) {
  gates_.set(std::string(subject), epoch, until);
}

}  // namespace sancho::memory

namespace sancho {

std::unique_ptr<SessionStore> open_memory_store(const Clock& clock) { return std::make_unique<memory::MemoryStore>(clock); }

}  // namespace sancho
