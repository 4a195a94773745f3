#include "stores/redis/socket.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <system_error>
#include <utility>

namespace sancho::redis {

namespace {

std::string words_for(int error) { return std::generic_category().message(error); }

int milliseconds_left(Deadline deadline) {
  const auto left = std::chrono::ceil<Duration>(deadline.at() - Deadline::Steady::now()).count();
  return static_cast<int>(std::clamp<Duration::rep>(left, 0, 1 << 30));
}

// False at the deadline.
bool ready(int fd, short events, Deadline deadline) {
  for (;;) {
    pollfd one{fd, events, 0};
    const int n = ::poll(&one, 1, milliseconds_left(deadline));
    if (n > 0) return true;
    if (n == 0) return false;
    if (errno != EINTR) throw Broken{"poll: " + words_for(errno)};
  }
}

struct Closer {
  int fd;
  ~Closer() {
    if (fd >= 0) ::close(fd);
  }
};

int connected(int family, const sockaddr* address, socklen_t size, Deadline deadline) {
  Closer fd{::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (fd.fd < 0) throw Broken{"no socket: " + words_for(errno)};
  if (family != AF_UNIX) {
    const int on = 1;
    ::setsockopt(fd.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    ::setsockopt(fd.fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  }
  if (::connect(fd.fd, address, size) != 0) {
    if (errno != EINPROGRESS) throw Broken{"cannot connect: " + words_for(errno)};
    if (!ready(fd.fd, POLLOUT, deadline)) throw Broken{"cannot connect in time", false, deadline.passed()};
    int error = 0;
    socklen_t length = sizeof error;
    ::getsockopt(fd.fd, SOL_SOCKET, SO_ERROR, &error, &length);
    if (error != 0) throw Broken{"cannot connect: " + words_for(error)};
  }
  return std::exchange(fd.fd, -1);
}

int connected_unix(const std::string& path, Deadline deadline) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw Broken{"the socket's path is too long"};
  std::memcpy(address.sun_path, path.data(), path.size());
  return connected(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address, deadline);
}

int connected_tcp(const Endpoint& to, Deadline deadline) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  const int error = ::getaddrinfo(to.host.c_str(), std::to_string(to.port).c_str(), &hints, &raw);
  if (error != 0) throw Broken{std::string("the host cannot be found: ") + ::gai_strerror(error)};
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> list(raw, ::freeaddrinfo);
  for (const auto* each = raw;; each = each->ai_next) {
    try {
      return connected(each->ai_family, each->ai_addr, each->ai_addrlen, deadline);
    } catch (const Broken& broken) {
      if (!each->ai_next || broken.late) throw;
    }
  }
}

}  // namespace

Socket::Socket(const Endpoint& to, Deadline deadline)
    : fd_(to.host.starts_with('/') ? connected_unix(to.host, deadline) : connected_tcp(to, deadline)) {}

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Socket::~Socket() {
  if (fd_ >= 0) ::close(fd_);
}

std::size_t Socket::send(std::string_view bytes) {
  for (;;) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) return static_cast<std::size_t>(n);
    if (errno == EAGAIN || errno == EWOULDBLOCK) return 0;
    if (errno != EINTR) throw Broken{"the connection broke: " + words_for(errno)};
  }
}

bool Socket::receive(std::string& out) {
  std::array<char, 16384> part;
  for (;;) {
    const auto n = ::recv(fd_, part.data(), part.size(), 0);
    if (n > 0) {
      out.append(part.data(), static_cast<std::size_t>(n));
      return true;
    }
    if (n == 0) throw Broken{"the server closed the connection"};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
    if (errno != EINTR) throw Broken{"the connection broke: " + words_for(errno)};
  }
}

void Socket::wait(bool writing, Deadline deadline) const {
  const short events = writing ? POLLIN | POLLOUT : POLLIN;
  if (!ready(fd_, events, deadline)) throw Broken{"no answer came in time", false, true};
}

bool Socket::is_quiet() const {
  pollfd one{fd_, POLLIN, 0};
  return ::poll(&one, 1, 0) == 0;
}

}  // namespace sancho::redis
