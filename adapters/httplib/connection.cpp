#include "connection.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>

namespace sancho {

namespace {

bool ready(socket_t socket, short events, HttplibConnection::Timeout timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    pollfd wanted{.fd = socket, .events = events, .revents = 0};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
    const auto n = ::poll(&wanted, 1, static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0)));
    if (n >= 0 || errno != EINTR) return n > 0;
  }
}

using NameOf = int (*)(int, sockaddr*, socklen_t*);

void address(socket_t socket, NameOf name_of, std::string& ip, int& port) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* const name = reinterpret_cast<sockaddr*>(&storage);
  char host[NI_MAXHOST], service[NI_MAXSERV];
  if (name_of(socket, name, &size) != 0) return;
  if (::getnameinfo(name, size, host, sizeof host, service, sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) != 0) return;
  ip = host;
  port = std::atoi(service);
}

}  // namespace

bool HttplibConnection::wait(Timeout timeout) const { return begin_ < end_ || ready(socket_, POLLIN, timeout); }

void HttplibConnection::begin_head() {
  head_.clear();
  in_head_ = true;
  body_read_ = 0;
}

const std::string& HttplibConnection::end_head() {
  in_head_ = false;
  return head_;
}

bool HttplibConnection::is_readable() const { return wait(read_timeout_); }

bool HttplibConnection::is_writable() const { return ready(socket_, POLLOUT, write_timeout_); }

// Reads ahead; false at the end and on trouble.
bool HttplibConnection::fill() {
  if (!is_readable()) return false;
  ssize_t n = 0;
  do n = ::recv(socket_, buffer_.data(), buffer_.size(), 0);
  while (n < 0 && errno == EINTR);
  begin_ = 0;
  end_ = n > 0 ? static_cast<std::size_t>(n) : 0;
  return n > 0;
}

ssize_t HttplibConnection::read(char* data, size_t size) {
  if (in_head_ && head_.size() + size > max_head) return -1;
  if (size == 0) return 0;
  if (begin_ == end_ && !fill()) return -1;
  const auto n = std::min(size, end_ - begin_);
  std::copy_n(buffer_.data() + begin_, n, data);
  begin_ += n;
  if (in_head_) head_.append(data, n);
  else body_read_ += n;
  return static_cast<ssize_t>(n);
}

ssize_t HttplibConnection::write(const char* data, size_t size) {
  if (!is_writable()) return -1;
  ssize_t n = 0;
  do n = ::send(socket_, data, size, MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n;
}

void HttplibConnection::get_remote_ip_and_port(std::string& ip, int& port) const {
  address(socket_, ::getpeername, ip, port);
}

void HttplibConnection::get_local_ip_and_port(std::string& ip, int& port) const {
  address(socket_, ::getsockname, ip, port);
}

}  // namespace sancho
