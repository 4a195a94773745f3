// One call's conversation on one connection: statements that end by the call's
// deadline on the server too, and transactions that are not left open.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "stores/mysql/node.hpp"

namespace sancho::mysql {

class Talk {
 public:
  Talk(Connection& connection, const Node& node, Deadline deadline)
      : connection_(connection), node_(node), deadline_(deadline) {}
  // Rolls back what was begun and not committed.
  ~Talk();
  Talk(const Talk&) = delete;
  Talk& operator=(const Talk&) = delete;

  // One round trip. Throws `Failure`.
  std::vector<Answer> run(std::initializer_list<std::string> statements, Effect effect);
  Answer ask(const std::string& statement) { return std::move(run({statement}, Effect::none)[0]); }
  // A statement that is a transaction of its own; how many rows it changed.
  std::uint64_t change(const std::string& statement) { return run({statement}, Effect::writes)[0].changed(); }

  // Begins a transaction with these statements; the answers are theirs.
  std::vector<Answer> begin(std::vector<std::string> statements);
  // Ends it with these; the answers are theirs.
  std::vector<Answer> commit(std::vector<std::string> statements);

  const Node& node() const { return node_; }

 private:
  std::vector<Answer> in_turn(const std::vector<std::string>& statements);
  std::string limited(const std::string& statement) const;
  std::string joined(const char* before, const std::vector<std::string>& statements, const char* after) const;
  void require_room(const std::string& sql) const;

  Connection& connection_;
  const Node& node_;
  Deadline deadline_;
  bool in_transaction_ = false;
};

}  // namespace sancho::mysql
