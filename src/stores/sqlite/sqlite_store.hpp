// The store over a pool of connections. Each writing verb is one transaction:
// read the record, decide, write.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "sancho/stores/sqlite.hpp"
#include "stores/sqlite/group_writer.hpp"
#include "stores/sqlite/row.hpp"
#include "stores/sweeping.hpp"

namespace sancho::sqlite {

class SqliteStore final : public SessionStore, public SubjectIndex, public Epochs, public Scan {
 public:
  SqliteStore(std::string path, const SqliteOptions& options, const Clock& clock)
      : options_(options), clock_(clock), pool_(std::move(path), options), writer_(pool_) {}

  std::optional<Record> load(const SessionKey& key, Deadline deadline) override;
  bool load_into(const SessionKey& key, Record& record, Deadline deadline) override;
  CreateAnswer create(const SessionKey& key, const Record& record, Deadline deadline, const Admission* admission) override;
  CommitAnswer commit(const SessionKey& key, const Version& expected, const Record& record, Deadline deadline) override;
  TouchAnswer touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline) override;
  EraseAnswer erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline) override;
  SweepAnswer sweep(const SweepRequest& request, Deadline deadline) override;
  StoreTraits traits() const override;
  std::string name() const override { return pool_.name(); }
  void setup() override { pool_.setup(Deadline::after(options_.open_timeout)); }

  SubjectIndex* subjects() override { return this; }
  Epochs* epochs() override { return this; }
  Scan* scan() override { return this; }
  std::vector<KeyedRecord> find_by_subject(std::string_view subject, Deadline deadline) override;
  EpochsSeen epochs(std::string_view subject, Deadline deadline) override;
  void set_epoch(std::string_view subject, std::uint64_t epoch, Time until, Deadline deadline) override;
  void walk(const Each& each, Deadline deadline) override;
  std::size_t count(Deadline deadline) override;

 private:
  // One record as the database has it now, and where; nothing if there is none.
  // Expired ones are given too.
  struct Found {
    Record record;
    std::int64_t bucket;
  };
  std::optional<Found> read(Connection& c, const SessionKey& key, const char* doing) const;
  // Runs `act(connection)` in one transaction, perhaps with others, and commits it.
  template <class Act>
  auto write(Deadline deadline, const char* doing, Act act, Write::How how = {});
  // For writes that give room back: `act(Room::usual)`, and if there was no
  // room for it, makes some and then `act(Room::all)`.
  template <class Act>
  auto freeing(Deadline deadline, Act act);
  EpochsSeen epochs_seen(Connection& c, std::string_view subject) const;
  std::optional<Refused> refusal(Connection& c, const Record& record, const Admission& admission) const;
  void require_writable_store() const;

  enum class Due { move, keep };
  class Verdict;
  class Raise;
  CommitAnswer try_commit(const SessionKey& key, const Version& expected, const Record& record, Due due, Room room, Deadline deadline);

  struct Page;
  Page page_after(const std::string& place, std::size_t size, Deadline deadline);
  // One transaction of a sweep, of at most `budget` rows; are there more?
  bool sweep_due(std::size_t budget, SweepAnswer& answer, Deadline deadline);
  bool sweep_idle(Time accessed_before, std::size_t budget, SweepAnswer& answer, Deadline deadline);

  SqliteOptions options_;
  const Clock& clock_;
  Pool pool_;
  GroupWriter writer_;

  // Where a walk for `accessed_before` that stopped goes on.
  WalkPlace walk_place_;
};

// Some rows in the order of their buckets, damaged ones left out.
struct SqliteStore::Page {
  std::vector<KeyedRecord> records;
  std::string last;   // where the last row is, damaged or not
  bool more = false;  // the page is full: there may be another
};

template <class Act>
auto SqliteStore::write(Deadline deadline, const char* doing, Act act, Write::How how) {
  require_writable_store();
  struct Writing final : Write {
    Writing(Deadline by, const char* what, How h, Act& a) : Write(by, what, h), work(a) {}
    void act(Connection& connection) override { answer = work(connection); }
    Act& work;
    std::optional<std::invoke_result_t<Act&, Connection&>> answer;
  } writing(deadline, doing, how, act);
  writer_.run(writing);
  return *std::move(writing.answer);
}

template <class Act>
auto SqliteStore::freeing(Deadline deadline, Act act) {
  try {
    return act(Room::usual);
  } catch (const StoreError& e) {
    if (e.kind() != Trouble::full || e.maybe_done()) throw;
  }
  pool_.make_room(deadline);
  return act(Room::all);
}

}  // namespace sancho::sqlite
