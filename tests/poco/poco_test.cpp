// What is POCO's own: words that it decodes, its reading of heads, bodies that nobody reads.
#include "sancho/adapters/poco.hpp"

#include <Poco/ErrorHandler.h>
#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>
#include <Poco/Net/NetException.h>
#include <gmock/gmock.h>

#include <atomic>

#include "../adapter/client.hpp"
#include "sancho/error.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::test {
namespace {

namespace net = Poco::Net;

// A handler without a session, which reads as much of the body as it is told.
struct Plain final : net::HTTPRequestHandler {
  explicit Plain(int bytes) : most(bytes) {}
  void handleRequest(net::HTTPServerRequest& request, net::HTTPServerResponse& response) override {
    std::string body;
    for (int c; most-- > 0 && (c = request.stream().get()) != EOF;) body += static_cast<char>(c);
    response.sendBuffer(body.data(), body.size());
  }
  int most;
};

class PocoTest : public testing::Test, public net::HTTPRequestHandlerFactory {
 protected:
  struct Served final : net::HTTPRequestHandlerFactory {
    explicit Served(PocoTest& t) : test(t) {}
    net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest& r) override {
      return test.createRequestHandler(r);
    }
    PocoTest& test;
  };
  net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest& request) override {
    const auto path = request.getURI();
    if (path == "/nothing") return new Plain(0);
    if (path == "/half") return new Plain(2);
    if (path == "/plain") return new Plain(1 << 20);
    return sessions.handler([this, path](Session& session, const PocoRequest& r, Response& response) {
      ++ran;
      if (path == "/in") session.set_user("ada");
      response.text(session.get_user().value_or("nobody") + " " + r.body());
      if (path == "/broken") response.stream = [](const Response::Send& send) { send("half"), throw 42; };
      if (path == "/stream") response.stream = [](const Response::Send& send) { send("one, "), send(""), send("two"); };
    });
  }

  PocoTest() {
    params->setKeepAliveTimeout(Poco::Timespan(5, 0));
    start(PocoServerSocket(net::SocketAddress("127.0.0.1", 0)));
  }
  ~PocoTest() override { server->stopAll(true); }
  void start(const net::ServerSocket& socket) {
    if (server) server->stopAll(true);
    server = std::make_unique<net::HTTPServer>(new Served(*this), socket, params);
    server->start();
  }
  int port() const { return server->port(); }
  static std::string get(const std::string& path, const std::string& lines = {},
                         const std::string& protocol = "HTTP/1.1") {
    return "GET " + path + " " + protocol + "\r\nHost: 127.0.0.1\r\n" + lines + "\r\n";
  }
  static std::string post(const std::string& path, const std::string& lines, const std::string& body) {
    return "POST " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\n" + lines + "\r\n" + body;
  }
  Reply ask(const std::string& bytes) const { return Client(port()).ask(bytes); }
  std::string logged_in() const { return ask(get("/in")).cookie("__Host-Http-sid"); }

  SessionManager<> manager{open_memory_store()};
  PocoSessions<Session> sessions{manager, {.max_body = 100}};
  net::HTTPServerParams::Ptr params = new net::HTTPServerParams;
  std::unique_ptr<net::HTTPServer> server;
  std::atomic<int> ran = 0;
};

// POCO decodes them, and hands out cookies that no browser sent.
TEST_F(PocoTest, AnEncodedWordForgesNoCookie) {
  const auto id = logged_in();
  ASSERT_EQ(id.size(), 43U);
  EXPECT_EQ(ask(get("/", "Cookie: __Host-Http-sid=" + id + "\r\n")).body, "ada ");
  for (const std::string word : {"=?UTF-8?Q?=3B_", "=?us-ascii?q?=3b=20"})
    EXPECT_EQ(ask(get("/", "Cookie: x=" + word + "__Host-Http-sid=3D" + id + "?=\r\n")).body, "nobody ") << word;
  EXPECT_EQ(ask(get("/", "Cookie: __Host-Http-sid==?UTF-8?Q?" + id + "?=\r\n")).body, "nobody ");
}

TEST_F(PocoTest, AnotherSocketIsRefused) {
  struct Silent : Poco::ErrorHandler {
    void exception(const std::exception& e) override {
      broke_a_rule = broke_a_rule || dynamic_cast<const UsageError*>(&e);
    }
    std::atomic<bool> broke_a_rule = false;
  } heard;
  auto* const before = Poco::ErrorHandler::set(&heard);
  start(net::ServerSocket(net::SocketAddress("127.0.0.1", 0)));
  EXPECT_EQ(ask(get("/in")).status, 500);
  server->stopAll(true);
  Poco::ThreadPool::defaultPool().joinAll();
  Poco::ErrorHandler::set(before);
  EXPECT_TRUE(heard.broke_a_rule);
  EXPECT_EQ(ran, 0);
}

