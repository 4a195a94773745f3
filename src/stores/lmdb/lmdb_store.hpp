// The store over a share in an environment. Each writing verb is one
// transaction: read the entry, decide, write.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "sancho/stores/lmdb.hpp"
#include "stores/lmdb/entry.hpp"
#include "stores/lmdb/registry.hpp"
#include "stores/lmdb/transaction.hpp"
#include "stores/sweeping.hpp"

namespace sancho::lmdb {

class LmdbStore final : public SessionStore, public SubjectIndex, public Epochs, public Scan {
 public:
  LmdbStore(const std::string& path, const LmdbOptions& options, const Clock& clock);

  std::optional<Record> load(const SessionKey& key, Deadline deadline) override;
  bool load_into(const SessionKey& key, Record& record, Deadline deadline) override;
  CreateAnswer create(const SessionKey& key, const Record& record, Deadline deadline,
                      const Admission* admission) override;
  CommitAnswer commit(const SessionKey& key, const Version& expected, const Record& record, Deadline deadline) override;
  TouchAnswer touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline) override;
  EraseAnswer erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline) override;
  SweepAnswer sweep(const SweepRequest& request, Deadline deadline) override;
  StoreTraits traits() const override;
  std::string name() const override { return environment_->store(); }
  void setup() override;

  SubjectIndex* subjects() override { return this; }
  Epochs* epochs() override { return this; }
  Scan* scan() override { return this; }
  std::vector<KeyedRecord> find_by_subject(std::string_view subject, Deadline deadline) override;
  EpochsSeen epochs(std::string_view subject, Deadline deadline) override;
  void set_epoch(std::string_view subject, std::uint64_t epoch, Time until, Deadline deadline) override;
  void walk(const Each& each, Deadline deadline) override;
  std::size_t count(Deadline deadline) override;

 private:
  // One entry as the database has it; nothing if there is none. Expired ones
  // are given too.
  std::optional<Entry> read(const Transaction& t, const SessionKey& key) const;
  // Puts an entry and all that leads to it; takes it and all that away.
  void put_new(Writing& t, const SessionKey& key, const Record& record) const;
  void remove(Writing& t, const SessionKey& key, const Entry& entry) const;

  // Runs `act(transaction)` and commits it.
  template <class Act>
  auto write(Deadline deadline, const char* doing, Room room, std::size_t size, Act act);
  // `act()`, and if there was no room for it, makes some and then `act()` once
  // more. For a write that ends a session or removes it, the reserve is spent.
  template <class Act>
  auto freeing(Deadline deadline, Room room, Act act);
  void require_writable_store() const;

  // Every record of a subject that has not expired.
  std::vector<KeyedRecord> records_of(const Transaction& t, std::string_view subject, Deadline deadline) const;
  EpochsSeen epochs_seen(const Transaction& t, std::string_view subject) const;
  std::optional<Refused> refusal(const Transaction& t, const Record& record, const Admission& admission,
                                 Deadline deadline) const;

  struct Page;
  Page page_after(const std::string& key, std::size_t size, Deadline deadline, const char* doing);

  bool anything_due(Deadline deadline);
  // One transaction of a sweep, of at most `budget` entries; are there more?
  bool sweep_due(std::size_t budget, SweepAnswer& answer, Deadline deadline);
  bool sweep_idle(Time accessed_before, std::size_t budget, SweepAnswer& answer, Deadline deadline);
  // One entry of the queue.
  void meet(Writing& t, std::string_view due_key, std::string_view what, Time now, SweepAnswer& done) const;

  LmdbOptions options_;
  const Clock& clock_;
  Share environment_;
  Tables tables_;

  // Where a walk for `accessed_before` that stopped goes on.
  WalkPlace walk_place_;
};

// Some entries in the order of their keys, damaged ones left out.
struct LmdbStore::Page {
  std::vector<KeyedRecord> records;
  std::string last;   // the key of the last entry, damaged or not
  bool more = false;  // the page is full: there may be another
};

template <class Act>
auto LmdbStore::write(Deadline deadline, const char* doing, Room room, std::size_t size, Act act) {
  require_writable_store();
  Writing transaction(*environment_, deadline, doing, room, size);
  auto answer = act(transaction);
  transaction.commit();
  return answer;
}

template <class Act>
auto LmdbStore::freeing(Deadline deadline, Room room, Act act) {
  try {
    return act();
  } catch (const StoreError& e) {
    if (e.kind() != Trouble::full || e.maybe_done()) throw;
    const bool cleared = environment_->clear_dead_readers(deadline) > 0;
    if (room == Room::leave && !cleared) throw;
  }
  if (room == Room::take) environment_->spend_reserve();
  return act();
}

}  // namespace sancho::lmdb
