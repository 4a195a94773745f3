// The store over a pool of connections. A verb that writes is one conditional
// statement where it can be; the condition is the engine's to decide.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "stores/mysql/backoff.hpp"
#include "stores/mysql/pool.hpp"
#include "stores/mysql/statements.hpp"
#include "stores/mysql/talk.hpp"
#include "stores/sweeping.hpp"

namespace sancho::mysql {

class MysqlStore final : public SessionStore, public SubjectIndex, public Epochs, public Scan {
 public:
  // `ahead`: milliseconds by which the server's clock is taken to be ahead of
  // what it says. For tests, which let time pass with it.
  explicit MysqlStore(const MysqlOptions& options, const std::atomic<std::int64_t>* ahead = nullptr);

  std::optional<Record> load(const SessionKey& key, Deadline deadline) override;
  CreateAnswer create(const SessionKey& key, const Record& record, Deadline deadline,
                      const Admission* admission) override;
  CommitAnswer commit(const SessionKey& key, const Version& expected, const Record& record, Deadline deadline) override;
  TouchAnswer touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline) override;
  EraseAnswer erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline) override;
  SweepAnswer sweep(const SweepRequest& request, Deadline deadline) override;
  StoreTraits traits() const override;
  std::string name() const override { return pool_.name(); }
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
  // Calls `act(talk)` on a connection, and again where that is safe and may
  // help: it returns an optional, empty if others were in the way. Throws
  // `StoreError`.
  template <class Act>
  auto carry_out(const char* doing, Deadline deadline, Act act);
  // Throws, unless the same may be tried again.
  void judge(const Failure& failure, const Pool::Lease& lease, const char* doing, int& breaks) const;
  [[noreturn]] void give_up(const char* doing) const;

  // A record as the database has it now, nothing if there is none, and whether
  // it has expired.
  struct Loaded {
    std::optional<Record> record;
    bool alive = false;
  };
  Loaded read(Talk& talk, const SessionKey& key) const;
  std::optional<CreateAnswer> admit(Talk& talk, const SessionKey& key, const Record& record,
                                    const Admission& admission);
  void close_gates(Talk& talk, std::uint64_t epoch, std::uint64_t change) const;

  struct Page;
  Page page_after(const std::string& raw_key, std::size_t size, bool with_payload, Deadline deadline);
  // One transaction of a sweep, over at most `budget` rows; are there more?
  bool sweep_due(std::size_t budget, SweepAnswer& answer, Deadline deadline);
  bool sweep_idle(Time accessed_before, std::size_t budget, SweepAnswer& answer, Deadline deadline);

  MysqlOptions options_;
  Statements sql_;
  Pool pool_;

  // Where a walk for `accessed_before` that stopped goes on.
  WalkPlace walk_place_;
};

// Some rows in the order of their keys.
struct MysqlStore::Page {
  std::vector<KeyedRecord> records;  // without damaged ones
  Time now;                          // of the store
  std::string last;                  // the key of the last row, damaged or not
  bool more = false;                 // the page is full: there may be another
};

template <class Act>
auto MysqlStore::carry_out(const char* doing, Deadline deadline, Act act) {
  int breaks = 0;
  for (Backoff backoff(deadline);;) {
    {
      const auto lease = pool_.take(deadline);
      try {
        Talk talk(*lease, lease.node(), deadline);
        if (auto answer = act(talk)) return *std::move(answer);
      } catch (const Failure& failure) {
        judge(failure, lease, doing, breaks);
      }
    }
    if (!backoff.wait()) give_up(doing);
  }
}

}  // namespace sancho::mysql
