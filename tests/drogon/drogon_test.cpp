// What is Drogon's own: its cache, its shared responses, its threads, its upgrades.
#include <drogon/WebSocketController.h>
#include <gmock/gmock.h>

#include <atomic>
#include <future>
#include <latch>
#include <optional>

#include "../adapter/client.hpp"
#include "sancho/adapters/drogon_websocket.hpp"
#include "sancho/error.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::test {
namespace {

using testing::HasSubstr;

// An endpoint that is no page: it sends back what it is sent.
class Echo : public drogon::WebSocketController<Echo, false> {
 public:
  void handleNewMessage(const drogon::WebSocketConnectionPtr& connection, std::string&& message,
                        const drogon::WebSocketMessageType& type) override {
    if (type == drogon::WebSocketMessageType::Text) connection->send(message);
  }
  void handleNewConnection(const drogon::HttpRequestPtr&, const drogon::WebSocketConnectionPtr&) override {}
  void handleConnectionClosed(const drogon::WebSocketConnectionPtr&) override {}

  WS_PATH_LIST_BEGIN
  WS_PATH_ADD("/echo");
  WS_PATH_LIST_END
};

// Two that are opened with a session, and end with it; the second without a filter.
class MayListen : public drogon::HttpFilter<MayListen, false> {
 public:
  explicit MayListen(DrogonSessions<Session>& sessions) : sessions_(sessions) {}
  void doFilter(const drogon::HttpRequestPtr& request, drogon::FilterCallback&& refuse,
                drogon::FilterChainCallback&& open) override {
    sessions_.handshake(request, std::move(refuse), std::move(open),
                        [](Session& session, const drogon::HttpRequestPtr&) { return session.get_user().has_value(); });
  }

 private:
  DrogonSessions<Session>& sessions_;
};

class Listen : public drogon::WebSocketController<Listen, false> {
 public:
  explicit Listen(SessionWatcher& watcher) : watcher_(watcher) {}
  void handleNewMessage(const drogon::WebSocketConnectionPtr& connection, std::string&& message,
                        const drogon::WebSocketMessageType& type) override {
    if (type == drogon::WebSocketMessageType::Text) connection->send(message);
  }
  void handleNewConnection(const drogon::HttpRequestPtr& request,
                           const drogon::WebSocketConnectionPtr& connection) override {
    connection->setContext(std::make_shared<WatchedSession>(drogon_watch(watcher_, request, connection)));
  }
  void handleConnectionClosed(const drogon::WebSocketConnectionPtr&) override {}

  WS_PATH_LIST_BEGIN
  WS_PATH_ADD("/listen", drogon::DrClassMap::demangle(typeid(MayListen).name()));
  WS_PATH_ADD("/forgotten");
  WS_PATH_LIST_END

