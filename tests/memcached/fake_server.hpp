// Something that listens where a memcached should be, and answers as the test
// says.
#pragma once

#include <poll.h>

#include <atomic>
#include <functional>
#include <string>
#include <thread>

#include "memcached_server.hpp"

namespace sancho::memcached_test {

inline const std::string settings_answer =
    "STAT item_size_max 1048576\r\nSTAT cas_enabled yes\r\nEND\r\nSTAT time 1700000000\r\nEND\r\n";

class FakeServer {
 public:
  // What to send for what came, which is a line and what follows it in the same
  // packet. An answer of one zero byte closes the connection.
  using Script = std::function<std::string(const std::string& asked)>;

  // `slowly`: a byte at a time, with a pause before each.
  explicit FakeServer(Script script, std::chrono::milliseconds slowly = {})
      : script_(std::move(script)), slowly_(slowly) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    auto address = loopback(0);
    socklen_t size = sizeof address;
    ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(listener_, 16);
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this](std::stop_token stop) { serve(stop); });
  }
  ~FakeServer() {
    thread_.request_stop();
    thread_.join();
    ::close(listener_);
  }
  FakeServer(const FakeServer&) = delete;
  FakeServer& operator=(const FakeServer&) = delete;

  std::uint16_t port() const { return port_; }
  int connections() const { return connections_; }

 private:
  void serve(const std::stop_token& stop) {
    std::vector<pollfd> open{{.fd = listener_, .events = POLLIN, .revents = 0}};
    while (!stop.stop_requested()) {
      ::poll(open.data(), open.size(), 5);
      if (open[0].revents & POLLIN) {
        open.push_back({.fd = ::accept(listener_, nullptr, nullptr), .events = POLLIN, .revents = 0});
        ++connections_;
      }
      for (std::size_t i = 1; i < open.size(); ++i)
        if ((open[i].revents & (POLLIN | POLLHUP)) && !answer(open[i].fd, stop)) {
          ::close(open[i].fd);
          open[i].fd = -1;  // poll passes it over
          open[i].revents = 0;
        }
    }
    for (std::size_t i = 1; i < open.size(); ++i)
      if (open[i].fd >= 0) ::close(open[i].fd);
  }
  bool answer(int fd, const std::stop_token& stop) {
    char room[65536];
    const auto got = ::recv(fd, room, sizeof room, 0);
    if (got <= 0) return false;
    const std::string asked(room, static_cast<std::size_t>(got));
    const auto reply = asked.starts_with("stats") ? settings_answer : script_(asked);
    if (reply == std::string(1, '\0')) return false;
    if (slowly_.count() == 0 || asked.starts_with("stats"))
      return ::send(fd, reply.data(), reply.size(), MSG_NOSIGNAL) >= 0;
    for (const char c : reply) {
      if (stop.stop_requested()) return false;
      std::this_thread::sleep_for(slowly_);
      if (::send(fd, &c, 1, MSG_NOSIGNAL) < 0) return false;
    }
    return true;
  }

  Script script_;
  std::chrono::milliseconds slowly_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_ = 0;
  std::jthread thread_;
};

}  // namespace sancho::memcached_test
