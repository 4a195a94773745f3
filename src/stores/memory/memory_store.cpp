#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "sancho/stores/memory.hpp"

namespace sancho {

namespace {

// ## Who has which sessions
//
// Subject to keys, in shards of its own. It is a hint: whoever reads it looks
// the records up and judges them, so it may name a key too many for a moment,
// never one too few. Its locks are taken while a record's shard is locked, and
// never the other way round.
class Subjects {
 public:
  void add(const std::string& subject, const SessionKey& key) {
    if (subject.empty()) return;
    auto& shard = shard_of(subject);
    const std::lock_guard lock(shard.mutex);
    shard.keys[subject].insert(key);
  }

  void remove(const std::string& subject, const SessionKey& key) {
    if (subject.empty()) return;
    auto& shard = shard_of(subject);
    const std::lock_guard lock(shard.mutex);
    const auto at = shard.keys.find(subject);
    if (at == shard.keys.end()) return;
    at->second.erase(key);
    if (at->second.empty()) shard.keys.erase(at);
  }

  std::vector<SessionKey> of(const std::string& subject) {
    auto& shard = shard_of(subject);
    const std::lock_guard lock(shard.mutex);
    const auto at = shard.keys.find(subject);
    if (at == shard.keys.end()) return {};
    return {at->second.begin(), at->second.end()};
  }

 private:
  struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_map<std::string, std::unordered_set<SessionKey>> keys;
  };
  Shard& shard_of(const std::string& subject) { return shards_[std::hash<std::string>{}(subject) % shards_.size()]; }
  std::array<Shard, 16> shards_;
};

// ## The store
class MemoryStore final : public SessionStore, public SubjectIndex, public Scan {
 public:
  explicit MemoryStore(const Clock& clock) : clock_(clock) {}

  std::optional<Record> load(const SessionKey& key, Deadline) override {
    auto& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const auto* record = find(shard, key);
    return record ? std::optional(*record) : std::nullopt;
  }

  CreateAnswer create(const SessionKey& key, const Record& record, Deadline, const Admission* admission) override {
    if (admission) throw StoreError(Trouble::refused, "memory: has no admission: limits and epochs need another store");
    Record copy = record;
    auto& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    if (const auto* current = find(shard, key)) return Taken{*current};
    remove(shard, key);  // what has expired
    subjects_.add(copy.subject, key);
    shard.records.emplace(key, std::move(copy));
    return Done{};
  }

  CommitAnswer commit(const SessionKey& key, const Version& expected, const Record& record, Deadline) override {
    Record copy = record;  // outside the lock, and before anything changes
    auto& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    auto* current = find(shard, key);
    if (!current) return Gone{};
    if (current->version != expected) return Conflict{*current};
    if (current->subject != copy.subject) throw StoreError(Trouble::refused, "memory: a commit must not change the subject");
    copy.accessed = std::max(copy.accessed, current->accessed);
    *current = std::move(copy);
    return Done{};
  }

  TouchAnswer touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline) override {
    auto& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    auto* current = find(shard, key);
    if (!current || current->state != State::live || current->version.incarnation != incarnation) return Gone{};
    current->accessed = std::max(current->accessed, accessed);
    return Done{};
  }

  EraseAnswer erase(const SessionKey& key, const std::optional<Version>& expected, Deadline) override {
    auto& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    auto* current = find(shard, key);
    if (!current) return Absent{};
    if (expected && current->version != *expected) return Conflict{*current};
    Removed answer{*current};
    remove(shard, key);
    return answer;
  }

  SweepAnswer sweep(const SweepRequest& request, Deadline deadline) override;

  StoreTraits traits() const override { return {.thread_safe = true, .linearizable = true}; }
  std::string name() const override { return "memory:"; }
  void setup() override {}
  SubjectIndex* subjects() override { return this; }
  Scan* scan() override { return this; }

  std::vector<KeyedRecord> find_by_subject(std::string_view subject, Deadline deadline) override {
    std::vector<KeyedRecord> found;
    if (subject.empty()) return found;
    for (const auto& key : subjects_.of(std::string(subject))) {
      auto record = load(key, deadline);
      if (record && record->state == State::live && record->subject == subject) found.push_back({key, std::move(*record)});
    }
    return found;
  }

  void iter_sessions(const std::function<bool(const KeyedRecord&)>& each, Deadline deadline) override;
  std::size_t count(Deadline deadline) override;