 private:
  SessionWatcher& watcher_;
};

struct World {
  World() {
    drogon_gate([this](const trantor::TcpConnectionPtr&) { ++connections; });
    sessions.emplace(manager, DrogonOptions{.threads = 1, .max_waiting = 1});
  }
  SessionManager<> manager{open_memory_store(), {.cookie = CookieOptions::insecure_dev()}};
  std::optional<DrogonSessions<Session>> sessions;
  SessionWatcher watcher{manager};
  drogon::HttpResponsePtr shared = drogon::HttpResponse::newHttpResponse();
  std::atomic<int> ran = 0, connections = 0;
  std::promise<void> begun;
  std::latch go{1};
  int port = 0;
};

World* world = nullptr;

void route(World& w) {
  auto& app = drogon::app();
  app.registerHandler("/in", w.sessions->wrap([&w](Session& session, const drogon::HttpRequestPtr&) {
    session.set_user("ada" + std::to_string(++w.ran));
    auto response = drogon::HttpResponse::newHttpResponse();
    response->setExpiredTime(0);  // for ever, and for everybody
    return response;
  }));
  app.registerHandler("/shared", w.sessions->wrap([&w](Session& session, const drogon::HttpRequestPtr&) {
    session.set_user("ada");
    return w.shared;
  }));
  app.registerHandler("/slow", w.sessions->wrap([&w](Session&, const drogon::HttpRequestPtr&) {
    if (++w.ran == 1) w.begun.set_value();
    w.go.wait();
    return drogon::HttpResponse::newHttpResponse();
  }));
  app.registerController(std::make_shared<Echo>());
  app.registerFilter(std::make_shared<MayListen>(*w.sessions));
  app.registerController(std::make_shared<Listen>(w.watcher));
}

Reply get(const std::string& path, const std::string& lines = {}) {
  Client client(world->port);
  client.send("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + lines + "\r\n");
  return client.receive(false);
}

const std::string upgrade =
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

// What opens a WebSocket from one of our own pages.
Reply open(Client& client, const std::string& path, const std::string& lines) {
  client.send("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + upgrade + lines + "\r\n");
  return client.receive(false);
}
const std::string ours = "Origin: http://127.0.0.1\r\n";

// A text of a line's end, masked with zeros, which no gate would let pass.
const std::string frame("\x81\x82\0\0\0\0\n\n", 8), echo("\x81\x02\n\n", 4);

class DrogonTest : public testing::Test {
 protected:
  void SetUp() override { world->ran = 0; }
};

TEST_F(DrogonTest, APageOfOneVisitorIsKeptForNobodyElse) {
  const auto one = get("/in"), other = get("/in");
  EXPECT_EQ(world->ran, 2);
  ASSERT_EQ(one.all("Set-Cookie").size(), 1U);
  ASSERT_EQ(other.all("Set-Cookie").size(), 1U);
  EXPECT_NE(one.header("Set-Cookie"), other.header("Set-Cookie"));
}

// It would carry one visitor's cookie to the next.
TEST_F(DrogonTest, AResponseThatSomebodyElseHoldsIsRefusedAndNothingIsSaved) {
  const auto before = world->manager.store().scan()->count(Deadline::after(std::chrono::seconds(5)));
  const auto reply = get("/shared");
  EXPECT_EQ(reply.status, 500);
  EXPECT_TRUE(reply.all("Set-Cookie").empty());
  EXPECT_TRUE(world->shared->cookies().empty());
  EXPECT_EQ(world->manager.store().scan()->count(Deadline::after(std::chrono::seconds(5))), before);
}

TEST_F(DrogonTest, MoreThanMayWaitForAThreadAreToldToComeAgain) {
  const auto request = "GET /slow HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  Client first(world->port);
  first.send(request);
  world->begun.get_future().wait();
  // Of two more one may wait.
  Client second(world->port), third(world->port);
  second.send(request);
  third.send(request);
  auto one = std::async([&] { return second.receive(false); }),
       other = std::async([&] { return third.receive(false); });
  Reply refused;
  while (refused.status == 0)
    for (auto* reply : {&one, &other})
      if (reply->valid() && reply->wait_for(std::chrono::milliseconds(5)) == std::future_status::ready)
        refused = reply->get();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.header("retry-after"), "5");
  EXPECT_EQ(world->ran, 1);
  world->go.count_down();
  EXPECT_EQ(first.receive(false).status, 200);
  EXPECT_EQ((one.valid() ? one : other).get().status, 200);
}

TEST_F(DrogonTest, ARequestThatNoGateHasSeenGetsNoSession) {
  drogon::HttpResponsePtr response;
  bool ran = false;
  std::promise<void> done;
  const auto handler = world->sessions->wrap([&](Session&, const drogon::HttpRequestPtr&) {
    ran = true;
    return drogon::HttpResponse::newHttpResponse();
  });
  handler(drogon::HttpRequest::newHttpRequest(), [&](const drogon::HttpResponsePtr& made) {
    response = made;
    done.set_value();
  });
  done.get_future().wait();
  EXPECT_EQ(response->statusCode(), drogon::k500InternalServerError);
  EXPECT_FALSE(ran);
}

TEST_F(DrogonTest, TheProgramsOwnConnectionCallbackIsCalledToo) {
  const int before = world->connections;
  get("/in");
  EXPECT_GT(world->connections, before);
}

TEST_F(DrogonTest, AConnectionThatBecomesAWebSocketIsLeftAlone) {
  Client client(world->port);
  ASSERT_EQ(open(client, "/echo", "").status, 101);
  for (int i = 0; i < 3; ++i) {
    client.send(frame);
    EXPECT_EQ(client.bytes(echo.size()), echo);
  }
}

// What is asked for as a WebSocket and is none stays behind the gate.
TEST_F(DrogonTest, AConnectionThatBecomesNoWebSocketIsNotLeftAlone) {
  Client client(world->port);
  EXPECT_EQ(open(client, "/none", "").status, 404);
  client.send("GET /in HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nContent-Length: 0\r\n\r\n");
  while (!client.bytes(1).empty()) {
  }
  EXPECT_EQ(world->ran, 0);
}

TEST_F(DrogonTest, AWebSocketIsClosedWithinASecondOfItsSessionsEnd) {
  const auto login = get("/in").header("Set-Cookie");
  const auto cookie = "Cookie: " + login.substr(0, login.find(';')) + "\r\n";
  Client client(world->port);
  ASSERT_EQ(open(client, "/listen", ours + cookie).status, 101);
  client.send(frame);
  EXPECT_EQ(client.bytes(echo.size()), echo);
  const auto ended = std::chrono::steady_clock::now();
  EXPECT_GE(world->manager.end_sessions_of("ada" + std::to_string(world->ran)), 1U);
  // A close with the code 1008 and the word for it; then the end.
  EXPECT_EQ(client.bytes(14), std::string("\x88\x0c\x03\xf0logged_out", 14));
  EXPECT_LT(std::chrono::steady_clock::now() - ended, std::chrono::seconds(1));
  EXPECT_EQ(client.bytes(1), "");
}

TEST_F(DrogonTest, AWebSocketIsOpenedForNobodyElse) {
  const auto login = get("/in").header("Set-Cookie");
  const auto cookie = "Cookie: " + login.substr(0, login.find(';')) + "\r\n";
  for (const auto& lines : {ours, cookie, "Origin: https://evil.example\r\n" + cookie, ours + cookie + cookie}) {
    Client client(world->port);
    EXPECT_EQ(open(client, "/listen", lines).status, 403) << lines;
  }
}

TEST_F(DrogonTest, AWebSocketThatNoHandshakeLetInIsCutOff) {
  Client client(world->port);
  EXPECT_THAT(open(client, "/forgotten", ours).status, testing::AnyOf(101, 0));
  EXPECT_EQ(client.bytes(1), "");
}

int run_all() {
  World here;
  world = &here;
  route(here);
  trantor::Logger::setLogLevel(trantor::Logger::kFatal);
  std::promise<void> listening;
  auto& app = drogon::app();
  app.addListener("127.0.0.1", 0).registerBeginningAdvice([&] {
    app.getLoop()->queueInLoop([&] { app.getIOLoop(0)->queueInLoop([&] { listening.set_value(); }); });
  });
  std::thread server([&] { app.run(); });
  listening.get_future().wait();
  here.port = app.getListeners().front().toPort();
  const int failed = RUN_ALL_TESTS();
  app.quit();
  server.join();
  return failed;
}

}  // namespace
}  // namespace sancho::test

int main(int argc, char** argv) {
  testing::InitGoogleMock(&argc, argv);
  return sancho::test::run_all();
}
