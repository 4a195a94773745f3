// What is Crow's own: its order of lines, its middlewares, its bodies.
#include "sancho/adapters/crow.hpp"

#include <crow/middlewares/session.h>
#include <gmock/gmock.h>

#include <future>

#include "../adapter/client.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::test {
namespace {

struct Mark {
  struct context {};
  std::string text = "none";
  void before_handle(crow::request&, crow::response&, context&) {}
  void after_handle(crow::request&, crow::response& response, context&) { response.set_header("X-Mark", text); }
};

Policy behind_a_proxy() {
  Policy policy;
  policy.proxies.trusted = {"127.0.0.1"};
  return policy;
}

class CrowTest : public testing::Test {
 protected:
  CrowTest() {
    app.loglevel(crow::LogLevel::Critical).bindaddr("127.0.0.1").port(0).concurrency(4);
    CROW_ROUTE(app, "/in")
        .methods("GET"_method, "POST"_method)(sessions.wrap([this](Session& session, const crow::request&) {
          ++ran;
          session.set_user("ada");
          return crow::response(200);
        }));
    CROW_ROUTE(app, "/from")
    (sessions.wrap(
        [](RequestScope<Session>& scope, const crow::request&) { return crow::response(scope.remote_address()); }));
    CROW_ROUTE(app, "/sum/<int>/<int>")
    (sessions.wrap([](Session&, const crow::request&, std::int64_t a, std::int64_t b) {
      return crow::response(std::to_string(a + b));
    }));
    CROW_WEBSOCKET_ROUTE(app, "/echo")
        .onmessage(
            [](crow::websocket::connection& connection, const std::string& text, bool) { connection.send_text(text); });
  }
  void serve() {
    server = std::make_unique<CrowServer<Mark>>(app, CrowServerOptions{.max_body = 100, .stop_on_signals = false});
    running = std::async(std::launch::async, [this] { server->run(); });
    port = server->port();
  }
  ~CrowTest() override {
    if (!server) return;
    // What was asked first is answered: then it runs, and can be stopped.
    Client(port).ask("GET /none HTTP/1.1\r\nHost: x\r\n\r\n");
    server->stop();
  }

