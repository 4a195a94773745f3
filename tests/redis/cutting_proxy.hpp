// A man in the middle who cuts the connection at the n-th command: before he
// passes it on, or after it was carried out and before its answer is passed back.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace sancho::test {

class CuttingProxy {
 public:
  enum class Cut { before, after };

  explicit CuttingProxy(std::uint16_t server)
      : server_(server), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto address = loopback(0);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 16) != 0)
      throw std::system_error(errno, std::generic_category());
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~CuttingProxy() {
    over_ = true;
    acceptor_.join();
    for (auto& each : carriers_) each.join();
    ::close(listener_);
  }
  CuttingProxy(const CuttingProxy&) = delete;
  CuttingProxy& operator=(const CuttingProxy&) = delete;

  std::uint16_t port() const { return port_; }
  // Cuts once, at the n-th command from now on, counted from 1.
  void arm(int n, Cut how) {
    how_ = how;
    left_ = n;
  }
  // Whether it has cut since.
  bool disarm() { return left_.exchange(0) <= 0; }

 private:
  static sockaddr_in loopback(std::uint16_t port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }

  void accept_all() {
    while (!over_) {
      pollfd one{listener_, POLLIN, 0};
      if (::poll(&one, 1, 10) != 1) continue;
      const int client = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (client >= 0) carriers_.emplace_back([this, client] { carry(client); });
    }
  }

  void carry(int client) {
    const int server = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(server_);
    if (::connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
      std::string pending;
      while (!over_) {
        pollfd both[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
        if (::poll(both, 2, 10) <= 0) continue;
        std::string bytes;
        if (both[1].revents && (!receive(server, bytes) || !send(client, bytes))) break;
        if (!both[0].revents) continue;
        if (!receive(client, pending)) break;
        if (!pass_commands(pending, server)) break;
      }
    }
    ::close(server);
    ::close(client);
  }

  // Passes whole commands on; false if it is time to cut.
  bool pass_commands(std::string& pending, int server) {
    for (std::size_t size; (size = command_size(pending)) > 0; pending.erase(0, size)) {
      bool now = false;
      if (left_ > 0) now = --left_ == 0;
      if (now && how_ == Cut::before) return cut();
      if (!send(server, pending.substr(0, size))) return false;
      if (!now) continue;
      std::string answer;  // so that it was carried out
      receive(server, answer);
      return cut();
    }
    return true;
  }
  bool cut() {
    left_ = -1;
    return false;
  }

  // "*2\r\n$3\r\nGET\r\n$1\r\nk\r\n" as a whole; 0 if it is not complete.
  static std::size_t command_size(const std::string& bytes) {
    std::size_t at = 0;
    const auto number = [&](std::size_t& value) {
      const auto end = bytes.find("\r\n", at);
      if (end == bytes.npos) return false;
      std::from_chars(bytes.data() + at + 1, bytes.data() + end, value);
      at = end + 2;
      return true;
    };
    std::size_t words = 0;
    if (bytes.empty() || !number(words)) return 0;
    for (; words > 0; --words) {
      std::size_t length = 0;
      if (!number(length) || (at += length + 2) > bytes.size()) return 0;
    }
    return at;
  }

  static bool receive(int fd, std::string& out) {
    char part[16384];
    const auto n = ::recv(fd, part, sizeof part, 0);
    if (n > 0) out.append(part, static_cast<std::size_t>(n));
    return n > 0;
  }
  static bool send(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  const std::uint16_t server_;
  int listener_;
  std::uint16_t port_ = 0;
  std::atomic<bool> over_ = false;
  std::atomic<int> left_ = 0;  // 0: at rest; negative: it has cut
  std::atomic<Cut> how_ = Cut::before;
  std::thread acceptor_;
  std::vector<std::thread> carriers_;
};

}  // namespace sancho::test
