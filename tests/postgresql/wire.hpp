// A wire between a store and its server that counts what passes, and that can
// be cut or held at a chosen moment. It reads the frames of PostgreSQL's
// protocol: one round trip ends with a `Sync` or is a simple `Query`.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace sancho::postgresql_test {

class Wire {
 public:
  // To a server on 127.0.0.1.
  explicit Wire(int server_port)
      : server_port_(server_port), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    auto here = local(0);
    socklen_t size = sizeof here;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&here), size) != 0 || listen(listener_, 64) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&here), &size) != 0)
      throw std::runtime_error("no wire");
    port_ = ntohs(here.sin_port);
    accepting_ = std::thread([this] { accept_all(); });
  }
  ~Wire() {
    over_ = true;
    accepting_.join();
    for (auto& each : pumps_) each.join();
    close(listener_);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  int port() const { return port_; }

  int connections() const { return connections_; }
  int round_trips() const { return round_trips_; }
  int prepares() const { return prepares_; }
  int packets() const { return packets_; }  // from clients, as they were read

  // From now on: the server's answers are lost, and with the first of them the
  // connection; new connections too are cut with their first answer.
  void lose_answers(bool yes) { lose_answers_ = yes; }
  // ... what the client asks is lost, and the connection with it.
  void lose_questions(bool yes) { lose_questions_ = yes; }
  // ... nothing passes, and nobody is told.
  void hold(bool yes) { hold_ = yes; }
  // ... whatever the server has said comes so much later.
  void slow(int milliseconds) { slow_ = milliseconds; }
  // Connections that there are now are closed.
  void cut() { ++cuts_; }

 private:
  static sockaddr_in local(int port) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(static_cast<std::uint16_t>(port));
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
  }

  void accept_all() {
    while (!over_) {
      pollfd ready{listener_, POLLIN, 0};
      if (poll(&ready, 1, 20) != 1) continue;
      const int client = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      const int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      const auto there = local(server_port_);
      if (connect(server, reinterpret_cast<const sockaddr*>(&there), sizeof there) != 0) {
        close(client), close(server);
        continue;
      }
      const int yes = 1;
      for (const int fd : {client, server}) setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      ++connections_;
      pumps_.emplace_back([this, client, server] { pump(client, server); });
    }
  }

  void pump(int client, int server) {
    std::string unread;
    bool started = false;
    std::vector<char> buffer(1 << 16);
    const int cuts = cuts_;
    while (!over_ && cuts == cuts_) {
      pollfd ready[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
      if (hold_ || poll(ready, 2, 20) <= 0) {
        if (hold_) poll(nullptr, 0, 5);
        continue;
      }
      const bool from_client = ready[0].revents != 0;
      const auto n = read(from_client ? client : server, buffer.data(), buffer.size());
      if (n <= 0 || hold_) {
        if (n <= 0) break;
        continue;  // lost
      }
      if (from_client) {
        ++packets_;
        count(unread.append(buffer.data(), static_cast<std::size_t>(n)), started);
        if (lose_questions_) break;
      } else if (lose_answers_) {
        break;
      } else if (slow_ > 0) {
        poll(nullptr, 0, slow_);
      }
      const int to = from_client ? server : client;
      for (ssize_t done = 0; done < n;) {
        const auto m = send(to, buffer.data() + done, static_cast<std::size_t>(n - done), MSG_NOSIGNAL);
        if (m <= 0) break;
        done += m;
      }
    }
    close(client), close(server);
  }

  // Whole frames, from the front. The first has no type.
  void count(std::string& bytes, bool& started) {
    for (;;) {
      const std::size_t head = started ? 1 : 0;
      if (bytes.size() < head + 4) return;
      std::size_t size = 0;
      for (std::size_t i = 0; i < 4; ++i) size = size << 8 | static_cast<unsigned char>(bytes[head + i]);
      if (bytes.size() < head + size) return;
      if (started) {
        round_trips_ += bytes[0] == 'S' || bytes[0] == 'Q';
        prepares_ += bytes[0] == 'P';
      }
      started = true;
      bytes.erase(0, head + size);
    }
  }

  int server_port_, port_ = 0, listener_;
  std::atomic<bool> over_ = false, lose_answers_ = false, lose_questions_ = false, hold_ = false;
  std::atomic<int> connections_ = 0, round_trips_ = 0, prepares_ = 0, packets_ = 0, slow_ = 0, cuts_ = 0;
  std::thread accepting_;
  std::vector<std::thread> pumps_;
};

// Of the server's URI, and the URI over a wire to it.
inline std::string_view address_in(std::string_view uri) {
  const auto host = uri.find("127.0.0.1:");
  return uri.substr(host, uri.find('/', host) - host);
}
inline int port_of(const std::string& uri) { return std::stoi(std::string(address_in(uri).substr(10))); }
inline std::string over(const Wire& wire, std::string uri) {
  const auto address = address_in(uri);
  uri.replace(static_cast<std::size_t>(address.data() - uri.data()), address.size(),
              "127.0.0.1:" + std::to_string(wire.port()));
  return uri + (uri.find('?') == uri.npos ? '?' : '&') + "sslmode=disable";
}

}  // namespace sancho::postgresql_test