  Reply ask(const std::string& lines, const std::string& path = "/in") const {
    return Client(port).ask("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + lines + "\r\n");
  }

  SessionManager<> manager{open_memory_store(), behind_a_proxy()};
  CrowSessions<Session> sessions{manager};
  crow::App<Mark> app;
  std::unique_ptr<CrowServer<Mark>> server;
  std::future<void> running;
  int port = 0;
  std::atomic<int> ran = 0;
};

TEST_F(CrowTest, ARequestToCrowsOwnServerGetsNoSession) {
  app.signal_clear();
  auto own = app.run_async();
  app.wait_for_server_start();
  port = app.port();
  const auto reply = ask("");
  app.stop();
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(ran, 0);
}

// In Crow's own map of a head the last of these would not stay the last.
TEST_F(CrowTest, TheLinesOfANameAreInTheirOrderHoweverManyOthersThereAre) {
  serve();
  for (const int others : {0, 5, 30, 60}) {
    std::string lines;
    for (int i = 0; i < others; ++i) lines += "X-" + std::to_string(i) + ": 1\r\n";
    for (const auto* address : {"198.51.100.1", "198.51.100.2", "203.0.113.9"})
      lines += std::string("X-Forwarded-For: ") + address + "\r\n";
    EXPECT_EQ(ask(lines, "/from").body, "203.0.113.9") << others;
  }
}

TEST_F(CrowTest, ATrailerIsNoPartOfTheHead) {
  serve();
  Client client(port);
  client.send(
      "POST /in HTTP/1.1\r\nHost: 127.0.0.1\r\nSec-Fetch-Site: same-origin\r\nTransfer-Encoding: chunked\r\n\r\n"
      "0\r\nX-Forwarded-For: 198.51.100.1\r\nX: y\r\n\r\n");
  EXPECT_EQ(client.receive().status, 400);
  EXPECT_EQ(ran, 0);
}

TEST_F(CrowTest, ABodyBeyondTheBoundReachesNoHandler) {
  serve();
  EXPECT_EQ(ask("Content-Length: 101\r\n").status, 413);
  EXPECT_EQ(ran, 0);
}

TEST_F(CrowTest, TheAppsMiddlewaresAreTakenOver) {
  app.get_middleware<Mark>().text = "before";
  serve();
  EXPECT_EQ(ask("").header("X-Mark"), "before");
  server->middleware<Mark>().text = "after";
  EXPECT_EQ(ask("").header("X-Mark"), "after");
}

TEST_F(CrowTest, ARoutesParametersFollowTheRequest) {
  serve();
  EXPECT_EQ(ask("", "/sum/2/40").body, "42");
}

TEST_F(CrowTest, AConnectionThatBecomesAWebSocketIsLeftAlone) {
  serve();
  Client client(port);
  client.send(
      "GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  ASSERT_EQ(client.receive(false).status, 101);
  const std::string frame("\x81\x82\0\0\0\0\n\n", 8), echo("\x81\x02\n\n", 4);
  client.send(frame);
  EXPECT_EQ(client.bytes(echo.size()), echo);
}

// docs/migration.md shows it: who is logged in there is logged in here, once.
TEST(CrowMigration, AUserOfCrowsOwnSessionIsTakenOverAndLoggedOutThere) {
  using Old = crow::SessionMiddleware<crow::InMemoryStore>;
  crow::App<crow::CookieParser, Old> app{Old{crow::InMemoryStore{}}};
  app.loglevel(crow::LogLevel::Critical).bindaddr("127.0.0.1").port(0).concurrency(4);
  SessionManager<> manager(open_memory_store());
  const CrowSessions sessions(manager);
  CROW_ROUTE(app, "/old/login")
  ([&](const crow::request& request) {
    app.get_context<Old>(request).set("user", std::string("ada"));
    return crow::response(200);
  });
  CROW_ROUTE(app, "/old")
  ([&](const crow::request& request) {
    return crow::response("old " + app.get_context<Old>(request).get("user", std::string("nobody")));
  });
  CROW_ROUTE(app, "/")
  (sessions.wrap([&](Session& session, const crow::request& request) {
    auto& old = app.get_context<Old>(request);
    const auto user = old.get("user", std::string());
    if (!session.get_user() && !user.empty()) {
      session.set_user(user);
      old.remove("user");
    }
    return crow::response(session.get_user().value_or("nobody"));
  }));
  CrowServer server(app, {.stop_on_signals = false});
  const auto running = std::async(std::launch::async, [&] { server.run(); });
  const auto ask = [&](const std::string& path, const std::string& cookies) {
    return Client(server.port()).ask("GET " + path + " HTTP/1.1\r\nHost: x\r\nCookie: " + cookies + "\r\n\r\n");
  };

  const auto old = "session=" + ask("/old/login", "a=b").cookie("session");
  EXPECT_EQ(ask("/", "a=b").body, "nobody");
  const auto first = ask("/", old);
  EXPECT_EQ(first.body, "ada");
  const auto own = "__Host-Http-sid=" + first.cookie("__Host-Http-sid");
  EXPECT_EQ(ask("/", own).body, "ada");
  EXPECT_EQ(ask("/", old + "; " + own).body, "ada");
  EXPECT_EQ(ask("/old", old).body, "old nobody");
  EXPECT_EQ(ask("/", old).body, "nobody");
  server.stop();
}

TEST_F(CrowTest, APortThatIsInUseIsAnError) {
  serve();
  crow::SimpleApp second;
  second.loglevel(crow::LogLevel::Critical).bindaddr("127.0.0.1").port(static_cast<std::uint16_t>(port));
  EXPECT_THROW(CrowServer{second}, ConfigError);
}

}  // namespace
}  // namespace sancho::test
