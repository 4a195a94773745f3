// Epochs and caps.
//
// An admitted create is one transaction. It first writes to the subject's row,
// so that of one subject one passes at a time; and what it reads afterwards stays
// true until it is committed:
//
//   - on one server, because everyone who would change it waits for that row;
//   - on Galera, where locks are a node's own, because two transactions that
//     wrote to the same row on two nodes are put in order, and the second is
//     rejected if it did not see the first. Rows that were only read do not
//     count there, and that is why each writes.
//
// **Everyone's epoch** would by this rule be one row that every login in the
// cluster writes to. So it stands in sixteen rows, the gates, and a create passes
// through one of them, drawn by chance. A change of the epoch
//
//   1. writes it to gate 0, through which nobody passes, and takes a number;
//   2. writes it to each other gate whose number is lower.
//
// When the second step is through, each gate has had its change, and so a create
// that was admitted under the old epoch is ordered before the change of its gate:
// it has happened, and is seen by whoever reads now. One that comes later reads
// the new epoch. Of two changes at once the one with the higher number is what is
// left in every gate, whatever the order of their writes.
//
// Who asks for the epoch is told gate 0's when no gate has a lower number. If one
// has, a change is under way, or its process died: then the asker does the second
// step itself, which may be done any number of times. So nobody knows an epoch
// under which some gate would not yet admit him.
//
// On one server the create only takes a shared lock on its gate, and logins of
// different subjects do not wait for each other at all.
#include <fmt/format.h>

#include "sancho/random.hpp"
#include "stores/mysql/mysql_store.hpp"
#include "stores/mysql/row.hpp"

namespace sancho::mysql {

namespace {

[[noreturn]] void no_gates(const std::string& store, const std::string& table) {
  throw StoreError(
      Trouble::refused,
      fmt::format("{}: rows are missing in the table {}: it is damaged, or was emptied by hand", store, table));
}
}  // namespace

std::optional<CreateAnswer> MysqlStore::admit(Talk& talk, const SessionKey& key, const Record& record,
                                              const Admission& admission) {
  const auto gate = 1 + static_cast<unsigned>(system_random().draw_u64() % gates);
  const bool galera = talk.node().galera;
  std::vector<std::string> statements{sql_.enter(record.subject),
                                      galera ? sql_.pass_by_writing(gate) : sql_.pass_by_sharing(gate),
                                      sql_.load(key), sql_.epochs_at(record.subject, gate)};
  if (admission.cap > 0) statements.push_back(sql_.others(record));
  auto answers = talk.begin(std::move(statements));

  auto& current = answers[2];
  std::optional<Record> expired;
  if (current.next()) {
    expired = intact_record_of(current, 1, name());
    if (!expired->expired(time_of(current))) return Taken{*std::move(expired)};
  }
  answers[3].next();
  const auto everyone = answers[3].natural(1);
  if (!everyone) no_gates(name(), sql_.everyone());
  if (EpochsSeen{answers[3].natural(0).value_or(0), *everyone} != admission.seen) return Refused{Refused::Why::revoked};
  if (admission.cap > 0 && answers[4].next() && answers[4].natural(0).value_or(0) >= admission.cap)
    return Refused{Refused::Why::at_cap};
  // Somebody who needed no admission, or a sweep, may have been faster.
  try {
    const auto put = talk.commit({expired ? sql_.replace(key, record) : sql_.insert(key, record)});
    if (put[0].changed() == 1 || expired == record) return Done{};  // the latter has expired before it came
  } catch (const Failure& f) {
    if (!is_duplicate_key(f)) throw;
  }
  return std::nullopt;
}

EpochsSeen MysqlStore::epochs(std::string_view subject, Deadline deadline) {
  return carry_out("reading an epoch", deadline, [&](Talk& talk) -> std::optional<EpochsSeen> {
    auto row = talk.ask(sql_.epochs_of(subject));
    if (!row.next()) no_gates(name(), sql_.everyone());
    const auto epoch = row.natural(1), change = row.natural(2), closed = row.natural(3);
    if (!epoch || !change || !closed) no_gates(name(), sql_.everyone());
    if (*closed < *change) {
      close_gates(talk, *epoch, *change);
      return std::nullopt;
    }
    return EpochsSeen{row.natural(0).value_or(0), *epoch};
  });
}

void MysqlStore::close_gates(Talk& talk, std::uint64_t epoch, std::uint64_t change) const {
  for (unsigned gate = 1; gate <= gates; ++gate) talk.change(sql_.close_gate(gate, epoch, change));
}

void MysqlStore::set_epoch(std::string_view subject, std::uint64_t epoch, Time until, Deadline deadline) {
  constexpr const char* doing = "changing an epoch";
  if (!subject.empty()) {
    carry_out(doing, deadline, [&](Talk& talk) {
      talk.change(sql_.set_epoch(subject, epoch, until));
      return std::optional(Done{});
    });
    return;
  }
  const auto change = carry_out(doing, deadline, [&](Talk& talk) -> std::optional<std::uint64_t> {
    auto answer = std::move(talk.run({sql_.set_everyones_epoch(epoch)}, Effect::writes)[0]);
    if (answer.changed() != 1) no_gates(name(), sql_.everyone());
    return answer.insert_id();
  });
  try {
    carry_out(doing, deadline, [&](Talk& talk) {
      close_gates(talk, epoch, change);
      return std::optional(Done{});
    });
  } catch (const StoreError& e) {
    throw StoreError(e.kind(), e.what(), true);  // it has begun, and others will end it
  }
}

}  // namespace sancho::mysql
