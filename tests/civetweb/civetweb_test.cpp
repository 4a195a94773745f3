// What is CivetWeb's own: its room for lines, its reading of lengths.
#include "sancho/adapters/civetweb.hpp"

#include <gmock/gmock.h>

#include "../adapter/client.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::test {
namespace {

using testing::HasSubstr;

class CivetwebTest : public testing::Test {
 protected:
  CivetwebTest() {
    const char* settings[] = {"listening_ports", "127.0.0.1:0", "num_threads", "4", "enable_keep_alive", "yes", nullptr};
    server = mg_start(nullptr, nullptr, settings);
    mg_server_port bound[1];
    mg_get_server_ports(server, 1, bound);
    port = bound[0].port;
    sessions.handle(server, "/in", [this](Session& session, const CivetwebRequest&, Response& response) {
      ++ran;
      session.set_user("ada");
      response.text("hello");
    });
  }
  ~CivetwebTest() override { mg_stop(server); }

  Reply ask(const std::string& lines, const std::string& path = "/in", const std::string& protocol = "HTTP/1.1") const {
    return Client(port).ask("GET " + path + " " + protocol + "\r\nHost: 127.0.0.1\r\n" + lines + "\r\n");
  }
  std::size_t kept() { return manager.store().scan()->count(Deadline::after(std::chrono::seconds(5))); }

  SessionManager<> manager{open_memory_store()};
  CivetwebSessions<Session> sessions{manager, {.max_body = 100}};
  mg_context* server = nullptr;
  int port = 0, ran = 0;
};

std::string lines(int n) {
  std::string all;
  for (int i = 0; i < n; ++i) all += "X-" + std::to_string(i) + ": 1\r\n";
  return all;
}

// Among the lines that it drops without a word may be a second session cookie.
TEST_F(CivetwebTest, AHeadThatItHasNoRoomForReachesNoHandler) {
  EXPECT_EQ(ask(lines(60)).status, 200);
  for (const int n : {63, 64, 200}) EXPECT_EQ(ask(lines(n)).status, 431) << n;
  EXPECT_EQ(ran, 1);
}

TEST_F(CivetwebTest, ALengthThatIsNoneReachesNoHandlerAndIsTheConnectionsLast) {
  for (const std::string wrong : {"Content-Length: 0\r\nContent-Length: 5\r\n", "Content-Length: 1x\r\n", "Content-Length: +1\r\n", "Content-Length:\r\n",
                                  "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"}) {
    Client client(port);
    const auto reply = client.ask("GET /in HTTP/1.1\r\nHost: 127.0.0.1\r\n" + wrong + "\r\n");
    EXPECT_TRUE(reply.status == 400 || reply.status == 411) << wrong << reply.status;
    EXPECT_EQ(client.receive().status, 0) << wrong;
  }
  EXPECT_EQ(ran, 0);
}

TEST_F(CivetwebTest, ABodyBeyondTheBoundReachesNoHandler) {
  EXPECT_EQ(ask("Content-Length: 101\r\n").status, 413);
  EXPECT_EQ(Client(port).ask("GET /in HTTP/1.1\r\nHost: 127.0.0.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(101, 'a') + "\r\n0\r\n\r\n").status, 413);
  EXPECT_EQ(ran, 0);
}

// Its own lines, `Set-Cookie` among them, would be dropped.
TEST_F(CivetwebTest, AHandlerThatLeavesNoRoomForTheSessionsLinesSavesNothing) {
  sessions.handle(server, "/wide", [](Session& session, const CivetwebRequest& request, Response& response) {
    session.set_user("ada");
    for (int i = 0; i < std::stoi(request.field("n").value()); ++i) response.add("X-Wide", std::to_string(i));
  });
  EXPECT_EQ(ask("", "/wide?n=51").status, 500);
  EXPECT_EQ(kept(), 0U);
  const auto reply = ask("", "/wide?n=50");
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.all("X-Wide").size(), 50U);
  EXPECT_EQ(reply.all("Set-Cookie").size(), 1U);
}

TEST_F(CivetwebTest, AStreamIsWholeForWhoKnowsNoChunks) {
  sessions.handle(server, "/stream", [](Session&, const CivetwebRequest&, Response& response) {
    response.body = "not this";
    response.stream = [](const Response::Send& send) { send("one, "), send(""), send("two"); };
  });
  const auto old = ask("", "/stream", "HTTP/1.0");
  EXPECT_EQ(old.body, "one, two");
  EXPECT_EQ(old.header("Content-Length"), "8");
  EXPECT_EQ(ask("", "/stream").header("Transfer-Encoding"), "chunked");
}

TEST_F(CivetwebTest, AStreamThatThrowsEndsTheConnection) {
  sessions.handle(server, "/half", [](Session&, const CivetwebRequest&, Response& response) {
    response.stream = [](const Response::Send& send) {
      send("half");
      throw 42;
    };
  });
  Client client(port);
  client.send("GET /half HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
  EXPECT_THROW(client.receive(), std::invalid_argument);  // there is no next chunk, nor a last one
}

}  // namespace
}  // namespace sancho::test
