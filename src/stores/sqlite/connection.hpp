// One connection to a database: opened so that it waits for others no longer
// than its caller's deadline, with its statements prepared once, and with every
// failure turned into a `StoreError`. Used by one thread at a time.
#pragma once

#include <sqlite3.h>

#include <array>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "sancho/error.hpp"
#include "sancho/time.hpp"
#include "stores/sqlite/sql.hpp"

namespace sancho::sqlite {

// How a file is opened. `immutable` is for file systems that are mounted
// read-only, where the shared memory of WAL can be neither made nor needed.
enum class Access { write, read, immutable };

// Values of a row as SQLite has them, which live until it goes on; nothing where the
// type is another.
std::optional<std::int64_t> integer_of(sqlite3_value* value);
std::optional<std::string_view> blob_of(sqlite3_value* value);
std::optional<std::string_view> text_of(sqlite3_value* value);

// Decides on a row in the middle of a statement whose SQL asks `sancho_stands(…)`,
// so that a row need not be searched for twice, to look at it and to write it.
class Judge {
 public:
  // With what the SQL passes, in its order. Does not ask the connection for
  // anything. What it throws, the query's `step` throws.
  virtual bool stands(std::span<sqlite3_value*> values) = 0;

 protected:
  ~Judge() = default;
};

class Connection {
 public:
  // `path` is absolute. Throws `StoreError`.
  Connection(const std::string& path, Access access, Deadline deadline);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Until when the calls that follow may wait and work.
  void set_deadline(Deadline deadline) { patience_.deadline = deadline; }
  Deadline deadline() const { return patience_.deadline; }

  // SQL that is run once, without parameters.
  void run(const char* sql, const char* doing);
  // The same; the first column of the first row, as a number or as text.
  std::int64_t number(const char* sql, const char* doing);
  std::string text(const char* sql, const char* doing);

  // Did SQLite have to open the file read-only?
  bool read_only() const { return sqlite3_db_readonly(db_.get(), "main") == 1; }
  // False after a failure that makes the connection not worth keeping.
  bool sound() const { return sound_; }
  int changes() const { return sqlite3_changes(db_.get()); }
  // Since it was opened.
  int total_changes() const { return sqlite3_total_changes(db_.get()); }
  bool in_transaction() const { return sqlite3_get_autocommit(db_.get()) == 0; }
  // Moves what the WAL holds into the database, so that the next write begins
  // the WAL's file from its start. False if that failed.
  bool checkpoint() noexcept;

  // Throws what this result of SQLite means. `maybe_done`: an I/O error now
  // leaves it open whether the write is on the disk.
  [[noreturn]] void fail(int rc, const char* doing, bool maybe_done = false);

 private:
  friend class Query;
  friend class Transaction;
  sqlite3_stmt* prepared(Sql sql, const char* doing);

  static void ask_judge(sqlite3_context* context, int size, sqlite3_value** values);

  // What the busy handler and the progress handler look at.
  struct Patience {
    Deadline deadline;
    static int wait(void* self, int tries);
    static int overdue(void* self);
  };
  struct Close {
    void operator()(sqlite3* db) const { sqlite3_close_v2(db); }
  };
  struct Finalize {
    void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); }
  };
  using Statement = std::unique_ptr<sqlite3_stmt, Finalize>;
  Statement compile(std::string_view sql, unsigned flags, const char* doing);

  std::string path_;
  Patience patience_;
  bool sound_ = true;
  Judge* judge_ = nullptr;  // of the step that runs
  std::exception_ptr judge_threw_;
  std::unique_ptr<sqlite3, Close> db_;
  std::array<Statement, sql_count> statements_;  // goes before db_ does
};

// One use of a prepared statement: bind, step, read; reset when it goes. What
// is bound must outlive it; the views it gives live until the next step.
class Query {
 public:
  Query(Connection& connection, Sql sql, const char* doing);
  ~Query();
  Query(const Query&) = delete;
  Query& operator=(const Query&) = delete;

  // Parameters, in the order of their numbers.
  Query& bind(std::int64_t value);
  Query& bind_blob(std::string_view value);
  Query& bind_text(std::string_view value);

  // True while there is a row. Throws `StoreError`.
  bool step();
  // The same of a statement that asks for a judge.
  bool step(Judge& judge);

  // Columns of the row, or nothing if the type is another.
  std::optional<std::int64_t> integer(int column) const;
  std::optional<std::string_view> blob(int column) const;
  std::optional<std::string_view> text(int column) const;

 private:
  void check(int rc);
  bool is_row(int rc);
  Connection& connection_;
  sqlite3_stmt* statement_;
  const char* doing_;
  int next_ = 1;
};

// `BEGIN IMMEDIATE`: the write lock is had at once or not at all, so that what
// is read inside is still true when it is written. Rolled back unless committed.
class Transaction {
 public:
  Transaction(Connection& connection, const char* doing);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  // Returns when it is as durable as the database promises.
  void commit();

 private:
  Connection& connection_;
  const char* doing_;
};

}  // namespace sancho::sqlite
