#include "stores/sqlite/sqlite_store.hpp"

#include <algorithm>

#include "stores/sqlite/row.hpp"

namespace sancho {

std::unique_ptr<SessionStore> open_sqlite_store(const std::filesystem::path& path, const SqliteOptions& options, const Clock& clock) {
  const auto& text = path.native();
  if (text.empty() || text.find('\0') != text.npos)
    throw ConfigError("sqlite: needs the path of a file, such as sqlite:sessions.db");
  if (text == ":memory:") throw ConfigError("sqlite: keeps sessions in a file; for a store in memory write memory:");
  if (options.max_pages != 0 && options.max_pages < 16) throw ConfigError("sqlite: max_pages must be 16 or more, or 0 for no limit");
  // Absolute, so that it is the same file after a change of directory.
  return std::make_unique<sqlite::SqliteStore>(std::filesystem::absolute(path).native(), options, clock);
}

namespace sqlite {

StoreTraits SqliteStore::traits() const {
  return {.thread_safe = true,
          .multiprocess_safe = true,
          .durable = true,
          .power_safe = options_.synchronous == SqliteOptions::Synchronous::full,
          .linearizable = true,
          .keeps = true};
}

void SqliteStore::require_writable_store() const {
  if (pool_.read_only()) throw StoreError(Trouble::refused, name() + ": it was opened read-only, or this process may not write it");
}

std::optional<SqliteStore::Found> SqliteStore::read(Connection& c, const SessionKey& key, const char* doing) const {
  return with_row(c, key, pool_.name(), doing, [&](const Row& row) { return Found{row.intact_view(pool_.name()).copy(), row.bucket()}; });
}

// ## The verbs

bool SqliteStore::load_into(const SessionKey& key, Record& record, Deadline deadline) {
  const auto lease = pool_.take(deadline, Pool::Use::read);
  const auto there = with_row(*lease, key, pool_.name(), "loading a session", [&](const Row& row) {
    const auto view = row.intact_view(pool_.name());
    if (clock_.passed(view.expires())) return false;
    view.copy_to(record);
    return true;
  });
  return there == true;
}

std::optional<Record> SqliteStore::load(const SessionKey& key, Deadline deadline) {
  std::optional<Record> record(std::in_place);
  if (!load_into(key, *record, deadline)) record.reset();
  return record;
}

CreateAnswer SqliteStore::create(const SessionKey& key, const Record& record, Deadline deadline, const Admission* admission) {
  if (admission && record.subject.empty())
    throw StoreError(Trouble::refused, name() + ": an admission is for a record with a subject");
  require_writable(record, pool_.name());
  constexpr const char* doing = "creating a session";
  return write(deadline, doing, [&](Connection& c) -> CreateAnswer {
    // The row is looked at only where it, or the user's other sessions, are in the way.
    const auto no = admission ? refusal(c, record, *admission) : std::nullopt;
    if (!no && insert_row(c, key, record, doing)) return Done{};
    auto current = read(c, key, doing);
    if (current && !current->record.expired(clock_.now())) return Taken{std::move(current->record)};
    if (no) return *no;
    replace_row(c, current ? current->bucket : free_bucket(c, key, doing), key, record, doing);
    return Done{};
  }, {.bytes = record.payload.size()});
}

// A full disk must not keep anybody logged in. A tombstone needs no room for
// good, only on the way: when there was none, the next attempt does not move the
// row in the sweep's queue, which is the one thing that may take a page more
// (the sweep comes by a little later then); the one after that makes room.
CommitAnswer SqliteStore::commit(const SessionKey& key, const Version& expected, const Record& record, Deadline deadline) {
  require_writable(record, pool_.name());
  if (record.state != State::ended) return try_commit(key, expected, record, Due::move, Room::usual, deadline);
  try {
    return try_commit(key, expected, record, Due::move, Room::usual, deadline);
  } catch (const StoreError& e) {
    if (e.kind() != Trouble::full || e.maybe_done()) throw;
  }
  return freeing(deadline, [&](Room room) { return try_commit(key, expected, record, Due::keep, room, deadline); });
}

// What becomes of a commit, decided on the row where it stands.
class SqliteStore::Verdict final : public RowJudge {
 public:
  Verdict(const SqliteStore& store, const SessionKey& key, const Version& expected, const Record& record, Due due)
      : RowJudge(key, store.pool_.name()), store_(store), expected_(expected), record_(record), due_(due) {}

