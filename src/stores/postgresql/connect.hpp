// Making connections that are waited for: host after host, each with its share
// of the time.
#pragma once

#include <atomic>
#include <memory>

#include "stores/postgresql/admittance.hpp"
#include "stores/postgresql/connection.hpp"

namespace sancho::postgresql {

class Connector {
 public:
  Connector(const Place& place, Admittance& admittance, const Statements& statements)
      : place_(place), admittance_(admittance), statements_(statements) {}

  // To a server that keeps what was promised. Throws `StoreError`.
  std::unique_ptr<Connection> open(Deadline deadline);

 private:
  std::unique_ptr<Connection> try_host(std::size_t host, Deadline deadline, Failure& failure);

  const Place& place_;
  Admittance& admittance_;
  const Statements& statements_;
  std::atomic<std::size_t> good_host_ = 0;
};

// Carries out a conversation about one connection.
template <class T>
T carry_out_on(Connection& connection, Conversation<T> talk, Deadline deadline) {
  Floor floor(talk);
  while (const Wish* wish = floor.next()) {
    auto& script = *std::get<Script*>(*wish);
    script.reply = connection.script(script.sql, deadline);
  }
  return talk.result();
}

}  // namespace sancho::postgresql
