// Several requests on a connection, and connections that misbehave.
#include <latch>

#include "site.hpp"

namespace sancho::test {
namespace {

using ConnectionTest = Site;

TEST_F(ConnectionTest, TwoUsersOnOneConnectionStayApart) {
  start();
  const auto ada = log_in("ada"), bob = log_in("bob");
  Client proxy(port);
  for (int i = 1; i <= 10; ++i) {
    EXPECT_EQ(proxy.ask(get("/count", with(ada))).body, "ada " + std::to_string(i));
    EXPECT_EQ(proxy.ask(get("/count", with(bob))).body, "bob " + std::to_string(i));
    EXPECT_EQ(proxy.ask(get("/look")).body, "nobody 0");
  }
}

TEST_F(ConnectionTest, RequestsSentAheadAreAnsweredInOrderEachWithItsOwnSession) {
  start();
  const auto ada = log_in("ada"), bob = log_in("bob");
  Client client(port);
  std::string ahead;
  for (int i = 0; i < 20; ++i)
    ahead += get("/look", with(ada)) + post("/login", "name=carl") + get("/look") + get("/look", with(bob));
  client.send(ahead);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(client.receive().body, "ada 0");
    EXPECT_EQ(client.receive().body, "welcome");
    EXPECT_EQ(client.receive().body, "nobody 0");
    EXPECT_EQ(client.receive().body, "bob 0");
  }
}

TEST_F(ConnectionTest, ARequestInPiecesIsOneRequest) {
  start();
  const auto ada = log_in("ada");
  Client client(port);
  for (const char c : get("/look", with(ada))) client.send({&c, 1});
  EXPECT_EQ(client.receive().body, "ada 0");
}

// Else the body, which an attacker writes, would be the next request of whoever
// shares the connection.
TEST_F(ConnectionTest, ABodyThatNobodyReadIsNotTheNextRequest) {
  start();
  const auto smuggled = get("/count", with(log_in("ada")));
  const auto size = std::to_string(smuggled.size());
  for (const std::string& lines : {"Content-Length: " + size + "\r\n", "Content-Length: " + size + "\r\nContent-Length: 0\r\n",
                                  std::string("Transfer-Encoding: chunked\r\n"), std::string("Content-Length: %30\r\n"),
                                  "Content-Length : " + size + "\r\n", "Content-Length: " + size + "\n",
                                  std::string("Transfer-Encoding : chunked\r\n")}) {
    Client client(port);
    EXPECT_EQ(client.ask(get("/look", lines) + smuggled).body, "nobody 0") << lines;
    EXPECT_EQ(client.receive().status, 0) << lines;
  }
}

TEST_F(ConnectionTest, ABodyThatIsTooLargeIsNotTheNextRequestEither) {
  server.set_payload_max_length(100);
  start();
  const auto ada = log_in("ada");
  const auto smuggled = get("/count", with(ada));
  Client client(port);
  EXPECT_EQ(client.ask(post("/login", std::string(200, 'a') + smuggled)).status, 413);
  const auto next = client.ask(get("/look"));
  EXPECT_TRUE(next.status == 0 || next.body == "nobody 0") << next.body;
  EXPECT_EQ(look(ada), "ada 0");
}

TEST_F(ConnectionTest, AHeadWithoutEndIsNotReadForEver) {
  start();
  for (const std::string& piece : {std::string(1000, 'a'), "X: " + std::string(1000, 'a') + "\r\n"}) {
    Client client(port);
    client.send("GET /look HTTP/1.1\r\nX: ");
    for (int i = 0; i < 200; ++i) client.send(piece);
    const auto status = client.receive().status;
    EXPECT_TRUE(status == 0 || status == 400) << status;
    EXPECT_EQ(client.receive().status, 0);
  }
  EXPECT_EQ(ask(get("/look")).status, 200);
}

TEST_F(ConnectionTest, TheAddressOfTheOtherEndIsNotAHeadersWord) {
  std::string seen, address;
  server.Get("/who", sessions.wrap([&](Scope& scope, const Req& req, Res&) {
    seen = req.get_header_value("REMOTE_ADDR");
    address = scope.remote_address();
  }));
  start();
  for (const std::string name : {"REMOTE_ADDR", "remote_addr", "Remote_Addr"}) {
    ask(get("/who", name + ": 10.0.0.1\r\nX-Forwarded-For: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\n"));
    EXPECT_EQ(seen, "127.0.0.1") << name;
    EXPECT_EQ(address, "127.0.0.1") << name;
  }
}

TEST_F(ConnectionTest, ManyThreadsCountExactly) {
  start();
  const auto id = log_in("ada");
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t)
    threads.emplace_back([&] {
      Client client(port);
      for (int i = 0; i < 50; ++i) EXPECT_EQ(client.ask(get("/count", with(id))).status, 200);
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(look(id), "ada 400");
}

TEST_F(ConnectionTest, StopWaitsForRequestsInProgress) {
  std::latch begun(1), may_end(1);
  server.Get("/slow", sessions.wrap([&](SiteSession& s, const Req&, Res& res) {
    ++s.visits;
    begun.count_down();
    may_end.wait();
    res.set_content("done", "text/plain");
  }));
  start();
  Client idle(port), client(port);
  EXPECT_EQ(idle.ask(get("/look")).status, 200);
  client.send(get("/slow"));
  begun.wait();
  std::thread stopper([this] { stop(); });
  while (server.is_running()) {
    // `stop` closes the door first, and then waits.
    const int s = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<std::uint16_t>(port));
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const bool open = ::connect(s, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
    ::close(s);
    if (!open) break;
  }
  may_end.count_down();
  const auto reply = client.receive();
  stopper.join();
  EXPECT_EQ(reply.body, "done");
  EXPECT_FALSE(reply.cookie(sid).empty());
  EXPECT_EQ(store->sessions(), 1u);
}

TEST_F(ConnectionTest, APortInUseIsAnError) {
  start();
  HttplibServer second;
  EXPECT_FALSE(second.bind_to_port("127.0.0.1", port));
}

}  // namespace
}  // namespace sancho::test
