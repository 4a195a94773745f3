// # Calls, and what becomes of them
//
// The loop over `Route`: a call is sent to the node that has its key, and what
// the route says next is done, until there is an answer or the deadline has
// passed. As conversations; a client has the connections.
#pragma once

#include <sys/types.h>

#include <mutex>
#include <string>
#include <vector>

#include "sancho/stores/redis.hpp"
#include "stores/redis/calls.hpp"
#include "stores/redis/conversation.hpp"
#include "stores/redis/route.hpp"

namespace sancho::redis {

// What a conversation is given by reference must stay until it is over, and have
// a name: g++ 12 destroys some unnamed values twice that live across a co_await.
// Safe to use from several threads, each in a conversation of its own.
class Dealings {
 public:
  // `name` stands in messages.
  Dealings(const RedisOptions& options, std::string name);

  const std::string& name() const { return name_; }
  Deployment deployment() const { return deployment_; }
  // Throws `StoreError` in a child of the process that made this. For whoever
  // carries a conversation out, before it begins: the parent may have held a mutex.
  void require_own_process() const;
  bool in_own_process() const;

  // Who has the slot, as far as that is known.
  std::optional<Endpoint> owner_of(Slot slot) const;

  // The reply, which is no error. Throws `StoreError`, as all of these.
  Conversation<Reply> run(const Call& call, Deadline deadline);

  // Many at once, a batch to each node. No reply is an error. What it throws says
  // nothing of the calls before the one that failed: they may have been done.
  Conversation<std::vector<Reply>> run_all(const std::vector<Call>& calls, Deadline deadline);

  // A command to one node, whatever its keys.
  Conversation<Reply> run_at(const Endpoint& node, const Command& command, Deadline deadline);

  // All masters, asked for anew.
  Conversation<std::vector<Endpoint>> masters(Deadline deadline);

 private:
  Conversation<Done> learn(Deadline deadline);
  Exchange question_to(const Endpoint& informant, Deadline deadline) const;
  bool waits_for_replicas(const Call& call) const { return wait_ > 0 && call.replicated; }
  Exchange attempt(const Call& call, const Route::Send& send, Deadline deadline) const;
  Conversation<Reply> attempt_and_wait(const Call& call, const Route::Send& send, Deadline deadline);
  Conversation<std::vector<Reply>> run_batch(const Endpoint& node, const std::vector<const Call*>& calls,
                                             Deadline deadline);
  Route::Step next_step(Route& route);
  void lost(Route& route, const Route::Send& send, const Lost& what);
  bool taken_for_answer(const Reply& reply, const Endpoint& node, std::string& why);
  void require_replicas(const Call& call, const Reply& reply, const Reply& replicas) const;
  Command wait_command(Deadline deadline) const;
  [[noreturn]] void fail(const Route::Failed& failed) const;

  std::string name_;
  Deployment deployment_;
  std::string master_name_;
  Duration connect_timeout_;
  unsigned wait_;
  Duration wait_timeout_;
  pid_t owner_;

  mutable std::mutex mutex_;  // over what follows; never held while something is wished for
  Topology topology_;
  std::size_t next_informant_ = 0;
};

}  // namespace sancho::redis
