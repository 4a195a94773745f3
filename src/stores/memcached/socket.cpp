#include "stores/memcached/socket.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <memory>
#include <string>
#include <system_error>

namespace sancho::memcached {

namespace {

constexpr const char* late = "the deadline passed";

std::string words_for(int error) { return std::generic_category().message(error); }

// Milliseconds for `poll`, rounded up, so that it does not spin through the last one.
int patience(Deadline deadline) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline.at() - Deadline::Steady::now()).count();
  return static_cast<int>(std::clamp<decltype(left)>(left, 0, std::numeric_limits<int>::max()));
}

// Waits until the socket is ready. False at the deadline.
bool ready(int fd, short events, Deadline deadline) {
  for (;;) {
    pollfd asked{.fd = fd, .events = events, .revents = 0};
    const int found = ::poll(&asked, 1, patience(deadline));
    if (found > 0) return true;
    if (found < 0 && errno != EINTR) throw Broken(words_for(errno));
    if (deadline.passed()) return false;
  }
}

// An address, connected to; or -1 and why not.
int connected(const addrinfo& address, Deadline deadline, std::string& why) {
  const int fd = ::socket(address.ai_family, address.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, address.ai_protocol);
  if (fd < 0) {
    why = words_for(errno);
    return -1;
  }
  int error = ::connect(fd, address.ai_addr, address.ai_addrlen) == 0 ? 0 : errno;
  if (error == EINPROGRESS || error == EINTR) {
    try {
      socklen_t size = sizeof error;
      if (!ready(fd, POLLOUT, deadline))
        error = ETIMEDOUT;
      else if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    } catch (const Broken&) {
      ::close(fd);
      throw;
    }
  }
  const int on = 1;
  if (error == 0 && ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) error = errno;
  if (error == 0) return fd;
  ::close(fd);
  why = words_for(error);
  return -1;
}

}  // namespace

Socket::Socket(const MemcachedServer& server, Deadline deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(server.host.c_str(), std::to_string(server.port).c_str(), &hints, &found);
  if (failed != 0) throw Broken(std::string("its name was not found: ") + ::gai_strerror(failed));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> addresses(found, ::freeaddrinfo);
  int left = 0;
  for (const auto* each = found; each; each = each->ai_next) ++left;
  std::string why = late;
  for (const auto* each = found; each && fd_ < 0; each = each->ai_next, --left)
    fd_ = connected(*each, Deadline::after(deadline.left() / left), why);
  if (fd_ < 0) throw Broken("connecting to it failed: " + why);
}

Socket::~Socket() { ::close(fd_); }

void Socket::wait_for(short events, Deadline deadline) {
  if (!ready(fd_, events, deadline)) throw Broken(late);
}

void Socket::send(std::string_view bytes, Deadline deadline) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0)
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    else if (errno == EAGAIN)
      wait_for(POLLOUT, deadline);
    else if (errno != EINTR)
      throw Broken(words_for(errno));
    if (!bytes.empty() && deadline.passed()) throw Broken(late);
  }
}

std::size_t Socket::receive(char* to, std::size_t room, Deadline deadline) {
  for (;;) {
    const auto got = ::recv(fd_, to, room, 0);
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) throw Broken("it closed the connection");
    if (errno == EAGAIN)
      wait_for(POLLIN, deadline);
    else if (errno != EINTR)
      throw Broken(words_for(errno));
    if (deadline.passed()) throw Broken(late);
  }
}

bool Socket::silent() const {
  char byte;
  return ::recv(fd_, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

}  // namespace sancho::memcached
