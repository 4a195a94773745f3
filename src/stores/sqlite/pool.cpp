#include "stores/sqlite/pool.hpp"

#include <thread>

#include "base/fork_page.hpp"
#include "stores/reserve.hpp"
#include "stores/sqlite/place.hpp"
#include "stores/sqlite/schema.hpp"

namespace sancho::sqlite {

namespace {
// Changing the journal's mode needs the file for itself, and SQLite gives up at
// once where two would wait for each other.
void enter_wal_mode(Connection& c, const std::string& store) {
  constexpr const char* doing = "turning WAL on";
  std::string mode;
  while ((mode = c.text("PRAGMA journal_mode", doing)) != "wal") {
    try {
      mode = c.text("PRAGMA journal_mode = wal", doing);
      if (mode == "wal") return;
      throw StoreError(Trouble::refused, store + ": WAL cannot be had there (the mode stays " + mode + "); use a local file system");
    } catch (const StoreError& e) {
      if (e.kind() != Trouble::unavailable || c.deadline().passed()) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds{2});
  }
}
}  // namespace

Pool::Pool(std::string path, const SqliteOptions& options)
    : path_(std::move(path)), name_("sqlite:" + path_), options_(options), owner_(this_process()), access_(Access::write) {
  if (options_.read_only) access_ = Access::read;
  else make_file(path_, name_);
  file_ = file_id(path_, name_);
  if (on_frozen_file_system(path_)) access_ = Access::immutable;
  note_open(file_, name_);
  try {
    if ((*take(Deadline::after(options_.open_timeout), Use::write)).read_only() && access_ == Access::write) access_ = Access::read;
    setup(Deadline::after(options_.open_timeout));
  } catch (...) {
    close_all();
    note_closed(file_);
    throw;
  }
}

// In a child, the connections are the parent's: even closing them would do harm.
Pool::~Pool() {
  if (this_process() != owner_) return;
  close_all();
  note_closed(file_);
}

void Pool::close_all() noexcept {
  delete for_several_.exchange(nullptr);
  while (auto* connection = idle_.take()) delete connection;
}

void Pool::setup(Deadline deadline) {
  const Turn turn(*this, deadline);
  const auto lease = take(deadline, Use::write);
  Connection& c = *lease;
  c.run("BEGIN", "looking at its schema");  // one view of it, whoever else sets it up
  const auto found = inspect(c, name_);
  c.run("COMMIT", "looking at its schema");
  if (read_only()) {
    if (found == Found::current) return;
    throw StoreError(Trouble::refused, name_ + ": it is read-only and has not the schema of this version; open it once for writing");
  }
  enter_wal_mode(c, name_);
  if (found != Found::current) migrate(c, name_);
  see_to_reserve();
}

// ## Room

void Pool::make_room(Deadline deadline) {
  const Turn turn(*this, deadline);
  const auto lease = take(deadline, Use::write);
  if ((*lease).checkpoint()) return;
  spend_reserve(reserve_of(path_));
  (*lease).checkpoint();
}

void Pool::limit(Connection& c, std::uint32_t pages) const {
  if (options_.max_pages > 0 && access_ == Access::write)
    c.run(("PRAGMA max_page_count = " + std::to_string(pages)).c_str(), "limiting its size");
}

Pool::LastPages::LastPages(const Pool& pool, Connection& connection) : pool_(pool), connection_(connection) {
  pool_.limit(connection_, pool_.options_.max_pages);
}

Pool::LastPages::~LastPages() {
  try {
    pool_.limit(connection_, pool_.usual_pages());
  } catch (const StoreError&) {
    // A connection that fails at this is not used again.
  }
}

void Pool::see_to_reserve() noexcept { keep_reserve(reserve_of(path_), reserve_size); }

// ## Connections

void Pool::require_own_process() const {
  if (this_process() == owner_) return;
  throw StoreError(Trouble::refused, name_ + ": it was opened before this process was forked; open it after forking, not before");
}

// A file that was deleted or replaced under an open connection goes on taking
// writes, and then they are gone.
void Pool::require_same_file() const {
  if (file_id(path_, name_) == file_) return;
  throw StoreError(Trouble::unavailable, name_ + ": the file was replaced while it was open; start this program anew");
}

std::unique_ptr<Connection> Pool::open(Deadline deadline) const {
  constexpr const char* doing = "opening it";
  auto c = std::make_unique<Connection>(path_, access_, deadline);
  c->run("PRAGMA trusted_schema = off", doing);
  const bool full = options_.synchronous == SqliteOptions::Synchronous::full;
  c->run(full ? "PRAGMA synchronous = full" : "PRAGMA synchronous = normal", doing);
  c->run(("PRAGMA wal_autocheckpoint = " + std::to_string(wal_pages)).c_str(), doing);
  limit(*c, usual_pages());
  return c;
}

Pool::Lease Pool::take(Deadline deadline, Use use) {
  require_own_process();
  const auto tick = coarse_now();
  if (use != Use::read || !same_file_.seen(tick)) {
    same_file_.forget();  // should it not be: then the next call looks again
    require_same_file();
    same_file_.note(tick);
  }
  if (has_passed(deadline.at(), tick)) throw StoreError(Trouble::unavailable, name_ + ": the deadline had passed before it began");
  std::unique_ptr<Connection> connection(use == Use::write_for_several ? for_several_.exchange(nullptr) : nullptr);
  if (!connection) connection.reset(idle_.take());
  if (!connection) connection = open(deadline);
  connection->set_deadline(deadline);
  return {*this, std::move(connection), use};
}

void Pool::give_back(std::unique_ptr<Connection> connection, Use use) {
  if (!connection->sound() || connection->in_transaction()) return;
  Connection* none = nullptr;
  const bool kept = use == Use::write_for_several && for_several_.compare_exchange_strong(none, connection.get());
  if (kept || idle_.give(connection.get())) static_cast<void>(connection.release());
}

// ## Turns

bool Pool::enter(WriteQueue::Place& place) {
  require_own_process();  // in a child, the lock may be held for ever
  const auto turn = queue_.enter(place);
  if (turn == WriteQueue::Turn::late)
    throw StoreError(Trouble::unavailable, name_ + ": the deadline passed while other writers of this process were busy");
  return turn == WriteQueue::Turn::lead;
}

}  // namespace sancho::sqlite
