// # A socket with deadlines
//
// Non-blocking, and waited for with poll: no call here outlasts its deadline,
// but for the resolver's where a host is a name.
#pragma once

#include <string>
#include <string_view>

#include "sancho/time.hpp"
#include "stores/authority.hpp"
#include "stores/redis/broken.hpp"

namespace sancho::redis {

class Socket {
 public:
  // A host that begins with a slash is a unix socket's path. Throws `Broken`.
  Socket(const Endpoint& to, Deadline deadline);
  ~Socket();
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&&) = delete;

  // Sends what it can at once and returns how much; zero if nothing.
  std::size_t send(std::string_view bytes);
  // Appends what is there. False if there was nothing.
  bool receive(std::string& out);
  // Waits until it can be read from, or (`writing`) written to. Throws `Broken`.
  void wait(bool writing, Deadline deadline) const;
  // Nothing has come that nobody asked for, and the peer has not closed it.
  bool is_quiet() const;

 private:
  int fd_ = -1;
};

}  // namespace sancho::redis
