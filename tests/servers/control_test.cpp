// How a test in C++ meets its servers: it reads where they are, and has them
// killed, frozen and started again.
#include "support/servers.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>

namespace sancho::test {
namespace {

// What a memcached answers to `line`: "" if nobody listens, "..." if nothing comes.
std::string answer(int port, const std::string& line) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::string found;
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) {
    EXPECT_EQ(::send(socket, line.data(), line.size(), MSG_NOSIGNAL), static_cast<ssize_t>(line.size()));
    pollfd readable{socket, POLLIN, 0};
    char buffer[256];
    found = ::poll(&readable, 1, 500) == 1 ? std::string(buffer, static_cast<std::size_t>(::read(socket, buffer, sizeof buffer))) : "...";
  }
  ::close(socket);
  return found;
}

TEST(ServerControl, AServerIsKilledFrozenAndStartedAgain) {
  const std::string uri = server_uri("MEMCACHED");
  ASSERT_EQ(uri.substr(0, 22), "memcached://127.0.0.1:");
  const int port = std::stoi(uri.substr(22));
  ServerControl servers;
  EXPECT_NE(answer(port, "version\r\n").find("VERSION"), std::string::npos);
  servers.ask("freeze memcached.0");
  EXPECT_EQ(answer(port, "version\r\n"), "...");
  servers.ask("thaw memcached.0");
  EXPECT_NE(answer(port, "version\r\n").find("VERSION"), std::string::npos);
  servers.ask("kill memcached.0");
  EXPECT_EQ(answer(port, "version\r\n"), "");
  servers.ask("start memcached.0");
  EXPECT_NE(answer(port, "version\r\n").find("VERSION"), std::string::npos);
}

TEST(ServerControl, AnswersCarryValuesAndErrorsSayWhy) {
  ServerControl servers;
  EXPECT_EQ(servers.ask("ask redis ECHO Dulcinea"), "Dulcinea");
  const auto error = [&](const char* line) {
    try {
      return servers.ask(line);
    } catch (const std::runtime_error& e) {
      return std::string(e.what());
    }
  };
  EXPECT_NE(error("promote redis").find("redis has no promote"), std::string::npos);
  EXPECT_NE(error("kill pigeon").find("there is no pigeon, but redis memcached"), std::string::npos);
  EXPECT_NE(error("prepare redis").find("the words are start"), std::string::npos);
  EXPECT_NE(error("ask redis PIGEON").find("unknown command"), std::string::npos);
  EXPECT_EQ(servers.ask("ask redis PING"), "PONG");
}

}  // namespace
}  // namespace sancho::test
