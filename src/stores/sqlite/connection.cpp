#include "stores/sqlite/connection.hpp"

#include <algorithm>
#include <cerrno>
#include <thread>
#include <utility>

namespace sancho::sqlite {

// ## Patience
//
// SQLite asks again and again while another connection is in the way. Short
// naps first, because most writers are quick; never beyond the deadline.

int Connection::Patience::wait(void* self, int tries) {
  const auto& patience = *static_cast<Patience*>(self);
  const auto left = patience.deadline.at() - Deadline::Steady::now();
  if (left <= left.zero()) return 0;
  const std::chrono::steady_clock::duration nap = std::chrono::microseconds{50 << std::min(tries, 6)};
  std::this_thread::sleep_for(std::min(nap, left));
  return 1;
}

int Connection::Patience::overdue(void* self) { return static_cast<Patience*>(self)->deadline.passed() ? 1 : 0; }

// ## Opening

namespace {
std::string as_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') uri += c == '%' ? "%25" : c == '?' ? "%3f" : "%23";
    else uri += c;
  }
  return uri + "?immutable=1";
}
}  // namespace

Connection::Connection(const std::string& path, Access access, Deadline deadline) : path_(path), patience_{deadline} {
  sqlite3* db = nullptr;
  int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  flags |= access == Access::write ? SQLITE_OPEN_READWRITE : SQLITE_OPEN_READONLY;
  if (access == Access::immutable) flags |= SQLITE_OPEN_URI;
  const int rc = sqlite3_open_v2(access == Access::immutable ? as_uri(path).c_str() : path.c_str(), &db, flags, nullptr);
  db_.reset(db);
  // Before anything else is asked of it: until there is a busy handler, the
  // first encounter with another writer is an error.
  if (db) sqlite3_busy_handler(db, Patience::wait, &patience_);
  if (rc != SQLITE_OK) fail(rc, "opening it");
  sqlite3_progress_handler(db, 2000, Patience::overdue, &patience_);
  const int made = sqlite3_create_function_v2(db, "sancho_stands", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY, this, ask_judge, nullptr, nullptr, nullptr);
  if (made != SQLITE_OK) fail(made, "opening it");
}

// ## Statements

Connection::Statement Connection::compile(std::string_view sql, unsigned flags, const char* doing) {
  sqlite3_stmt* s = nullptr;
  const int rc = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()), flags, &s, nullptr);
  if (rc != SQLITE_OK) fail(rc, doing);
  return Statement{s};
}

sqlite3_stmt* Connection::prepared(Sql sql, const char* doing) {
  auto& slot = statements_[static_cast<std::size_t>(sql)];
  if (!slot) slot = compile(text_of(sql), SQLITE_PREPARE_PERSISTENT, doing);
  return slot.get();
}

void Connection::run(const char* sql, const char* doing) {
  const int rc = sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr);
  if (rc != SQLITE_OK) fail(rc, doing);
}

std::int64_t Connection::number(const char* sql, const char* doing) {
  const auto s = compile(sql, 0, doing);
  const int rc = sqlite3_step(s.get());
  if (rc != SQLITE_ROW) fail(rc, doing);
  return sqlite3_column_int64(s.get(), 0);
}

std::string Connection::text(const char* sql, const char* doing) {
  const auto s = compile(sql, 0, doing);
  const int rc = sqlite3_step(s.get());
  if (rc == SQLITE_DONE) return {};
  if (rc != SQLITE_ROW) fail(rc, doing);
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(s.get(), 0));
  return text ? text : "";
}

bool Connection::checkpoint() noexcept {
  return sqlite3_wal_checkpoint_v2(db_.get(), "main", SQLITE_CHECKPOINT_RESTART, nullptr, nullptr) == SQLITE_OK;
}

// ## Failures
//
// Damage of the whole file is *unavailable*, not *corrupt*: *corrupt* says that
// one record is lost and its visitor may start anew, and a broken disk must not
// log everybody out.

namespace {
struct Meaning {
  Trouble kind;
  const char* advice;
  bool sound = true;  // is the connection worth keeping?
};

Meaning meaning_of(int rc, int system_error) {
  switch (rc & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {Trouble::unavailable, "; another connection was in the way until the deadline"};
    case SQLITE_INTERRUPT: return {Trouble::unavailable, "; the deadline passed"};
    case SQLITE_FULL: return {Trouble::full, "; nothing was written: make room, or raise max_pages if it is set"};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return {Trouble::refused, "; this process may not write the file, its directory, or its -wal and -shm files"};
    case SQLITE_TOOBIG: return {Trouble::refused, "; the record is larger than SQLite can keep"};
    case SQLITE_CANTOPEN:
      return {Trouble::unavailable, "; see that the path is right and that this process may write the file and its directory"};
    case SQLITE_NOTADB: return {Trouble::unavailable, "; name another file, or restore this one from a backup", false};
    case SQLITE_CORRUPT: return {Trouble::unavailable, "; the file is damaged: restore it from a backup", false};
    case SQLITE_IOERR:
      if (system_error == ENOSPC || system_error == EDQUOT) return {Trouble::full, "; no room on the file system", false};
      return {Trouble::unavailable, "; see the system's log for what is wrong with the disk", false};
    default: return {Trouble::unavailable, "", false};
  }
}
}  // namespace

