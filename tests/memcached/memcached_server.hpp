// A memcached of the test's own, to be stopped, frozen and started again on the
// same port. It ends with the test, however that ends.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace sancho::memcached_test {

inline bool memcached_is_installed() { return ::access("/usr/bin/memcached", X_OK) == 0; }

inline sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

// Below the range of outgoing connections, so that it stays free while its
// server is down.
inline std::uint16_t free_port() {
  std::random_device chance;
  for (;;) {
    const auto port = static_cast<std::uint16_t>(std::uniform_int_distribution<int>(10000, 32000)(chance));
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto address = loopback(port);
    const bool free = ::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(fd);
    if (free) return port;
  }
}

// memcached's text protocol, as another program would speak it.
class Raw {
 public:
  explicit Raw(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const timeval patience{.tv_sec = 10, .tv_usec = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const auto address = loopback(port);
    open_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  ~Raw() { ::close(fd_); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;
  bool open() const { return open_; }

  // Sends the command and reads until what came ends with `end`.
  std::string ask(const std::string& command, const std::string& end = "\r\n") {
    const auto whole = command + "\r\n";
    if (::send(fd_, whole.data(), whole.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(whole.size())) return {};
    std::string answer;
    char room[4096];
    while (!answer.ends_with(end)) {
      const auto got = ::recv(fd_, room, sizeof room, 0);
      if (got <= 0) break;
      answer.append(room, static_cast<std::size_t>(got));
    }
    return answer;
  }
  void set(const std::string& key, const std::string& value, int exptime = 0) {
    ask("set " + key + " 0 " + std::to_string(exptime) + " " + std::to_string(value.size()) + "\r\n" + value);
  }
  bool has(const std::string& key) { return ask("get " + key, "END\r\n") != "END\r\n"; }
  long statistic(const std::string& name) {
    const auto all = ask("stats", "END\r\n");
    const auto at = all.find("STAT " + name + " ");
    return at == all.npos ? -1 : std::stol(all.substr(at + 6 + name.size()));
  }

 private:
  int fd_;
  bool open_ = false;
};

class Server {
 public:
  explicit Server(std::vector<std::string> settings = {}) : settings_(std::move(settings)), port_(free_port()) {
    start();
  }
  ~Server() { kill(); }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  void start() {
    std::vector<std::string> words{"memcached", "-l", "127.0.0.1", "-U", "0", "-t", "2", "-p", std::to_string(port_)};
    if (::geteuid() == 0) words.insert(words.end(), {"-u", "nobody"});
    words.insert(words.end(), settings_.begin(), settings_.end());
    std::vector<char*> arguments;
    for (auto& each : words) arguments.push_back(each.data());
    arguments.push_back(nullptr);
    const auto parent = ::getpid();
    process_ = ::fork();
    if (process_ == 0) {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) ::_exit(1);
      ::execv("/usr/bin/memcached", arguments.data());
      ::_exit(127);
    }
    const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds{20};
    while (!Raw(port_).open()) {
      if (::waitpid(process_, nullptr, WNOHANG) != 0) process_ = 0;
      if (process_ == 0 || std::chrono::steady_clock::now() > patience)
        throw std::runtime_error("memcached did not start");
      std::this_thread::sleep_for(std::chrono::milliseconds{2});
    }
  }
  void kill() {
    if (process_ == 0) return;
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = 0;
  }
  void restart() {
    kill();
    start();
  }
  void freeze() {
    ::kill(process_, SIGSTOP);
    int status = 0;
    ::waitpid(process_, &status, WUNTRACED);
  }
  void thaw() { ::kill(process_, SIGCONT); }

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }

 private:
  std::vector<std::string> settings_;
  std::uint16_t port_;
  pid_t process_ = 0;
};

}  // namespace sancho::memcached_test
