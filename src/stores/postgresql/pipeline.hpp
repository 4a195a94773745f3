// # What goes over one connection, without waiting for it
//
// All steps of a conversation leave in one packet and are one transaction: the
// server commits them when it reads the mark at their end (libpq's pipeline).
// Several conversations may be under way, one behind the other; each stands for
// itself, and what fails in one does nothing to the next. Each statement is
// prepared in the conversation of its first use, before anything else in it. So
// a conversation is one round trip, whatever it consists of.
//
// Used by one thread at a time. Who has a `Pipeline` waits for its socket
// (connection.hpp on a thread, async_postgresql/ on an event loop).
#pragma once

#include <libpq-fe.h>

#include <array>
#include <bitset>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stores/postgresql/sql.hpp"

namespace sancho::postgresql {

// Parameters of one statement, in the order of their numbers, in the binary
// formats of their types. Texts and bytes must outlive it.
class Parameters {
 public:
  Parameters& number(std::int64_t value);
  Parameters& boolean(bool value);
  Parameters& bytes(std::string_view value);

  // Takes copies of texts and bytes: then nothing needs to outlive it.
  void keep();

 private:
  friend class Pipeline;
  struct Value {
    std::string_view outside;
    std::array<char, 8> inside{};
    std::size_t size = 0;  // of what is inside; 0: it is outside
  };
  std::vector<Value> values_;
  std::shared_ptr<const char[]> kept_;
};

struct Step {
  Sql sql;
  Parameters parameters = {};
};

// The rows that a step gave.
class Result {
 public:
  explicit Result(PGresult* result) : result_(result) {}
  int rows() const { return PQntuples(result_.get()); }
  // Nothing for NULL, or where the type is another. Views live as long as this.
  std::optional<std::int64_t> number(int row, int column) const;
  std::optional<std::string_view> bytes(int row, int column) const;

 private:
  struct Clear {
    void operator()(PGresult* r) const { PQclear(r); }
  };
  std::unique_ptr<PGresult, Clear> result_;
};

// Why there is no answer.
struct Failure {
  std::string sqlstate = {};  // empty: no word from the server
  std::string what = {};      // the first line of what was said
  bool late = false;          // the deadline passed
  // The server may have committed: what was sent was complete, and no message
  // says that it failed.
  bool maybe_done = false;
  bool answered = false;  // it is there, and will not do
};

struct Reply {
  std::vector<Result> results = {};
  std::optional<Failure> failure = {};
};

struct Finish {
  void operator()(PGconn* c) const { PQfinish(c); }
};
using Established = std::unique_ptr<PGconn, Finish>;

class Pipeline {
 public:
  // Takes over a connection that libpq has established, not in pipeline mode.
  Pipeline(Established connection, const Statements& statements);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  // Puts a conversation behind those under way. Nothing of it is sent before
  // `flush`, if it is not large. If there is a failure, nothing was or will be
  // done.
  std::optional<Failure> put(std::span<const Step> steps);
  // SQL without parameters, one transaction; all results but as text. Nothing
  // else may be under way.
  std::optional<Failure> put_script(const std::string& sql);

  // Sends what can be sent at once. False: there is more, wait until the socket
  // can be written to, or read from.
  bool flush();
  // Takes in what has come.
  void consume();
  // The reply to the oldest conversation, if all of it has been taken in or the
  // connection is broken; then all that are under way have one, and a failure.
  std::optional<Reply> next();
  // It is broken from now on, and no other words come from it than these.
  void give_up(Failure why);

  std::size_t under_way() const { return asked_.size(); }
  // May it be used for more? Not if it broke, or the server has said farewell.
  bool sound() const { return !broken_ && !doomed_; }
  // Is one that lies idle alive, as far as can be seen without waiting?
  bool fit();

  int socket() const { return PQsocket(connection_.get()); }
  int server_version() const { return PQserverVersion(connection_.get()); }

 private:
  // What results are to come for one conversation.
  struct Asked {
    std::vector<Sql> prepared;
    std::size_t steps = 0;  // 0: a script
    std::size_t seen = 0;   // results of either kind
  };
  bool put_step(const Step& step);
  bool take(PGresult* raw);
  void take_error(const PGresult* raw);
  Reply finish();
  static void hear(void* self, const PGresult* notice);

  Established connection_;
  const Statements& statements_;
  std::bitset<sql_count> prepared_;  // or about to be
  std::deque<Asked> asked_;
  Reply reply_;          // to the first of them, so far
  bool doomed_ = false;  // the server said that it is about to close it
  bool broken_ = false;
  Failure why_;  // ... what that comes to for those of whom nothing else is known
};

// The first line of libpq's words, and the server's code if there is one in them.
Failure failure_of(const PGconn* connection);

}  // namespace sancho::postgresql
