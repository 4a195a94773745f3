#include "stores/sqlite/group_writer.hpp"

#include <optional>

namespace sancho::sqlite {

namespace {
// So that who leads comes to an end, and the WAL grows by no more at once than the
// reserve allows for (place.hpp).
constexpr std::size_t most_writes = 32;
constexpr std::size_t most_bytes = 128 * 1024;

Write& write_at(WriteQueue::Place* place) { return static_cast<Write&>(*place); }
}  // namespace

GroupWriter::GroupWriter(Pool& pool) : pool_(pool) { others_.reserve(most_writes); }

// Whoever led and was thrown off its way has left neither: then nobody knows.
void GroupWriter::run(Write& write) {
  if (pool_.enter(write)) lead(write);
  if (write.trouble_) std::rethrow_exception(write.trouble_);
  if (!write.kept_) throw StoreError(Trouble::unavailable, pool_.name() + ": " + write.doing_ + ": another thread failed at it", true);
}

void GroupWriter::lead(Write& own) {
  others_.clear();
  struct End {
    GroupWriter& writer;
    ~End() { writer.pool_.leave(writer.others_, writer.patience()); }
  };
  const End end{*this};
  while (!together(own)) {
    pool_.put_back(others_);
    others_.clear();
    own.stay_alone();
  }
}

// One transaction. False if it was undone for what only some of its writes, or all
// of them together, did; then nobody's is done. Throws its own trouble.
bool GroupWriter::together(Write& own) {
  const auto lease = pool_.take(own.deadline(), had_company_ ? Pool::Use::write_for_several : Pool::Use::write);
  std::optional<Pool::LastPages> last;
  if (own.how_.room == Room::all) last.emplace(pool_, *lease);
  Transaction transaction(*lease, own.doing_);
  own.trouble_ = nullptr;  // what it met in a group that was undone
  own.act(*lease);
  if (!own.alone() && !gather(*lease, own)) return false;
  try {
    commit(transaction);
  } catch (const StoreError& e) {
    if (!others_.empty() && !e.maybe_done()) return false;
    doubt(e);
    throw;
  }
  own.kept_ = true;
  had_company_ = !others_.empty();
  for (auto* other : others_) write_at(other).kept_ = true;
  return true;
}

// Also takes along who comes while it does. False if the transaction is lost.
bool GroupWriter::gather(Connection& connection, const Write& own) {
  auto bytes = own.how_.bytes;
  while (others_.size() + 1 < most_writes && bytes < most_bytes && !own.deadline().passed()) {
    auto* place = pool_.follow();
    if (!place) break;
    others_.push_back(place);
    auto& other = write_at(place);
    bytes += other.how_.bytes;
    if (!harmless(connection, other)) return false;
  }
  connection.set_deadline(own.deadline());
  return true;
}

void GroupWriter::commit(Transaction& transaction) {
  if (others_.empty()) return transaction.commit();
  const auto begin = Deadline::Steady::now();
  transaction.commit();
  commit_takes_ = Deadline::Steady::now() - begin;
}

// A commit that is not much slower than waking somebody is worth no wait.
Deadline::Steady::duration GroupWriter::patience() const {
  return commit_takes_ < std::chrono::microseconds{100} ? commit_takes_.zero() : commit_takes_;
}

// Of what fails by itself SQLite leaves nothing, or it undoes the whole transaction.
bool GroupWriter::harmless(Connection& connection, Write& other) {
  const auto before = connection.total_changes();
  connection.set_deadline(other.deadline());
  other.trouble_ = nullptr;
  try {
    other.act(connection);
    return true;
  } catch (...) {
    other.trouble_ = std::current_exception();
  }
  return connection.sound() && connection.in_transaction() && connection.total_changes() == before;
}

// Each gets one of its own: an exception that two threads have is shared memory.
void GroupWriter::doubt(const StoreError& trouble) {
  for (auto* other : others_)
    write_at(other).trouble_ = std::make_exception_ptr(StoreError(trouble.kind(), std::string(trouble.what()), true));
}

}  // namespace sancho::sqlite
