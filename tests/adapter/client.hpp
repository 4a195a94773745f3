// A client that sends exactly the bytes it is given.
#pragma once

#include <algorithm>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

namespace sancho::test {

struct Reply {
  int status = 0;  // 0: the connection was closed
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;

  std::vector<std::string> all(const std::string& name) const {
    std::vector<std::string> values;
    for (const auto& [n, value] : headers)
      if (n == name) values.push_back(value);
    return values;
  }
  // The first of them; empty if there is none.
  std::string header(const std::string& name) const {
    const auto values = all(name);
    return values.empty() ? std::string() : values.front();
  }
  // The value that a cookie is set to; empty if it is not.
  std::string cookie(const std::string& name) const {
    for (const auto& line : all("Set-Cookie"))
      if (line.starts_with(name + "=")) return line.substr(name.size() + 1, line.find(';') - name.size() - 1);
    return {};
  }
};

class Client {
 public:
  explicit Client(int port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{.tv_sec = 20, .tv_usec = 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0) throw std::runtime_error("cannot connect");
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;  // the other end does not listen any more
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  // The next reply. `with_body` is false for the reply to a HEAD.
  Reply receive(bool with_body = true) {
    Reply reply;
    const auto head = until("\r\n\r\n");
    if (head.empty()) return reply;
    reply.status = std::stoi(head.substr(head.find(' ') + 1));
    for (auto at = head.find("\r\n") + 2; at < head.size();) {
      const auto end = head.find("\r\n", at), colon = head.find(": ", at);
      if (colon < end) reply.headers.emplace_back(head.substr(at, colon - at), head.substr(colon + 2, end - colon - 2));
      at = end + 2;
    }
    if (!with_body) return reply;
    if (reply.header("Transfer-Encoding") == "chunked") reply.body = chunks();
    else if (const auto length = reply.header("Content-Length"); !length.empty()) reply.body = take(std::stoul(length));
    return reply;
  }

  // Everything up to the connection's end.
  std::string rest() {
    while (more()) {}
    return buffer_;
  }
  // So many bytes as they come; fewer where the connection ends.
  std::string bytes(std::size_t n) { return take(n); }

  Reply ask(std::string_view request) {
    send(request);
    return receive();
  }

 private:
  bool more() {
    char bytes[4096];
    const auto n = ::recv(socket_, bytes, sizeof bytes, 0);
    if (n > 0) buffer_.append(bytes, static_cast<std::size_t>(n));
    return n > 0;
  }
  // Up to and with the mark; nothing if the connection ends before.
  std::string until(std::string_view mark) {
    for (;;) {
      if (const auto at = buffer_.find(mark); at != std::string::npos) return take(at + mark.size());
      if (!more()) return {};
    }
  }
  std::string take(std::size_t n) {
    while (buffer_.size() < n && more()) {}
    auto taken = buffer_.substr(0, n);
    buffer_.erase(0, taken.size());
    return taken;
  }
  std::string chunks() {
    std::string body;
    for (;;) {
      const auto size = std::stoul(until("\r\n"), nullptr, 16);
      body += take(size);
      take(2);
      if (size == 0) return body;
    }
  }

  int socket_;
  std::string buffer_;
};

}  // namespace sancho::test
