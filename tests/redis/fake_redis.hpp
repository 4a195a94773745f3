// A server that says what a test wants it to: it counts packets, and can be made
// to hold its answers back, to hang up, or to speak unasked.
#pragma once

#include <arpa/inet.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "sancho/stores/redis.hpp"

namespace sancho::test {

class FakeRedis {
 public:
  using Words = std::vector<std::string>;

  FakeRedis() : listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 || ::listen(listener_, 64) != 0)
      throw std::system_error(errno, std::generic_category());
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  ~FakeRedis() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    thread_.join();
    for (const auto& each : clients_) ::close(each.first);
    ::close(listener_);
  }
  FakeRedis(const FakeRedis&) = delete;
  FakeRedis& operator=(const FakeRedis&) = delete;

  RedisOptions options() const {
    RedisOptions o;
    o.addresses = {{"127.0.0.1", port_}};
    return o;
  }

  // ## What has happened

  struct Counts {
    std::size_t connections = 0, packets = 0, commands = 0;
  };
  Counts counts() {
    const std::lock_guard lock(mutex_);
    return counts_;
  }
  // Of commands with this word, those that have come. Waits for `n` of them; false
  // if they do not come.
  bool has_got(const std::string& word, std::size_t n) {
    std::unique_lock lock(mutex_);
    return stirred_.wait_for(lock, std::chrono::seconds{20}, [&] { return got_[word] >= n; });
  }

  // ## What it does

  // Commands with this word get no answer until `release`, nor does what comes
  // behind them on the same connection.
  void hold(const std::string& word) {
    const std::lock_guard lock(mutex_);
    held_ = word;
  }
  void release() {
    const std::lock_guard lock(mutex_);
    held_.clear();
  }
  // Closes all connections there are.
  void hang_up() {
    later([this] { drop_all(); });
  }
  // Says this on all connections, and returns when it has arrived there.
  void say(const std::string& bytes) {
    later([this, bytes] {
      for (const auto& each : clients_) {
        send(each.first, bytes);
        for (int on_its_way = 1; on_its_way > 0;)
          if (::ioctl(each.first, SIOCOUTQ, &on_its_way) != 0) break;
      }
    });
  }

 private:
  struct Client {
    std::string pending;
    std::vector<Words> waiting;  // not answered yet
  };

  void later(std::function<void()> what) {
    std::unique_lock lock(mutex_);
    errand_ = std::move(what);
    stirred_.wait(lock, [&] { return !errand_; });
  }

  void drop_all() {
    for (const auto& each : clients_) ::close(each.first);
    clients_.clear();
  }

  void serve() {
    for (;;) {
      std::vector<pollfd> all{{listener_, POLLIN, 0}};
      for (const auto& each : clients_) all.push_back({each.first, POLLIN, 0});
      ::poll(all.data(), all.size(), 2);
      const std::lock_guard lock(mutex_);
      if (over_) return;
      if (errand_) {
        errand_();
        errand_ = nullptr;
        stirred_.notify_all();
        continue;  // what was polled may be closed now
      }
      if (all[0].revents) {
        clients_[::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)];
        ++counts_.connections;
      }
      for (std::size_t i = 1; i < all.size(); ++i)
        if (all[i].revents && clients_.contains(all[i].fd)) receive(all[i].fd);
      for (auto& [fd, client] : clients_) answer(fd, client);
      stirred_.notify_all();
    }
  }

  void receive(int fd) {
    char part[65536];
    const auto n = ::recv(fd, part, sizeof part, 0);
    if (n <= 0) {
      ::close(fd);
      clients_.erase(fd);
      return;
    }
    ++counts_.packets;
    auto& client = clients_[fd];
    client.pending.append(part, static_cast<std::size_t>(n));
    for (Words words; take_command(client.pending, words);) {
      ++counts_.commands;
      ++got_[words[0]];
      client.waiting.push_back(words);
    }
  }

  static bool take_command(std::string& bytes, Words& words) {
    words.clear();
    std::size_t at = 0;
    const auto number = [&](std::size_t& value) {
      const auto end = bytes.find("\r\n", at);
      if (end == bytes.npos) return false;
      std::from_chars(bytes.data() + at + 1, bytes.data() + end, value);
      at = end + 2;
      return true;
    };
    std::size_t count = 0;
    if (bytes.empty() || !number(count)) return false;
    for (; count > 0; --count) {
      std::size_t length = 0;
      if (!number(length) || at + length + 2 > bytes.size()) return false;
      words.push_back(bytes.substr(at, length));
      at += length + 2;
    }
    bytes.erase(0, at);
    return true;
  }

  void answer(int fd, Client& client) {
    std::string out;
    while (!client.waiting.empty() && (held_.empty() || client.waiting.front()[0] != held_)) {
      out += reply_to(client.waiting.front());
      client.waiting.erase(client.waiting.begin());
    }
    send(fd, out);
  }

  // A server without sessions whose namespace has been set up.
  static std::string reply_to(const Words& words) {
    const auto text = [](const std::string& t) { return "$" + std::to_string(t.size()) + "\r\n" + t + "\r\n"; };
    if (words[0] == "HMGET") return "*2\r\n" + text("1") + text(std::string(32, 's'));
    if (words[0] == "GET") return "$-1\r\n";
    if (words[0] == "INFO") return text("redis_version:7.0.15\r\n");
    if (words[0] == "CONFIG") return "*0\r\n";
    if (words[0] == "EVALSHA") return "*1\r\n" + text("done");
    if (words[0] == "WAIT") return ":1\r\n";
    return "+OK\r\n";
  }

  static void send(int fd, std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
  }

  int listener_;
  std::uint16_t port_ = 0;
  std::mutex mutex_;  // over all below; held by the thread but for its poll
  std::condition_variable stirred_;
  bool over_ = false;
  std::function<void()> errand_;
  std::string held_;
  Counts counts_;
  std::map<std::string, std::size_t> got_;
  std::map<int, Client> clients_;  // changed by the thread alone
  std::thread thread_;
};

}  // namespace sancho::test