 private:
  struct alignas(64) Shard {
    std::mutex mutex;
    std::unordered_map<SessionKey, Record> records;
  };

  // The hash table uses the key's first bytes, so the shard is its last one.
  Shard& shard_of(const SessionKey& key) { return shards_[static_cast<unsigned char>(key.bytes().back()) % shards_.size()]; }

  // The record if it is there and has not expired. The shard is locked.
  Record* find(Shard& shard, const SessionKey& key) {
    const auto at = shard.records.find(key);
    return at != shard.records.end() && !at->second.expired(clock_.now()) ? &at->second : nullptr;
  }

  void remove(Shard& shard, const SessionKey& key) {
    const auto at = shard.records.find(key);
    if (at == shard.records.end()) return;
    subjects_.remove(at->second.subject, key);
    shard.records.erase(at);
  }

  bool sweep_shard(Shard& shard, const SweepRequest& request, Deadline deadline, SweepAnswer& answer);

  const Clock& clock_;
  std::array<Shard, 64> shards_;
  std::atomic<std::size_t> sweep_from_ = 0;
  Subjects subjects_;
};

// ## Sweeping
//
// Shard after shard, beginning where the last call stopped, and a shard in
// strides of a few hundred buckets with the lock given back between them: a
// request waits for one stride at most.
SweepAnswer MemoryStore::sweep(const SweepRequest& request, Deadline deadline) {
  SweepAnswer answer;
  const auto from = sweep_from_.load();
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    const auto at = (from + i) % shards_.size();
    if (sweep_shard(shards_[at], request, deadline, answer)) continue;
    sweep_from_ = at;
    answer.more = true;
    break;
  }
  return answer;
}

// False if it stopped at the budget or the deadline.
bool MemoryStore::sweep_shard(Shard& shard, const SweepRequest& request, Deadline deadline, SweepAnswer& answer) {
  constexpr std::size_t stride = 256;
  std::vector<SessionKey> doomed;
  std::size_t buckets = 0;
  for (std::size_t bucket = 0;;) {
    if (answer.removed >= request.budget || deadline.passed()) return false;
    const std::lock_guard lock(shard.mutex);
    auto& records = shard.records;
    // It grew meanwhile, and every record has another bucket: once more.
    if (records.bucket_count() != buckets) buckets = records.bucket_count(), bucket = 0;
    const auto now = clock_.now();
    const auto room = request.budget - answer.removed;
    doomed.clear();
    for (const auto end = std::min(bucket + stride, buckets); bucket < end && doomed.size() < room; ++bucket) {
      for (auto at = records.cbegin(bucket); at != records.cend(bucket) && doomed.size() < room; ++at) {
        const auto& record = at->second;
        const bool old = request.accessed_before && record.state == State::live && record.accessed < *request.accessed_before;
        if (!old && !record.expired(now)) continue;
        doomed.push_back(at->first);
        if (record.state != State::live) continue;
        ++answer.sessions;
        answer.handles.push_back(record.handle);
      }
    }
    for (const auto& key : doomed) remove(shard, key);
    answer.removed += doomed.size();
    if (bucket == buckets && doomed.size() < room) return true;
  }
}

// ## Walking
//
// The keys of one shard at a time; each record is then looked up afresh.
void MemoryStore::iter_sessions(const std::function<bool(const KeyedRecord&)>& each, Deadline deadline) {
  std::vector<SessionKey> keys;
  for (auto& shard : shards_) {
    keys.clear();
    {
      const std::lock_guard lock(shard.mutex);
      keys.reserve(shard.records.size());
      for (const auto& entry : shard.records) keys.push_back(entry.first);
    }
    for (const auto& key : keys) {
      if (deadline.passed()) throw StoreError(Trouble::unavailable, "memory: the walk did not end before its deadline");
      auto record = load(key, deadline);
      if (record && record->state == State::live && !each({key, std::move(*record)})) return;
    }
  }
}

std::size_t MemoryStore::count(Deadline) {
  std::size_t live = 0;
  for (auto& shard : shards_) {
    const std::lock_guard lock(shard.mutex);
    const auto now = clock_.now();
    for (const auto& entry : shard.records) live += entry.second.state == State::live && !entry.second.expired(now);
  }
  return live;
}

}  // namespace

std::unique_ptr<SessionStore> open_memory_store(const Clock& clock) { return std::make_unique<MemoryStore>(clock); }

}  // namespace sancho
