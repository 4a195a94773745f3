// One connection, spoken to without blocking: each step waits for the socket and
// for the deadline, whichever comes first.
#pragma once

#include <mariadb/mysql.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sancho/stores/mysql.hpp"
#include "stores/mysql/failure.hpp"

namespace sancho::mysql {

// What one statement gave: rows, or how many it changed.
class Answer {
 public:
  explicit Answer(MYSQL_RES* rows) : rows_(rows) {}
  Answer(std::uint64_t changed, std::uint64_t insert_id) : changed_(changed), insert_id_(insert_id) {}

  // Rows whose contents are now another; one that was found and already was as
  // it should be does not count.
  std::uint64_t changed() const { return changed_; }
  // What LAST_INSERT_ID(n) was given.
  std::uint64_t insert_id() const { return insert_id_; }

  // Goes to the next row, the first at first; is there one?
  bool next();
  // A column of this row, or nothing for NULL. Lives until `next`.
  std::optional<std::string_view> text(unsigned column) const;
  // The same as a number, or nothing if it is none of the type's.
  std::optional<std::int64_t> integer(unsigned column) const;
  std::optional<std::uint64_t> natural(unsigned column) const;

 private:
  struct Free {
    void operator()(MYSQL_RES* r) const { mysql_free_result(r); }
  };
  std::unique_ptr<MYSQL_RES, Free> rows_;
  MYSQL_ROW row_ = nullptr;
  unsigned long* lengths_ = nullptr;
  std::uint64_t changed_ = 0, insert_id_ = 0;
};

// What a command does if it is carried out.
enum class Effect {
  none,    // changes nothing that stays: reads, settings, and what a transaction does before its commit
  writes,  // statements of their own that write, and a commit
};

class Connection {
 public:
  // Connects to this host, or to the socket. Throws `Failure`.
  Connection(const MysqlOptions& options, const MysqlHost& host, Deadline deadline);
  // Closes it and waits for nothing.
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Carries out one statement, or several parted by semicolons; one answer each.
  // The first that fails is the last. Throws `Failure`.
  std::vector<Answer> run(std::string_view sql, Effect effect, Deadline deadline);

  // May it be used again? Not after an answer that did not come, or one that
  // says that this server does not serve us.
  bool sound() const { return sound_; }
  // Did the server's last answer say that a transaction is under way?
  bool in_transaction() const;
  // Nobody knows what state it is in.
  void distrust() { sound_ = false; }
  // While it was idle: did the server close it?
  bool stale() const;
  // The process was forked: lets go of it without a word to the server.
  void abandon();

 private:
  // The connector's two halves of a step: `start()` and `cont(ready)` return what
  // they want to wait for, or 0 when they are through.
  template <class Start, class Cont>
  void drive(Start start, Cont cont, Deadline deadline);
  int wait_for(int wanted, Deadline deadline);
  [[noreturn]] void fail(Effect effect);

  MYSQL* mysql_ = nullptr;
  bool sound_ = true;
  bool timed_out_ = false;
};

}  // namespace sancho::mysql
