// # The verbs
//
// What a store on PostgreSQL asks, and what it answers: the whole contract, as
// conversations, each of which is one exchange, or some more where others were
// in the way. Whoever has connections carries them out. Safe to use from several
// threads; what a conversation is given by reference must stay until it is over.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sancho/stores/postgresql.hpp"
#include "stores/postgresql/admittance.hpp"
#include "stores/postgresql/place.hpp"
#include "stores/postgresql/row.hpp"
#include "stores/postgresql/wishes.hpp"
#include "stores/sweeping.hpp"

namespace sancho::postgresql {

class Verbs {
 public:
  // Throws `ConfigError` for what cannot be.
  Verbs(std::string_view uri, const PostgresqlOptions& options);

  // About one connection that nobody else uses meanwhile.
  Conversation<Done> setup() const;

  Conversation<std::optional<Record>> load(const SessionKey& key, Deadline deadline) const;
  Conversation<CreateAnswer> create(const SessionKey& key, const Record& record, Deadline deadline,
                                    const Admission* admission) const;
  Conversation<CommitAnswer> commit(const SessionKey& key, const Version& expected, const Record& record,
                                    Deadline deadline) const;
  Conversation<TouchAnswer> touch(const SessionKey& key, std::uint64_t incarnation, Time accessed,
                                  Deadline deadline) const;
  Conversation<EraseAnswer> erase(const SessionKey& key, const std::optional<Version>& expected,
                                  Deadline deadline) const;
  Conversation<SweepAnswer> sweep(const SweepRequest& request, Deadline deadline);

  Conversation<std::vector<KeyedRecord>> find_by_subject(std::string_view subject, Deadline deadline) const;
  Conversation<EpochsSeen> epochs(std::string_view subject, Deadline deadline) const;
  Conversation<Done> set_epoch(std::string_view subject, std::uint64_t epoch, Time until, Deadline deadline) const;
  // `Show`s each record.
  Conversation<Done> walk(Deadline deadline) const;
  Conversation<std::size_t> count(Deadline deadline) const;

  // Asked of nobody.
  StoreTraits traits() const;
  const std::string& name() const { return place_.name; }

  // For whoever connects.
  const PostgresqlOptions& options() const { return options_; }
  const Place& place() const { return place_; }
  const Statements& statements() const { return statements_; }
  Admittance& admittance() { return admittance_; }

 private:
  // One exchange; the results of its steps. What failed without having been done
  // is tried again where that may help. Throws `StoreError`.
  enum class Intent { read, write };
  Conversation<std::vector<Result>> ask(Intent intent, std::span<const Step> steps, const char* doing,
                                        Deadline deadline) const;
  Conversation<std::vector<Result>> ask(Intent intent, const Step& step, const char* doing, Deadline deadline) const {
    return ask(intent, std::span(&step, 1), doing, deadline);
  }

  Conversation<CreateAnswer> create_by(std::span<const Step> steps, const char* doing, Deadline deadline) const;
  // Throws `StoreError` (*corrupt*) if it is damaged.
  Record intact(const Result& result, int column) const;
  // Throws `StoreError` (*contention*) when the deadline has passed.
  void once_more(const char* doing, Deadline deadline) const;

  // What a lock of the server's is known by; `what` keeps the kinds apart.
  std::int64_t lock_for(std::string_view what, std::string_view subject) const;
  Step lock_of(const Record& record, const Admission& admission) const;

  Conversation<Done> sweep_all(const SweepRequest& request, Deadline deadline, SweepAnswer& answer);
  Conversation<bool> sweep_due(std::size_t budget, SweepAnswer& answer, Deadline deadline) const;
  Conversation<bool> sweep_idle(Time accessed_before, std::size_t budget, SweepAnswer& answer, Deadline deadline);

  const PostgresqlOptions options_;
  const Tables tables_;
  const Statements statements_;
  const Place place_;
  Admittance admittance_;

  // Where a walk for `accessed_before` that stopped goes on.
  WalkPlace walk_place_;
};

}  // namespace sancho::postgresql
