// # Which servers are taken
//
// What is set in each session, what the server tells of its settings, and whether
// that is enough. Safe to use from several threads.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "sancho/error.hpp"
#include "sancho/stores/postgresql.hpp"
#include "stores/postgresql/place.hpp"
#include "stores/postgresql/wishes.hpp"

namespace sancho::postgresql {

// What the server and our settings make of a commit that was acknowledged.
struct Durability {
  bool crash = true;      // survives a crash of the server
  bool power = true;      // ... and power loss
  bool failover = false;  // ... and the loss of the server's machine
};

class Admittance {
 public:
  explicit Admittance(const PostgresqlOptions& options)
      : synchronous_commit_(options.synchronous_commit), standby_required_(options.standby_required) {}

  // On a new connection, before anything else: why it will not do, or nothing.
  Conversation<std::optional<Failure>> settle(int server_version);

  // Crash and power: as the first connection found it, and every other has to.
  // Failover: as the latest did.
  Durability durability() const;

 private:
  // Why a server of this durability is not taken; nothing if it is.
  std::optional<Failure> objection(const Durability& found);

  const std::string synchronous_commit_;
  const bool standby_required_;
  static constexpr unsigned crash = 1, power = 2, nothing_yet = 4;
  std::atomic<unsigned> promised_ = nothing_yet;
  std::atomic<bool> failover_ = false;
};

// Begins to connect, with what we need of every connection. Go on with
// `PQconnectPoll`.
Established start(const Settings& settings);

// Of what several hosts had to say, the words that say most.
void keep_worst(Failure& worst, Failure failure);

// Throws what a failure means. `writing`: was it a verb that writes?
[[noreturn]] void raise(const std::string& store, const char* doing, const Failure& failure, bool writing);

}  // namespace sancho::postgresql
