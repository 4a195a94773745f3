// What is Pistache's own: its event loop, its file descriptors; and the requests that are read from its bytes.
#include "sancho/adapters/pistache.hpp"

#include <gmock/gmock.h>
#include <openssl/ssl.h>
#include <pistache/endpoint.h>
#include <pistache/peer.h>
#include <sys/resource.h>

#include <atomic>
#include <future>
#include <thread>

#include "../adapter/client.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::test {
namespace {

class PistacheTest : public testing::Test {
 protected:
  PistacheTest() {
    // One event loop: whoever waits on it has everybody wait.
    endpoint.init(Pistache::Http::Endpoint::options().threads(1));
    const auto serve =
        PistacheSessions(manager).wrap([this](RequestScope<Session>& scope, const PistacheRequest& request,
                                              Response& response) { visit(*scope, request, response); });
    endpoint.setHandler(std::make_shared<PistacheHandler>(
        serve, PistacheOptions{.threads = 2, .max_body = 100, .patience = std::chrono::seconds(2)}));
    endpoint.serveThreaded();
    port = endpoint.getPort();
  }
  ~PistacheTest() override { endpoint.shutdown(); }

  void visit(Session& session, const PistacheRequest& request, Response& response) {
    ++ran;
    const auto path = request.path();
    if (path == "/in") session.set_user("ada");
    if (path == "/wait") may_go.get_future().wait();
    if (path == "/none") response.status = 204;
    if (path == "/large") return response.text(std::string(20'000'000, 'x'));
    response.text(session.get_user().value_or("nobody") + " " + request.body());
    if (path == "/stream") response.stream = [](const Response::Send& send) { send("one, "), send(""), send("two"); };
    if (path == "/broken") response.stream = [](const Response::Send& send) { send("half"), throw 42; };
    if (path == "/endless")
      response.stream = [this](const Response::Send& send) {
        while (send(std::string(100'000, 'x'))) {
        }
        nobody_listens.set_value();
      };
  }
  static std::string get(const std::string& path, const std::string& lines = {},
                         const std::string& protocol = "HTTP/1.1") {
    return "GET " + path + " " + protocol + "\r\nHost: 127.0.0.1\r\n" + lines + "\r\n";
  }
  Reply ask(const std::string& bytes) const { return Client(port).ask(bytes); }
  void wait_for_runs(int n) const {
    while (ran < n) std::this_thread::yield();
  }

  std::promise<void> may_go, nobody_listens;
  std::atomic<int> ran = 0;
  SessionManager<> manager{open_memory_store()};
  Pistache::Http::Endpoint endpoint{Pistache::Address("127.0.0.1", 0)};
  int port = 0;
};

TEST_F(PistacheTest, AHandlerThatWaitsHasNobodyElseWait) {
  Client slow(port);
  slow.send(get("/wait"));
  wait_for_runs(1);
  EXPECT_EQ(ask(get("/")).body, "nobody ");
  may_go.set_value();
  EXPECT_EQ(slow.receive().status, 200);
}

// Whoever connects next has the file descriptor of who has left.
TEST_F(PistacheTest, AnAnswerNeverGoesToAnotherClient) {
  {
    Client left(port);
    left.send(get("/wait"));
    wait_for_runs(1);
  }
  std::vector<std::unique_ptr<Client>> others;
  for (int i = 0; i < 20; ++i) {
    others.push_back(std::make_unique<Client>(port));
    EXPECT_EQ(others.back()->ask(get("/in")).body, "ada ");  // it is Pistache's by now
  }
  may_go.set_value();
  for (const auto& other : others) {
    EXPECT_EQ(other->ask(get("/none")).status, 204);  // and nothing before it
  }
}

TEST_F(PistacheTest, AHeadThatIsReadInTwoWaysReachesNoHandlerAndIsTheConnectionsLast) {
  for (const std::string wrong :
       {" more: lines\r\n", "Cookie : a=b\r\n", "A: b\nC: d\r\n", "A: \xff\r\n", "A: \x01\r\n",
        "Content-Length: 0\r\nContent-Length: 5\r\n", "Content-Length: 1x\r\n", "Content-Length: +1\r\n",
        "Content-Length:\r\n", "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n"}) {
    Client client(port);
    EXPECT_EQ(client.ask(get("/in", wrong) + get("/in")).status, 400) << wrong;
    EXPECT_EQ(client.receive().status, 0) << wrong;
  }
  EXPECT_EQ(ask(get("/in", "Transfer-Encoding: chunked\r\n") + "zz\r\n").status, 400);
  EXPECT_EQ(ask(get("/in", "A: " + std::string(70'000, 'a') + "\r\n")).status, 431);
  EXPECT_EQ(ran, 0);
}

TEST_F(PistacheTest, ABodyBeyondTheBoundReachesNoHandler) {
  EXPECT_EQ(ask(get("/in", "Content-Length: 101\r\n")).status, 413);
  EXPECT_EQ(
      ask(get("/in", "Transfer-Encoding: chunked\r\n") + "65\r\n" + std::string(101, 'a') + "\r\n0\r\n\r\n").status,
      413);
  EXPECT_EQ(ran, 0);
  EXPECT_EQ(ask(get("/in", "Content-Length: 100\r\n") + std::string(100, 'a')).status, 200);
}

TEST_F(PistacheTest, RequestsThatCameTogetherAreAnsweredInTheirOrder) {
  Client client(port);
  std::string all = get("/wait");
  for (int i = 0; i < 50; ++i) all += get("/", "Content-Length: 2\r\n") + std::to_string(10 + i);
  client.send(all);
  wait_for_runs(1);
  may_go.set_value();
  EXPECT_EQ(client.receive().body, "nobody ");
  for (int i = 0; i < 50; ++i) EXPECT_EQ(client.receive().body, "nobody " + std::to_string(10 + i));
}

TEST_F(PistacheTest, WhoDoesNotWaitForAnswersGetsNoMore) {
  Client client(port);
  client.send(get("/wait"));
  wait_for_runs(1);
  client.send(std::string(200'000, 'x'));
  while (ask(get("/")).status != 200) {
  }  // the event loop has been around
  may_go.set_value();
  EXPECT_EQ(client.receive().status, 200);
  const auto next = client.receive().status;
  EXPECT_TRUE(next == 0 || next == 431) << next;
}

TEST_F(PistacheTest, AStreamIsWholeForWhoKnowsNoChunks) {
  Client old(port);
  old.send(get("/stream", "", "HTTP/1.0"));
  EXPECT_THAT(old.rest(), testing::EndsWith("\r\n\r\none, two"));  // and then the connection's end
  EXPECT_EQ(ask(get("/stream")).body, "one, two");
  EXPECT_EQ(ask(get("/stream")).header("Transfer-Encoding"), "chunked");
}

TEST_F(PistacheTest, AStreamThatThrowsIsNotEndedWell) {
  Client client(port);
  client.send(get("/broken"));
  EXPECT_THROW(client.receive(), std::invalid_argument);  // there is no next chunk, nor a last one
}

TEST_F(PistacheTest, AStreamWhoseListenerLeavesIsTold) {
  {
    Client client(port);
    client.send(get("/endless"));
    wait_for_runs(1);
  }
  EXPECT_EQ(nobody_listens.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
}

TEST_F(PistacheTest, AnAnswerThatNobodyTakesIsGivenUp) {
  Client idle(port), other(port);
  idle.send(get("/endless"));
  EXPECT_EQ(nobody_listens.get_future().wait_for(std::chrono::seconds(20)), std::future_status::ready);
  EXPECT_EQ(other.ask(get("/large")).body.size(), 20'000'000U);  // and one that is taken comes to its end
}

TEST_F(PistacheTest, AnAnswerThatIsTakenTooSlowlyIsGivenUp) {
  Pistache::Http::Endpoint hasty{Pistache::Address("127.0.0.1", 0)};
  hasty.init(Pistache::Http::Endpoint::options().threads(1));
  hasty.setHandler(std::make_shared<PistacheHandler>(
      [](const PistacheRequest&, Response& response) { response.text(std::string(20'000'000, 'x')); },
      PistacheOptions{.threads = 1, .longest = std::chrono::seconds(1)}));
  hasty.serveThreaded();
  Client slow(hasty.getPort());
  slow.send(get("/"));
  std::size_t taken = 0;
  for (int i = 0; i < 10; ++i) {  // it never takes nothing for long
    taken += slow.bytes(200'000).size();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
  taken += slow.rest().size();
  EXPECT_LT(taken, 20'000'000U);
  hasty.shutdown();
}

TEST_F(PistacheTest, AnAnswerWithoutABodyHasNone) {
  Client client(port);
  client.send("HEAD /in HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + get("/none"));
  const auto head = client.receive(false);
  EXPECT_EQ(head.header("Content-Length"), "4");
  EXPECT_EQ(head.all("Set-Cookie").size(), 1U);
  EXPECT_EQ(client.receive(false).status, 204);
}

TEST_F(PistacheTest, WhoWaitsToBeAskedForABodyIsAsked) {
  Client client(port);
  client.send(get("/", "Content-Length: 5\r\nExpect: 100-continue\r\n"));
  EXPECT_EQ(client.receive(false).status, 100);
  EXPECT_EQ(client.ask("hello").body, "nobody hello");
}

TEST_F(PistacheTest, AConnectionIsClosedWhereTheClientSaysSo) {
  for (const auto& bytes :
       {get("/", "Connection: Close\r\n"), get("/", "Connection: x , close \r\n"), get("/", "", "HTTP/1.0")}) {
    Client client(port);
    EXPECT_EQ(client.ask(bytes + get("/")).header("Connection"), "close");
    EXPECT_EQ(client.receive().status, 0);
  }
}

// UBSan looks at objects through descriptors, and here it would find none.
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define SANCHO_NEEDS_DESCRIPTORS
#endif
#endif
#ifndef SANCHO_NEEDS_DESCRIPTORS
TEST_F(PistacheTest, AConnectionThatThereIsNoDescriptorForIsClosed) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  PistacheHandler handler([](const PistacheRequest&, Response&) {});
  const auto peer = Pistache::Tcp::Peer::Create(ends[0], Pistache::Address("127.0.0.1", 0));
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  const rlimit none{.rlim_cur = 3, .rlim_max = limit.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  EXPECT_NO_THROW(handler.onConnection(peer));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
  char byte;
  EXPECT_EQ(::recv(ends[1], &byte, 1, MSG_DONTWAIT), 0);
  handler.onInput("GET / HTTP/1.1\r\n\r\n", 18, peer);  // which nobody hears
  ::close(ends[0]), ::close(ends[1]);
}
#endif

TEST_F(PistacheTest, AConnectionByTlsIsClosed) {
  int ends[2];
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  SSL_CTX* const context = SSL_CTX_new(TLS_server_method());
  PistacheHandler handler([](const PistacheRequest&, Response&) {});
  const auto peer = Pistache::Tcp::Peer::CreateSSL(ends[0], Pistache::Address("127.0.0.1", 0), SSL_new(context));
  handler.onConnection(peer);
  char byte;
  EXPECT_EQ(::recv(ends[1], &byte, 1, 0), 0);
  handler.onInput("GET / HTTP/1.1\r\n\r\n", 18, peer);  // which nobody hears
  ::close(ends[0]), ::close(ends[1]);
  SSL_CTX_free(context);
}

}  // namespace
}  // namespace sancho::test
