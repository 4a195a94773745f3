#include "stores/mysql/talk.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace sancho::mysql {

Talk::~Talk() {
  if (!in_transaction_) return;
  try {
    if (connection_.sound()) connection_.run("ROLLBACK", Effect::none, deadline_);
  } catch (const Failure&) {
    connection_.distrust();  // closed, and then the server rolls back
  }
}

// The server gives up a little earlier than we do: then its answer says that
// nothing was done, which we could not know if we left without it.
std::string Talk::limited(const std::string& statement) const {
  if (!node_.mariadb) return statement;
  const auto limit = std::max<Duration::rep>(deadline_.left().count() * 9 / 10, 1);
  return fmt::format("SET STATEMENT max_statement_time={}.{:03} FOR {}", limit / 1000, limit % 1000, statement);
}

std::string Talk::joined(const char* before, const std::vector<std::string>& statements, const char* after) const {
  std::string sql = before;
  for (const auto& each : statements) {
    if (!sql.empty()) sql += ';';
    sql += limited(each);
  }
  return sql + after;
}

// A server breaks the connection over a packet that is too large, and the reason
// gets lost.
void Talk::require_room(const std::string& sql) const {
  if (node_.largest_packet > 0 && sql.size() + 1 > node_.largest_packet)
    throw Failure{.code = 1153, .reach = Failure::Reach::answered, .maybe_done = false, .timed_out = false};
}

std::vector<Answer> Talk::run(std::initializer_list<std::string> statements, Effect effect) {
  const auto sql = joined("", statements, "");
  require_room(sql);
  return connection_.run(sql, effect, deadline_);
}

// ## Transactions
//
// On one server a transaction's statements share a packet: a round trip to begin
// and one to end. A Galera node (MariaDB 10.11) that has to undo a transaction
// between two statements of one packet goes on with the next as if nothing had
// been: a COMMIT is then answered with OK, and nothing was done. Between two
// packets it does say so. There each statement has its own, and a transaction
// that the node no longer knows of has lost.
std::vector<Answer> Talk::in_turn(const std::vector<std::string>& statements) {
  std::vector<Answer> answers;
  for (const auto& each : statements) {
    const auto sql = limited(each);
    require_room(sql);
    answers.push_back(std::move(connection_.run(sql, Effect::none, deadline_)[0]));
    if (!connection_.in_transaction())
      throw Failure{.code = 1213, .reach = Failure::Reach::answered, .maybe_done = false, .timed_out = false};
  }
  return answers;
}

std::vector<Answer> Talk::begin(std::vector<std::string> statements) {
  in_transaction_ = true;
  if (node_.galera) {
    connection_.run("START TRANSACTION", Effect::none, deadline_);
    return in_turn(statements);
  }
  const auto sql = joined("START TRANSACTION", statements, "");
  require_room(sql);
  auto answers = connection_.run(sql, Effect::none, deadline_);
  answers.erase(answers.begin());
  return answers;
}

std::vector<Answer> Talk::commit(std::vector<std::string> statements) {
  std::vector<Answer> answers;
  if (node_.galera) {
    answers = in_turn(statements);
    connection_.run("COMMIT", Effect::writes, deadline_);
  } else {
    const auto sql = joined("", statements, statements.empty() ? "COMMIT" : ";COMMIT");
    require_room(sql);
    answers = connection_.run(sql, Effect::writes, deadline_);
    answers.pop_back();
  }
  in_transaction_ = false;
  return answers;
}

}  // namespace sancho::mysql
