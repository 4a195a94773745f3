// Epochs and caps. One transaction writes at a time, so what is read inside a
// writing one is still true when it is committed.
#include <set>

#include "stores/lmdb/lmdb_store.hpp"

namespace sancho::lmdb {

EpochsSeen LmdbStore::epochs_seen(const Transaction& t, std::string_view subject) const {
  const auto number = [&](std::string_view of) -> std::uint64_t {
    const auto digest = subject_digest(of);
    const auto value = t.get(tables_.epochs, digest);
    if (!value) return 0;
    const auto epoch = decode_epoch(digest, *value);
    if (!epoch)
      throw StoreError(Trouble::unavailable,
                       name() + ": an epoch is damaged; end the sessions again, which writes a new one");
    return epoch->until > clock_.now() ? epoch->number : 0;
  };
  return {.subject = subject.empty() ? 0 : number(subject), .everyone = number({})};
}

EpochsSeen LmdbStore::epochs(std::string_view subject, Deadline deadline) {
  const Reading t(*environment_, deadline, "reading an epoch");
  return epochs_seen(t, subject);
}

// It stands in the sweep's queue, like a session.
void LmdbStore::set_epoch(std::string_view subject, std::uint64_t epoch, Time until, Deadline deadline) {
  const auto digest = subject_digest(subject);
  const auto act = [&](Writing& t) {
    if (const auto value = t.get(tables_.epochs, digest))
      if (const auto before = decode_epoch(digest, *value)) t.remove(tables_.due, due_key(before->until, digest));
    t.put(tables_.epochs, digest, encode_epoch(digest, {epoch, until}));
    t.put(tables_.due, due_key(until, digest), due_epoch);
    return Done{};
  };
  // It ends sessions: a full map must not keep it from that.
  freeing(deadline, Room::take, [&] { return write(deadline, "changing an epoch", Room::take, 0, act); });
}

std::optional<Refused> LmdbStore::refusal(const Transaction& t, const Record& record, const Admission& admission,
                                          Deadline deadline) const {
  if (epochs_seen(t, record.subject) != admission.seen) return Refused{Refused::Why::revoked};
  if (admission.cap == 0) return std::nullopt;
  std::set<Handle> others;
  for (const auto& each : records_of(t, record.subject, deadline)) {
    const auto state = each.record.state;
    if ((state == State::live || state == State::pending) && each.record.handle != record.handle)
      others.insert(each.record.handle);
  }
  if (others.size() >= admission.cap) return Refused{Refused::Why::at_cap};
  return std::nullopt;
}

}  // namespace sancho::lmdb
