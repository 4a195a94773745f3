// A TCP connection on which nothing waits beyond a deadline, however little by
// little the other side sends, and whatever signals arrive.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string_view>

#include "sancho/stores/memcached.hpp"

namespace sancho::memcached {

// The connection is of no more use; `what` says how that came.
class Broken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Socket {
 public:
  // Connects. A name that has several addresses has them tried in turn; each
  // gets an equal share of the time that is left. (Names are looked up by the
  // system's resolver, which has deadlines of its own.) Throws `Broken`.
  Socket(const MemcachedServer& server, Deadline deadline);
  ~Socket();
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;

  // All of it, or throws `Broken`.
  void send(std::string_view bytes, Deadline deadline);

  // Some bytes, at least one. Throws `Broken`, also where the other side is done.
  std::size_t receive(char* to, std::size_t room, Deadline deadline);

  // Is it open, with nothing to be read? Asks the kernel, not the other side.
  bool silent() const;

 private:
  void wait_for(short events, Deadline deadline);
  int fd_ = -1;
};

}  // namespace sancho::memcached
