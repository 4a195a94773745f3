// The real servers that a test got from tests/servers/with_server.py, and how to
// kill them. tests/servers/README.md has the kinds and their variables.
//
//     const std::string uri = server_uri("REDIS");   // of SANCHO_TEST_REDIS
//     ServerControl servers;
//     servers.ask("kill redis");
//     servers.ask("start redis");                    // returns when it answers
#pragma once

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

namespace sancho::test {

// The store URI of a server; empty if the test was started without it.
inline std::string server_uri(const std::string& name) {
  const char* uri = std::getenv(("SANCHO_TEST_" + name).c_str());
  return uri ? uri : "";
}

class ServerControl {
 public:
  ServerControl() : socket_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const std::string path = server_uri("CONTROL");
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.empty() || path.size() >= sizeof address.sun_path) throw std::runtime_error("no servers: use with_server.py");
    std::memcpy(address.sun_path, path.data(), path.size());
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
      throw std::runtime_error("the servers' control does not answer at " + path);
  }
  ~ServerControl() { ::close(socket_); }
  ServerControl(const ServerControl&) = delete;
  ServerControl& operator=(const ServerControl&) = delete;

  // What tests/servers/control.py answers, without its "ok"; throws what it says
  // if it is an error.
  std::string ask(std::string_view line) {
    const std::string request = std::string(line) + "\n";
    if (::send(socket_, request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size()))
      throw std::runtime_error("the servers' control is gone");
    std::string answer;
    for (char c = 0; ::read(socket_, &c, 1) == 1 && c != '\n';) answer += c;
    if (answer.substr(0, 2) != "ok") throw std::runtime_error(request + answer);
    return answer.size() > 3 ? answer.substr(3) : "";
  }

 private:
  int socket_;
};

}  // namespace sancho::test
