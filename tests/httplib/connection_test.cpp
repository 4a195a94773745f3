// # A connection, and who is at its other end
//
// Over TCP on loopback, because it asks for addresses.
#include "connection.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>
#include <string>
#include <thread>

namespace sancho {
namespace {

using std::chrono::milliseconds;

// A socket that is closed, once.
class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) { EXPECT_GE(descriptor, 0) << std::strerror(errno); }
  ~Socket() { close(); }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  int get() const { return descriptor_; }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

 private:
  int descriptor_;
};

sockaddr_in name_of(int descriptor) {
  sockaddr_in name{};
  socklen_t size = sizeof name;
  EXPECT_EQ(getsockname(descriptor, reinterpret_cast<sockaddr*>(&name), &size), 0);
  return name;
}

// Two ends.
class HttplibConnectionTest : public testing::Test {
 protected:
  HttplibConnectionTest() {
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(bind(listener_.get(), reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
    EXPECT_EQ(listen(listener_.get(), 1), 0);
    const auto there = name_of(listener_.get());
    EXPECT_EQ(connect(client_.get(), reinterpret_cast<const sockaddr*>(&there), sizeof there), 0);
    server_.emplace(accept(listener_.get(), nullptr, nullptr));
    // As cpp-httplib sets it.
    const timeval most{.tv_sec = 0, .tv_usec = 200'000};
    EXPECT_EQ(setsockopt(server_->get(), SOL_SOCKET, SO_SNDTIMEO, &most, sizeof most), 0);
    connection_.emplace(server_->get(), milliseconds(200), milliseconds(200));
  }

  void say(std::string_view text) { EXPECT_EQ(::send(client_.get(), text.data(), text.size(), 0), static_cast<ssize_t>(text.size())); }

  // As cpp-httplib reads a head: a byte at a time, up to the empty line.
  std::string read_head() {
    std::string head;
    for (char c = 0; !head.ends_with("\r\n\r\n") && connection_->read(&c, 1) == 1;) head += c;
    return head;
  }

  Socket listener_{::socket(AF_INET, SOCK_STREAM, 0)}, client_{::socket(AF_INET, SOCK_STREAM, 0)};
  std::optional<Socket> server_;
  std::optional<HttplibConnection> connection_;
};

constexpr std::string_view head = "GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n";

TEST_F(HttplibConnectionTest, KeepsAHeadThatComesInPieces) {
  connection_->begin_head();
  std::thread pieces([&] {
    for (std::size_t at = 0; at < head.size(); at += 7) {
      say(head.substr(at, 7));
      std::this_thread::sleep_for(milliseconds(1));
    }
    say("body");
  });
  EXPECT_EQ(read_head(), head);
  EXPECT_EQ(connection_->end_head(), head);
  EXPECT_EQ(connection_->body_read(), 0u);
  std::string body(4, ' ');
  for (std::size_t at = 0; at < body.size();) {
    const auto n = connection_->read(body.data() + at, body.size() - at);
    ASSERT_GT(n, 0);
    at += static_cast<std::size_t>(n);
  }
  pieces.join();
  EXPECT_EQ(body, "body");
  EXPECT_EQ(connection_->body_read(), 4u);
  EXPECT_EQ(connection_->end_head(), head) << "what came behind it is no part of it";
}

TEST_F(HttplibConnectionTest, KeepsTheHeadsOfRequestsThatCameTogether) {
  const std::string second = "GET /2 HTTP/1.1\r\nHost: localhost\r\n\r\n", third = "GET /3 HTTP/1.1\r\nHost: localhost\r\n\r\n";
  say(std::string(head) + "body" + second + third);
  connection_->begin_head();
  EXPECT_EQ(read_head(), head);
  EXPECT_EQ(connection_->end_head(), head);
  char body[4];
  EXPECT_EQ(connection_->read(body, sizeof body), 4);
  for (const auto& next : {second, third}) {
    connection_->begin_head();
    EXPECT_EQ(read_head(), next);
    EXPECT_EQ(connection_->end_head(), next);
  }
}

TEST_F(HttplibConnectionTest, KeepsAHeadThatIsLargerThanItsBuffer) {
  const auto large = "GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n";
  say(large);
  connection_->begin_head();
  EXPECT_EQ(read_head(), large);
  EXPECT_EQ(connection_->end_head(), large);
}

TEST_F(HttplibConnectionTest, ReadsNoMoreOfAHeadThanItKeeps) {
  std::thread writer([&] { (void)!::send(client_.get(), std::string(2 * HttplibConnection::max_head, 'x').data(), 2 * HttplibConnection::max_head, MSG_NOSIGNAL); });
  connection_->begin_head();
  EXPECT_EQ(read_head().size(), HttplibConnection::max_head);
  EXPECT_EQ(connection_->end_head().size(), HttplibConnection::max_head);
  shutdown(server_->get(), SHUT_RDWR);
  writer.join();
}

TEST_F(HttplibConnectionTest, WaitsNoLongerThanItsTimeForWhatDoesNotCome) {
  const auto begun = std::chrono::steady_clock::now();
  char c = 0;
  EXPECT_EQ(connection_->read(&c, 1), -1);
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(200));
}

TEST_F(HttplibConnectionTest, WaitsForWhatComesInTime) {
  std::thread late([&] {
    std::this_thread::sleep_for(milliseconds(50));
    say("x");
  });
  char c = 0;
  EXPECT_EQ(connection_->read(&c, 1), 1);
  late.join();
  EXPECT_EQ(c, 'x');
}

TEST_F(HttplibConnectionTest, KnowsWhenTheOtherEndHasGone) {
  client_.close();
  char c = 0;
  EXPECT_EQ(connection_->read(&c, 1), -1);
}

// At once: cpp-httplib does not look at how much was taken.
TEST_F(HttplibConnectionTest, WritesALargeBodyToASlowReader) {
  const timeval long_enough{.tv_sec = 30, .tv_usec = 0};
  EXPECT_EQ(setsockopt(server_->get(), SOL_SOCKET, SO_SNDTIMEO, &long_enough, sizeof long_enough), 0);
  std::string body(8'000'000, ' ');
  for (std::size_t i = 0; i < body.size(); ++i) body[i] = static_cast<char>('a' + i * 31 % 26);
  std::string read;
  std::thread reader([&] {
    std::string piece(300'000, ' ');
    for (ssize_t n = 1; n > 0 && read.size() < body.size(); read.append(piece, 0, static_cast<std::size_t>(n))) {
      std::this_thread::sleep_for(milliseconds(2));
      n = std::max<ssize_t>(recv(client_.get(), piece.data(), piece.size(), 0), 0);
    }
  });
  EXPECT_EQ(connection_->write(body.data(), body.size()), static_cast<ssize_t>(body.size()));
  shutdown(server_->get(), SHUT_WR);
  reader.join();
  EXPECT_TRUE(read == body);
}

TEST_F(HttplibConnectionTest, WaitsNoLongerThanItsTimeForWhoDoesNotRead) {
  const std::string body(1'000'000, 'x');
  const auto begun = std::chrono::steady_clock::now();
  while (connection_->write(body.data(), body.size()) == static_cast<ssize_t>(body.size()))
    ASSERT_LT(std::chrono::steady_clock::now() - begun, std::chrono::seconds(30));
  EXPECT_GE(std::chrono::steady_clock::now() - begun, milliseconds(200));
}

TEST_F(HttplibConnectionTest, KnowsBothEndsAndRemembersThem) {
  const auto client = name_of(client_.get()), server = name_of(server_->get());
  for (const bool gone : {false, true}) {
    if (gone) {
      client_.close();
      shutdown(server_->get(), SHUT_RDWR);
    }
    std::string ip;
    int port = 0;
    connection_->get_remote_ip_and_port(ip, port);
    EXPECT_EQ(ip, "127.0.0.1");
    EXPECT_EQ(port, ntohs(client.sin_port));
    connection_->get_local_ip_and_port(ip, port);
    EXPECT_EQ(ip, "127.0.0.1");
    EXPECT_EQ(port, ntohs(server.sin_port));
  }
}

}  // namespace
}  // namespace sancho
