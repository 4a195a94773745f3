#include "connection.hpp"

#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <utility>

namespace sancho {

namespace {

bool ready(socket_t socket, short events, HttplibConnection::Timeout timeout) {
  const auto until = std::chrono::steady_clock::now() + timeout;
  for (auto left = std::chrono::ceil<std::chrono::milliseconds>(timeout);;) {
    pollfd wanted{.fd = socket, .events = events, .revents = 0};
    const auto n = ::poll(&wanted, 1, static_cast<int>(std::max<std::chrono::milliseconds::rep>(left.count(), 0)));
    if (n >= 0 || errno != EINTR) return n > 0;
    left = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
  }
}

// One try, again after a signal.
template <class Try>
ssize_t uninterrupted(Try attempt) {
  ssize_t n = 0;
  do n = attempt();
  while (n < 0 && errno == EINTR);
  return n;
}

bool would_wait(ssize_t n) { return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK); }

}  // namespace

bool HttplibConnection::wait(Timeout timeout) const { return begin_ < end_ || ready(socket_, POLLIN, timeout); }

void HttplibConnection::begin_head() {
  head_.clear();
  in_head_ = true;
  head_begin_ = begin_;
  body_read_ = 0;
}

const std::string& HttplibConnection::end_head() {
  if (std::exchange(in_head_, false)) keep_head();
  return head_;
}

void HttplibConnection::keep_head() {
  head_.append(buffer_.data() + head_begin_, begin_ - head_begin_);
  head_begin_ = begin_;
}

bool HttplibConnection::is_readable() const { return wait(read_timeout_); }

bool HttplibConnection::is_writable() const { return ready(socket_, POLLOUT, write_timeout_); }

// Reads ahead; false at the end and on trouble. Mostly something is there already,
// and need not be waited for.
bool HttplibConnection::fill() {
  if (in_head_) keep_head();
  const auto receive = [&](int flags) {
    return uninterrupted([&] { return ::recv(socket_, buffer_.data(), buffer_.size(), flags); });
  };
  begin_ = end_ = head_begin_ = 0;
  auto n = receive(MSG_DONTWAIT);
  if (would_wait(n)) n = ready(socket_, POLLIN, read_timeout_) ? receive(0) : -1;
  end_ = n > 0 ? static_cast<std::size_t>(n) : 0;
  return n > 0;
}

ssize_t HttplibConnection::read(char* data, size_t size) {
  if (in_head_ && head_.size() + (begin_ - head_begin_) + size > max_head) return -1;
  if (size == 0) return 0;
  if (begin_ == end_ && !fill()) return -1;
  const auto n = std::min(size, end_ - begin_);
  std::copy_n(buffer_.data() + begin_, n, data);
  begin_ += n;
  if (!in_head_) body_read_ += n;
  return static_cast<ssize_t>(n);
}

ssize_t HttplibConnection::write(const char* data, size_t size) {
  const auto send = [&](std::size_t from, int flags) {
    return uninterrupted([&] { return ::send(socket_, data + from, size - from, MSG_NOSIGNAL | flags); });
  };
  // Mostly there is room for all of it; cpp-httplib would not offer the rest again.
  const auto first = send(0, MSG_DONTWAIT);
  if (first < 0 && !would_wait(first)) return -1;
  const auto sent = static_cast<std::size_t>(std::max<ssize_t>(first, 0));
  if (sent == size) return first;
  if (!is_writable()) return -1;
  const auto rest = send(sent, 0);
  return rest < 0 ? -1 : static_cast<ssize_t>(sent) + rest;
}

void HttplibConnection::tell(End& end, int (*name_of)(int, sockaddr*, socklen_t*), std::string& ip, int& port) const {
  if (!end.known) {
    sockaddr_storage storage{};
    socklen_t size = sizeof storage;
    auto* const name = reinterpret_cast<sockaddr*>(&storage);
    char host[NI_MAXHOST], service[NI_MAXSERV];
    if (name_of(socket_, name, &size) != 0) return;
    if (::getnameinfo(name, size, host, sizeof host, service, sizeof service, NI_NUMERICHOST | NI_NUMERICSERV) != 0) return;
    end = {host, std::atoi(service), true};
  }
  ip = end.ip;
  port = end.port;
}

void HttplibConnection::get_remote_ip_and_port(std::string& ip, int& port) const { tell(remote_, ::getpeername, ip, port); }

void HttplibConnection::get_local_ip_and_port(std::string& ip, int& port) const { tell(local_, ::getsockname, ip, port); }

}  // namespace sancho
