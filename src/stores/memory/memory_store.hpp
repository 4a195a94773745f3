// The store `memory:`, made of its parts.
#pragma once

#include <array>
#include <atomic>
#include <memory>
#include <string>

#include "sancho/stores/memory.hpp"
#include "stores/memory/gates.hpp"
#include "stores/memory/shard.hpp"
#include "stores/sweeping.hpp"

namespace sancho::memory {

class MemoryStore final : public SessionStore, public SubjectIndex, public Epochs, public Scan {
 public:
  explicit MemoryStore(const Clock& clock);

  std::optional<Record> load(const SessionKey& key, Deadline deadline) override;
  bool load_into(const SessionKey& key, Record& record, Deadline deadline) override;
  CreateAnswer create(const SessionKey& key, const Record& record, Deadline deadline, const Admission* admission) override;
  CommitAnswer commit(const SessionKey& key, const Version& expected, const Record& record, Deadline deadline) override;
  TouchAnswer touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline) override;
  EraseAnswer erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline) override;
  SweepAnswer sweep(const SweepRequest& request, Deadline deadline) override;

  StoreTraits traits() const override { return {.thread_safe = true, .linearizable = true, .keeps = true, .never_waits = true}; }
  std::string name() const override { return "memory:"; }
  void setup() override {}
  SubjectIndex* subjects() override { return this; }
  Epochs* epochs() override { return this; }
  Scan* scan() override { return this; }

  std::vector<KeyedRecord> find_by_subject(std::string_view subject, Deadline deadline) override;

  EpochsSeen epochs(std::string_view subject, Deadline deadline) override;
  void set_epoch(std::string_view subject, std::uint64_t epoch, Time until, Deadline deadline) override;

  void walk(const Each& each, Deadline deadline) override;
  std::size_t count(Deadline deadline) override;

 private:
  static constexpr std::size_t shard_count = 64;
  Shard& shard_of(Hash hash) { return *shards_[hash % shard_count]; }

  // A record that is there already comes before what there is to refuse.
  CreateAnswer create_unless(const std::optional<Refused>& refused, const SessionKey& key, const Record& record);
  CreateAnswer create_admitted(const SessionKey& key, const Record& record, Deadline deadline, const Admission& admission);
  // Asks for the memory that `create` will begin with.
  void expect(const SessionKey& key, std::string_view subject);
  std::size_t others(const Record& record, Deadline deadline);
  void find_sessions(Hash hash, std::string_view subject, std::vector<KeyedRecord>& found);

  bool sweep_due(Time now, std::size_t most, SweepAnswer& answer);
  WalkPart sweep_old(const std::string& after, std::size_t most, Time accessed_before, SweepAnswer& answer);

  const Clock& clock_;
  LargePages memory_;
  Subjects subjects_;
  Gates gates_;
  Readers readers_;
  std::array<std::unique_ptr<Shard>, shard_count> shards_;
  std::atomic<std::size_t> sweep_from_ = 0;
  WalkPlace old_ones_;
};

}  // namespace sancho::memory
