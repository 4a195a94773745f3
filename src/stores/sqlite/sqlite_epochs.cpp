// Epochs and caps. One transaction writes at a time, so what is read inside a
// writing one is still true when it is committed.
#include <bit>

#include "stores/sqlite/row.hpp"
#include "stores/sqlite/sqlite_store.hpp"

namespace sancho::sqlite {

EpochsSeen SqliteStore::epochs_seen(Connection& c, std::string_view subject) const {
  Query row(c, Sql::epochs, "reading an epoch");
  row.bind_blob(subject).bind(milliseconds(clock_.now()));
  row.step();
  const auto number = [&](int column) { return std::bit_cast<std::uint64_t>(row.integer(column).value_or(0)); };
  return {number(0), number(1)};
}

EpochsSeen SqliteStore::epochs(std::string_view subject, Deadline deadline) {
  const auto lease = pool_.take(deadline, Pool::Use::read);
  return epochs_seen(*lease, subject);
}

void SqliteStore::set_epoch(std::string_view subject, std::uint64_t epoch, Time until, Deadline deadline) {
  constexpr const char* doing = "changing an epoch";
  const auto act = [&](Connection& c) {
    Query set(c, Sql::set_epoch, doing);
    set.bind_blob(subject).bind(std::bit_cast<std::int64_t>(epoch)).bind(milliseconds(until));
    set.step();
    return Done{};
  };
  // It ends sessions: a full disk must not keep it from that.
  freeing(deadline, [&](Room room) { return write(deadline, doing, act, {.room = room}); });
}

std::optional<Refused> SqliteStore::refusal(Connection& c, const Record& record, const Admission& admission) const {
  if (epochs_seen(c, record.subject) != admission.seen) return Refused{Refused::Why::revoked};
  if (admission.cap == 0) return std::nullopt;
  Query others(c, Sql::others, "counting a user's sessions");
  const auto handle = packed(record.handle);
  others.bind_blob(record.subject).bind_blob(handle).bind(milliseconds(clock_.now()));
  others.step();
  if (others.integer(0).value_or(0) >= admission.cap) return Refused{Refused::Why::at_cap};
  return std::nullopt;
}

}  // namespace sancho::sqlite
