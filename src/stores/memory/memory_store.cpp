#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <shared_mutex>
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

// ## Who may log in
//
// A gate for each subject, or a few of them: whoever is admitted, and whoever
// changes the epoch, passes one at a time. Taken before any other lock.
class Gates {
 public:
  explicit Gates(const Clock& clock) : clock_(clock) {}

  // Whoever holds it reads epochs that stay what they are.
  class Passage {
   public:
    Passage(Gates& gates, const std::string& subject) : gate_(gates.gate_of(subject).mutex), everyone_(gates.everyone_mutex_) {}

   private:
    std::unique_lock<std::mutex> gate_;
    std::shared_lock<std::shared_mutex> everyone_;
  };

  EpochsSeen seen(const std::string& subject) {
    EpochsSeen seen;
    if (everyone_.until > clock_.now()) seen.everyone = everyone_.number;
    const auto& epochs = gate_of(subject).epochs;
    if (const auto at = epochs.find(subject); at != epochs.end() && at->second.until > clock_.now()) seen.subject = at->second.number;
    return seen;
  }

  void set(const std::string& subject, std::uint64_t number, Time until) {
    if (subject.empty()) {
      const std::unique_lock lock(everyone_mutex_);
      everyone_ = {number, until};
      return;
    }
    auto& gate = gate_of(subject);
    const std::lock_guard lock(gate.mutex);
    gate.epochs[subject] = {number, until};
  }

  void forget_old() {
    for (auto& gate : gates_) {
      const std::lock_guard lock(gate.mutex);
      std::erase_if(gate.epochs, [now = clock_.now()](const auto& entry) { return entry.second.until <= now; });
    }
  }

 private:
  struct Epoch {
    std::uint64_t number = 0;
    Time until = Time::min();
  };
  struct alignas(64) Gate {
    std::mutex mutex;
    std::unordered_map<std::string, Epoch> epochs;
  };
  Gate& gate_of(const std::string& subject) { return gates_[std::hash<std::string>{}(subject) % gates_.size()]; }

  const Clock& clock_;
  std::array<Gate, 16> gates_;
  std::shared_mutex everyone_mutex_;
  Epoch everyone_;
};

// ## The store
class MemoryStore final : public SessionStore, public SubjectIndex, public Epochs, public Scan {
 public:
  explicit MemoryStore(const Clock& clock) : clock_(clock), gates_(clock) {}

  std::optional<Record> load(const SessionKey& key, Deadline) override {
    auto& shard = shard_of(key);
    const std::lock_guard lock(shard.mutex);
    const auto* record = find(shard, key);
    return record ? std::optional(*record) : std::nullopt;
  }

  CreateAnswer create(const SessionKey& key, const Record& record, Deadline deadline, const Admission* admission) override {
    if (admission) return create_admitted(key, record, deadline, *admission);
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

  StoreTraits traits() const override { return {.thread_safe = true, .linearizable = true, .keeps = true}; }
  std::string name() const override { return "memory:"; }
  void setup() override {}
  SubjectIndex* subjects() override { return this; }
  Epochs* epochs() override { return this; }
  Scan* scan() override { return this; }

  // As at one moment: looked through again if a key came meanwhile, because it
  // may have taken over from one that was looked at too late.
  std::vector<KeyedRecord> find_by_subject(std::string_view subject, Deadline deadline) override {
    std::vector<KeyedRecord> found;
    if (subject.empty()) return found;
    const std::string name(subject);
    for (auto keys = subjects_.of(name); !keys.empty();) {
      found.clear();
      for (const auto& key : keys) {
        auto record = load(key, deadline);
        if (record && may_open(record->state) && record->subject == subject) found.push_back({key, std::move(*record)});
      }
      auto now = subjects_.of(name);
      const std::set<SessionKey> before(keys.begin(), keys.end());
      const bool more = std::any_of(now.begin(), now.end(), [&](const auto& key) { return !before.contains(key); });
      if (!more) break;
      if (deadline.passed()) throw StoreError(Trouble::unavailable, "memory: the subject's sessions kept changing until the deadline");
      keys = std::move(now);
    }
    return found;
  }

  EpochsSeen epochs(std::string_view subject, Deadline) override {
    const std::string name(subject);
    const Gates::Passage passage(gates_, name);
    return gates_.seen(name);
  }

  void set_epoch(std::string_view subject, std::uint64_t epoch, Time until, Deadline) override {
    gates_.set(std::string(subject), epoch, until);
  }

  void walk(const Each& each, Deadline deadline) override;
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

  // The gate stays closed until the record is in: nobody counts without it.
  CreateAnswer create_admitted(const SessionKey& key, const Record& record, Deadline deadline, const Admission& admission) {
    if (record.subject.empty()) throw StoreError(Trouble::refused, "memory: an admission is for a record with a subject");
    const Gates::Passage passage(gates_, record.subject);
    if (auto current = load(key, deadline)) return Taken{std::move(*current)};
    if (gates_.seen(record.subject) != admission.seen) return Refused{Refused::Why::revoked};
    if (admission.cap > 0 && others(record, deadline) >= admission.cap) return Refused{Refused::Why::at_cap};
    return create(key, record, deadline, nullptr);
  }

  // How many other sessions this record's subject has.
  std::size_t others(const Record& record, Deadline deadline) {
    std::set<Handle> handles;
    for (const auto& [key, other] : find_by_subject(record.subject, deadline))
      if (other.state != State::moved && other.handle != record.handle) handles.insert(other.handle);
    return handles.size();
  }

  bool sweep_shard(Shard& shard, const SweepRequest& request, Deadline deadline, SweepAnswer& answer);

  const Clock& clock_;
  std::array<Shard, 64> shards_;
  std::atomic<std::size_t> sweep_from_ = 0;
  Subjects subjects_;
  Gates gates_;
};

// ## Sweeping
//
// Shard after shard, beginning where the last call stopped, and a shard in
// strides of a few hundred buckets with the lock given back between them: a
// request waits for one stride at most.
SweepAnswer MemoryStore::sweep(const SweepRequest& request, Deadline deadline) {
  SweepAnswer answer;
  gates_.forget_old();
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
void MemoryStore::walk(const Each& each, Deadline deadline) {
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
      if (record && !each({key, std::move(*record)})) return;
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
