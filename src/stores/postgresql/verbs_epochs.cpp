// Epochs and caps.
//
// Who is admitted holds two of the server's locks until the record is
// committed: everyone's, shared with all others who are admitted, and the
// subject's. Who changes an epoch takes that lock for itself. The statement
// behind a lock sees everything that was committed before the lock was had, so
// what is counted is exact. Locks are taken in one order, everyone's first, and
// nobody waits for a record while others wait for such a lock of his, but for a
// key that two create at once: so there is no deadlock.
#include <array>

#include "base/big_endian.hpp"
#include "base/crypto.hpp"
#include "stores/postgresql/verbs.hpp"

namespace sancho::postgresql {

namespace {
std::string digest_of(std::string_view subject) {
  if (subject.empty()) return {};  // everyone's row
  return std::string(as_text(sha256(std::array{subject})));
}
}  // namespace

// Two that share a lock by chance, one in 2^64, wait for each other.
std::int64_t Verbs::lock_for(std::string_view what, std::string_view subject) const {
  const LengthPrefix space(options_.name_space.size()), kind(what.size());
  const auto digest =
      sha256(std::array<std::string_view, 6>{"sancho", space, options_.name_space, kind, what, subject});
  return as_signed(get_big_endian<std::uint64_t>(digest.data()));
}

// Without a cap, those who log in to the same account need not queue.
Step Verbs::lock_of(const Record& record, const Admission& admission) const {
  const auto sql = admission.cap > 0 ? Sql::lock_for_cap : Sql::lock_shared;
  return {sql, Parameters().number(lock_for("everyone", "")).number(lock_for("subject", record.subject))};
}

Conversation<EpochsSeen> Verbs::epochs(std::string_view subject, Deadline deadline) const {
  const auto digest = digest_of(subject);
  const Step step{Sql::epochs, Parameters().bytes(digest)};
  const auto results = co_await ask(Intent::read, step, "reading an epoch", deadline);
  const auto number = [&](int column) { return as_unsigned(results.back().number(0, column).value_or(0)); };
  co_return EpochsSeen{number(0), number(1)};
}

Conversation<Done> Verbs::set_epoch(std::string_view subject, std::uint64_t epoch, Time until,
                                    Deadline deadline) const {
  const auto digest = digest_of(subject);
  const auto lock = subject.empty() ? lock_for("everyone", "") : lock_for("subject", subject);
  const std::array steps{
      Step{Sql::lock, Parameters().number(lock)},
      Step{Sql::set_epoch, Parameters().bytes(digest).number(as_signed(epoch)).number(milliseconds(until))}};
  (void)co_await ask(Intent::write, std::span(steps), "changing an epoch", deadline);
  co_return Done{};
}

}  // namespace sancho::postgresql