  CommitAnswer answer = Gone{};
  Time accessed{};
  bool sooner = false;

 private:
  // Does the row take the commit as it is, staying where it is in the sweep's queue?
  bool gives_way(const RecordView& current) override {
    if (current.expired(store_.clock_.now())) return false;
    if (current.version != expected_) return answer = Conflict{current.copy()}, false;
    if (current.subject != record_.subject) throw StoreError(Trouble::refused, store_.name() + ": a commit may not change the subject");
    answer = Done{};
    accessed = std::max(record_.accessed, current.accessed);
    sooner = due_ == Due::move && record_.expires_if_accessed(accessed) < current.expires();
    return !sooner;
  }

  const SqliteStore& store_;
  const Version& expected_;
  const Record& record_;
  Due due_;
};

CommitAnswer SqliteStore::try_commit(const SessionKey& key, const Version& expected, const Record& record, Due due, Room room, Deadline deadline) {
  constexpr const char* doing = "committing a session";
  const auto bytes = packed(key, record);
  return write(deadline, doing, [&](Connection& c) -> CommitAnswer {
    Verdict verdict(*this, key, expected, record, due);
    const auto bind = [&](Query& update) { update.bind(milliseconds(record.accessed)).bind_blob(bytes); };
    const auto bucket = change_row(c, Sql::commit_here, doing, verdict, bind);
    if (verdict.sooner) {
      Query update(c, Sql::commit_sooner, doing);
      update.bind(bucket).bind(milliseconds(verdict.accessed)).bind_blob(bytes);
      update.bind(milliseconds(record.expires_if_accessed(verdict.accessed))).step();
    }
    return std::move(verdict.answer);
  }, {.bytes = record.payload.size(), .room = room});
}

// What becomes of a touch, decided likewise.
class SqliteStore::Raise final : public RowJudge {
 public:
  Raise(const SqliteStore& store, const SessionKey& key, std::uint64_t incarnation, Time accessed)
      : RowJudge(key, store.pool_.name()), now_(store.clock_.now()), incarnation_(incarnation), accessed_(accessed) {}

  TouchAnswer answer = Gone{};

 private:
  bool gives_way(const RecordView& current) override {
    if (current.state != State::live || current.version.incarnation != incarnation_ || current.expired(now_)) return false;
    answer = Done{};
    return current.accessed < accessed_;
  }

  Time now_;
  std::uint64_t incarnation_;
  Time accessed_;
};

TouchAnswer SqliteStore::touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline) {
  constexpr const char* doing = "touching a session";
  return write(deadline, doing, [&](Connection& c) -> TouchAnswer {
    Raise raise(*this, key, incarnation, accessed);
    change_row(c, Sql::touch, doing, raise, [&](Query& update) { update.bind(milliseconds(accessed)); });
    return raise.answer;
  });
}

EraseAnswer SqliteStore::erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline) {
  constexpr const char* doing = "erasing a session";
  const auto act = [&](Connection& c) -> EraseAnswer {
    auto current = read(c, key, doing);
    if (!current || current->record.expired(clock_.now())) return Absent{};
    if (expected && current->record.version != *expected) return Conflict{std::move(current->record)};
    remove_row(c, current->bucket, doing);
    return Removed{std::move(current->record)};
  };
  return freeing(deadline, [&](Room room) { return write(deadline, doing, act, {.room = room}); });
}

}  // namespace sqlite
}  // namespace sancho
