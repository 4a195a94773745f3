// # One connection
//
// To one node, logged in, with its database chosen. One thread at a time; who
// has thrown is of no use any more.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stores/redis/plan.hpp"
#include "stores/redis/reply.hpp"
#include "stores/redis/socket.hpp"
#include "stores/redis/tls.hpp"

namespace sancho::redis {

class Connection {
 public:
  // Throws `Broken` if nobody is there or it takes too long, `StoreError` if it
  // was refused, or is no master and should be (kind *unavailable*).
  Connection(const Endpoint& to, const Introduction& introduction, const TlsContext* tls, Deadline deadline);

  // Sends them all and returns one reply each. Throws `Broken`.
  std::vector<Reply> exchange(const Wire& wire, Deadline deadline);

  // All that was asked has been answered, and the node has not gone away.
  bool is_fresh() const { return clean_ && socket_.is_quiet(); }
  bool is_clean() const { return clean_; }

 private:
  void flush(std::string& bytes, bool& sent);
  void shake_hands(Deadline deadline);
  void introduce(const Introduction& introduction, Deadline deadline);
  bool read_some();

  Socket socket_;
  std::optional<TlsSession> tls_;
  ReplyReader reader_;
  bool clean_ = true;
};

}  // namespace sancho::redis