// It joins lines, ends a head at a byte of 255, and takes the first of two lengths.
TEST_F(PocoTest, AHeadThatIsReadInTwoWaysReachesNoHandlerAndIsTheConnectionsLast) {
  for (const std::string wrong :
       {" more: lines\r\n", "Cookie : a=b\r\n", "A: b\nC: d\r\n", "A: \xff\r\n", "A: \x01\r\n",
        "Content-Length: 0\r\nContent-Length: 5\r\n", "Content-Length: 1x\r\n", "Content-Length: +1\r\n",
        "Content-Length:\r\n", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"}) {
    Client client(port());
    const auto reply = client.ask(get("/in", wrong) + get("/in"));
    EXPECT_TRUE(reply.status == 400 || reply.status == 0) << wrong << reply.status;  // POCO hangs up on some
    EXPECT_EQ(client.receive().status, 0) << wrong;
  }
  EXPECT_EQ(ran, 0);
}

// POCO reads a head in pieces of some 4 KiB, and takes one of two bytes for its
// end; what follows it reads as another request.
TEST_F(PocoTest, WhateverALinesLengthNothingOfAHeadIsANextRequest) {
  int refused = 0;
  for (std::size_t size = 4060; size < 4100; ++size) {
    const auto line = "X: " + std::string(size, 'x') + "\r\n";
    const auto reply = ask(get("/", line + "A: /in HTTP/1.1\r\nSec-Fetch-Site: same-origin\r\n"));
    EXPECT_TRUE(reply.status == 400 || reply.body == "nobody ") << size << " " << reply.status << reply.body;
    refused += reply.status == 400;
  }
  EXPECT_EQ(refused, 1);  // where the pieces end
  EXPECT_EQ(manager.store().scan()->count(Deadline::after(std::chrono::seconds(5))), 0U);
}

TEST_F(PocoTest, ABodyThatNobodyReadIsNotTheNextRequest) {
  const auto smuggled = get("/in");
  const auto length = "Content-Length: " + std::to_string(smuggled.size()) + "\r\n";
  const auto chunk = "0" + std::string(1, "0123456789abcdef"[smuggled.size() / 16]) +
                     std::string(1, "0123456789abcdef"[smuggled.size() % 16]);
  for (const std::string path : {"/nothing", "/half"})
    for (const auto& bytes : {post(path, length, smuggled), post(path, "Transfer-Encoding: chunked\r\n",
                                                                 chunk + "\r\n" + smuggled + "\r\n0\r\n\r\n")}) {
      Client client(port());
      EXPECT_EQ(client.ask(bytes).status, 200) << path;
      const auto next = client.ask(get("/"));
      EXPECT_TRUE(next.status == 0 || next.body == "nobody ") << path << next.status << next.body;
    }
  EXPECT_EQ(manager.store().scan()->count(Deadline::after(std::chrono::seconds(5))), 0U);
}

TEST_F(PocoTest, AHandlerWithoutASessionReadsItsBodyAndTheConnectionGoesOn) {
  Client client(port());
  EXPECT_EQ(client.ask(post("/plain", "Content-Length: 5\r\n", "hello")).body, "hello");
  EXPECT_EQ(client.ask(post("/in", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\nX: y\r\n\r\n")).body,
            "ada hello");
  EXPECT_EQ(client.ask(post("/plain", "Transfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n")).body, "hello");
  EXPECT_EQ(client.ask(post("/", "Content-Length: 3\r\n", "abc") + get("/in")).body, "nobody abc");
  EXPECT_EQ(client.receive().body, "ada ");
}

TEST_F(PocoTest, ABodyBeyondTheBoundReachesNoHandler) {
  EXPECT_EQ(ask(post("/in", "Content-Length: 101\r\n", "")).status, 413);
  EXPECT_EQ(
      ask(post("/in", "Transfer-Encoding: chunked\r\n", "65\r\n" + std::string(101, 'a') + "\r\n0\r\n\r\n")).status,
      413);
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(ask(post("/in", "Content-Length: 100\r\n", std::string(100, 'a'))).status, 200);
}

TEST_F(PocoTest, AStreamIsWholeForWhoKnowsNoChunks) {
  const auto old = ask(get("/stream", "", "HTTP/1.0"));
  EXPECT_EQ(old.body, "one, two");
  EXPECT_EQ(old.header("Content-Length"), "8");
  EXPECT_EQ(ask(get("/stream")).body, "one, two");
  EXPECT_EQ(ask(get("/stream")).header("Transfer-Encoding"), "chunked");
}

TEST_F(PocoTest, AStreamThatThrowsIsNotEndedWell) {
  Client client(port());
  client.send(get("/broken"));
  EXPECT_THROW(client.receive(), std::invalid_argument);  // there is no next chunk, nor a last one
}

TEST_F(PocoTest, APortInUseIsAnError) {
  EXPECT_THROW(PocoServerSocket(net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port()))), net::NetException);
}

}  // namespace
}  // namespace sancho::test
