#include "stores/sqlite/sqlite_store.hpp"

#include <algorithm>
#include <bit>

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

std::optional<Record> SqliteStore::read(Connection& c, const SessionKey& key, const char* doing) const {
  return look(c, key, doing, [](const RowView& row) { return row.copy(); });
}

// ## The verbs

bool SqliteStore::load_into(const SessionKey& key, Record& record, Deadline deadline) {
  const auto lease = pool_.take(deadline, Pool::Use::read);
  const auto there = look(*lease, key, "loading a session", [&](const RowView& row) {
    if (clock_.passed(row.head.expires())) return false;
    row.copy_to(record);
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
    if (!no) {
      Query insert(c, Sql::insert, doing);
      bind_new(insert, key, record);
      insert.step();
      if (c.changes() == 1) return Done{};
    }
    auto current = read(c, key, doing);
    if (current && !current->expired(clock_.now())) return Taken{*std::move(current)};
    if (no) return *no;
    Query replace(c, Sql::replace, doing);
    bind_new(replace, key, record);
    replace.step();
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
class SqliteStore::Verdict final : public Judge {
 public:
  Verdict(const SqliteStore& store, const Version& expected, const Record& record, Due due)
      : store_(store), expected_(expected), record_(record), due_(due) {}

  // Does the row take the commit as it is, staying where it is in the sweep's queue?
  bool stands(std::span<sqlite3_value*> values) override {
    const auto current = intact_view_of(values, store_.pool_.name());
    if (current.head.expired(store_.clock_.now())) return false;
    if (current.head.version != expected_) return answer = Conflict{current.copy()}, false;
    if (current.subject != record_.subject) throw StoreError(Trouble::refused, store_.name() + ": a commit may not change the subject");
    answer = Done{};
    accessed = std::max(record_.accessed, current.head.accessed);
    sooner = due_ == Due::move && record_.expires_if_accessed(accessed) < current.head.expires();
    return !sooner;
  }

  CommitAnswer answer = Gone{};
  Time accessed{};
  bool sooner = false;

 private:
  const SqliteStore& store_;
  const Version& expected_;
  const Record& record_;
  Due due_;
};

CommitAnswer SqliteStore::try_commit(const SessionKey& key, const Version& expected, const Record& record, Due due, Room room, Deadline deadline) {
  constexpr const char* doing = "committing a session";
  return write(deadline, doing, [&](Connection& c) -> CommitAnswer {
    Verdict verdict(*this, expected, record, due);
    {
      Query update(c, Sql::commit_here, doing);
      bind_commit(update, key, record, record.accessed);
      update.step(verdict);
    }
    if (verdict.sooner) {
      Query update(c, Sql::commit_sooner, doing);
      bind_commit(update, key, record, verdict.accessed);
      update.bind(milliseconds(record.expires_if_accessed(verdict.accessed)));
      update.step();
    }
    return std::move(verdict.answer);
  }, {.bytes = record.payload.size(), .room = room});
}

TouchAnswer SqliteStore::touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline) {
  constexpr const char* doing = "touching a session";
  return write(deadline, doing, [&](Connection& c) -> TouchAnswer {
    const auto now = clock_.now();
    Query raise(c, Sql::touch, doing);
    raise.bind_blob(key.bytes()).bind(std::bit_cast<std::int64_t>(incarnation)).bind(milliseconds(accessed)).bind(milliseconds(now));
    raise.step();
    if (c.changes() == 1) return Done{};
    const auto current = read(c, key, doing);
    const bool there = current && current->state == State::live && current->version.incarnation == incarnation && !current->expired(now);
    if (!there) return Gone{};
    return Done{};  // accessed later than that already
  });
}

EraseAnswer SqliteStore::erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline) {
  constexpr const char* doing = "erasing a session";
  const auto act = [&](Connection& c) -> EraseAnswer {
    auto current = read(c, key, doing);
    if (!current || current->expired(clock_.now())) return Absent{};
    if (expected && current->version != *expected) return Conflict{*std::move(current)};
    Query(c, Sql::erase, doing).bind_blob(key.bytes()).step();
    return Removed{*std::move(current)};
  };
  return freeing(deadline, [&](Room room) { return write(deadline, doing, act, {.room = room}); });
}

}  // namespace sqlite
}  // namespace sancho