void Connection::fail(int rc, const char* doing, bool maybe_done) {
  const auto meaning = meaning_of(rc, db_ ? sqlite3_system_errno(db_.get()) : 0);
  if (!meaning.sound) sound_ = false;
  const bool in_doubt = maybe_done && !meaning.sound;
  throw StoreError(meaning.kind, "sqlite:" + path_ + ": " + doing + ": " + sqlite3_errstr(rc) + meaning.advice, in_doubt);
}

// ## Query

Query::Query(Connection& connection, Sql sql, const char* doing)
    : connection_(connection), statement_(connection.prepared(sql, doing)), doing_(doing) {}

// What was bound points to what is about to go. It is not cleared, since SQLite looks
// at it in a step only, and every use binds all anew.
Query::~Query() { sqlite3_reset(statement_); }

void Query::check(int rc) {
  if (rc != SQLITE_OK) connection_.fail(rc, doing_);
}

Query& Query::bind(std::int64_t value) {
  check(sqlite3_bind_int64(statement_, next_++, value));
  return *this;
}

// A null pointer would bind NULL where an empty value is meant.
Query& Query::bind_blob(std::string_view value) {
  check(sqlite3_bind_blob64(statement_, next_++, value.empty() ? "" : value.data(), value.size(), SQLITE_STATIC));
  return *this;
}

Query& Query::bind_text(std::string_view value) {
  check(sqlite3_bind_text64(statement_, next_++, value.empty() ? "" : value.data(), value.size(), SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

bool Query::step() { return is_row(sqlite3_step(statement_)); }

bool Query::is_row(int rc) {
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  connection_.fail(rc, doing_);
}

// The value is fetched once. It may be used so because one thread uses the connection.
std::optional<std::int64_t> Query::integer(int column) const { return integer_of(sqlite3_column_value(statement_, column)); }
std::optional<std::string_view> Query::blob(int column) const { return blob_of(sqlite3_column_value(statement_, column)); }
std::optional<std::string_view> Query::text(int column) const { return sqlite::text_of(sqlite3_column_value(statement_, column)); }

std::optional<std::int64_t> integer_of(sqlite3_value* value) {
  if (sqlite3_value_type(value) != SQLITE_INTEGER) return std::nullopt;
  return sqlite3_value_int64(value);
}

std::optional<std::string_view> blob_of(sqlite3_value* value) {
  if (sqlite3_value_type(value) != SQLITE_BLOB) return std::nullopt;
  const auto* bytes = static_cast<const char*>(sqlite3_value_blob(value));
  return std::string_view(bytes, static_cast<std::size_t>(sqlite3_value_bytes(value)));
}

std::optional<std::string_view> text_of(sqlite3_value* value) {
  if (sqlite3_value_type(value) != SQLITE_TEXT) return std::nullopt;
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_value_text(value));
  return std::string_view(bytes, static_cast<std::size_t>(sqlite3_value_bytes(value)));
}

// ## The judge

// An exception must not pass through SQLite. The row does not stand then, and the
// statement changes nothing.
void Connection::ask_judge(sqlite3_context* context, int size, sqlite3_value** values) {
  auto& self = *static_cast<Connection*>(sqlite3_user_data(context));
  bool stands = false;
  try {
    stands = self.judge_ && self.judge_->stands({values, static_cast<std::size_t>(size)});
  } catch (...) {
    self.judge_threw_ = std::current_exception();
  }
  sqlite3_result_int(context, stands ? 1 : 0);
}

bool Query::step(Judge& judge) {
  connection_.judge_ = &judge;
  const int rc = sqlite3_step(statement_);
  connection_.judge_ = nullptr;
  if (connection_.judge_threw_) std::rethrow_exception(std::exchange(connection_.judge_threw_, nullptr));
  return is_row(rc);
}

// ## Transaction

Transaction::Transaction(Connection& connection, const char* doing) : connection_(connection), doing_(doing) {
  Query(connection, Sql::begin, doing).step();
}

// Once it has begun, an I/O error may come after the last byte was written.
void Transaction::commit() {
  sqlite3_stmt* commit = connection_.prepared(Sql::commit, doing_);
  const int rc = sqlite3_step(commit);
  sqlite3_reset(commit);
  if (rc != SQLITE_DONE) connection_.fail(rc, doing_, true);
}

Transaction::~Transaction() {
  if (!connection_.in_transaction()) return;
  try {
    Query(connection_, Sql::rollback, doing_).step();
  } catch (const StoreError&) {
    // The connection is unsound then, and closing it rolls back too.
  }
}

}  // namespace sancho::sqlite
