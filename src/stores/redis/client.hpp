// # The blocking client
//
// Carries conversations out on the thread that calls: takes a connection from the
// node's pool, sends, and waits for what comes.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "stores/redis/dealings.hpp"
#include "stores/redis/pool.hpp"

namespace sancho::redis {

class Client {
 public:
  // `name` stands in messages. Throws `ConfigError`; connects to nobody.
  Client(const RedisOptions& options, std::string name);

  Dealings& dealings() { return dealings_; }
  const Dealings& dealings() const { return dealings_; }

  // Each runs to its end. `each` is shown what a walk finds.
  using Each = std::function<bool(const KeyedRecord&)>;
  template <class T>
  T carry_out(Conversation<T> talk, const Each& each = {}) {
    Floor floor(talk);
    carry_out(floor, each);
    return talk.result();
  }

  // As those of `Dealings`.
  Reply run(const Call& call, Deadline deadline) { return carry_out(dealings_.run(call, deadline)); }
  std::vector<Reply> run(const std::vector<Call>& calls, Deadline deadline) {
    return carry_out(dealings_.run_all(calls, deadline));
  }
  Reply run_at(const Endpoint& node, const Command& command, Deadline deadline) {
    return carry_out(dealings_.run_at(node, command, deadline));
  }
  std::vector<Endpoint> masters(Deadline deadline) { return carry_out(dealings_.masters(deadline)); }

 private:
  void carry_out(Floor& floor, const Each& each);
  std::vector<Reply> exchange(const Exchange& wish);
  std::vector<Reply> ask_aside(const Exchange& wish);
  Pool& pool_of(const Endpoint& node);

  Dealings dealings_;
  Introduction introduction_, to_sentinels_;
  std::unique_ptr<const TlsContext> tls_;
  std::size_t connections_;
  Duration connect_timeout_;

  std::mutex mutex_;
  std::map<std::string, std::unique_ptr<Pool>> pools_;  // kept until the end: leases refer to them
};

}  // namespace sancho::redis
