// When something throws.
#include "site.hpp"

namespace sancho::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class FailureTest : public Site {
 public:
  FailureTest() {
    server.Get("/throw", sessions.wrap([this](SiteSession& s, const Req&, Res& res) {
      ++s.visits;
      res.set_header("X-Half", "done");
      res.set_content_provider(
          1000, "text/plain", [](std::size_t, std::size_t, httplib::DataSink&) { return true; },
          [this](bool success) { released = success ? "sent" : "not sent"; });
      throw std::runtime_error("canary");
    }));
    server.Post("/logout_throw", sessions.wrap([](Scope& scope, const Req&, Res&) {
      scope.expire_session();
      throw 42;
    }));
  }
  std::string released;
};

TEST_F(FailureTest, AHandlerThatThrowsChangesNothing) {
  start();
  const auto id = log_in("ada");
  for (const auto& lines : {with(id), std::string()}) {
    const auto reply = ask(get("/throw", lines));
    EXPECT_EQ(reply.status, 500);
    EXPECT_THAT(reply.all("Set-Cookie"), IsEmpty());
    EXPECT_THAT(reply.all("X-Half"), IsEmpty());
    EXPECT_THAT(reply.all("Cache-Control"), ElementsAre("no-store"));
    EXPECT_EQ(reply.body, "Internal Server Error\n");
    for (const auto& [name, value] : reply.headers) EXPECT_THAT(value, Not(HasSubstr("canary"))) << name;
    EXPECT_EQ(released, "not sent");
  }
  EXPECT_EQ(look(id), "ada 0");
  EXPECT_EQ(store->sessions(), 1u);
}

TEST_F(FailureTest, ALogoutStaysThoughItsHandlerThrows) {
  start();
  const auto id = log_in("ada");
  const auto reply = ask(post("/logout_throw", "", with(id)));
  EXPECT_EQ(reply.status, 500);
  EXPECT_THAT(reply.header("Set-Cookie"), HasSubstr("Max-Age=0"));
  EXPECT_THAT(reply.all("Cache-Control"), ElementsAre("no-store"));
  EXPECT_EQ(look(id), "nobody 0");
}

TEST_F(FailureTest, AStoreThatIsDownIsNotALogout) {
  start();
  const auto id = log_in("ada");
  for (const auto kind : {Trouble::unavailable, Trouble::contention, Trouble::in_doubt})
    for (auto* fail : {&store->fail_reads, &store->fail_writes}) {
      *fail = kind;
      const auto reply = ask(get("/count", with(id)));
      *fail = std::nullopt;
      EXPECT_EQ(reply.status, 503) << to_string(kind);
      EXPECT_EQ(reply.header("Retry-After"), "5");
      EXPECT_THAT(reply.all("Cache-Control"), ElementsAre("no-store"));
      EXPECT_THAT(reply.all("Set-Cookie"), IsEmpty());
      EXPECT_THAT(reply.body, Not(HasSubstr("ada")));
    }
  EXPECT_EQ(look(id), "ada 0");
}

// Served, but to nobody's cache, and with no cookie touched.
TEST_F(FailureTest, APageWithoutItsSessionIsServedIfThePolicySaysSo) {
  Policy policy;
  policy.outage = Outage::anonymous_pages;
  SessionManager<SiteSession> lenient(store, policy, {.clock = clock});
  const HttplibSessions pages(lenient);
  const auto look = [](Scope& scope, const Req&, Res& res) {
    res.set_header("Cache-Control", "public, max-age=60");
    res.set_content(scope.outage() ? "an outage" : scope->tell(), "text/plain");
  };
  server.Get("/page", pages.wrap(look));
  server.Post("/page", pages.wrap(look));
  start();
  const auto id = log_in("ada");
  store->fail_reads = Trouble::unavailable;
  const auto reply = ask(get("/page", with(id)));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, "an outage");
  EXPECT_THAT(reply.all("Set-Cookie"), IsEmpty());
  EXPECT_THAT(reply.all("Cache-Control"), ElementsAre("no-store"));
  EXPECT_EQ(ask(get("/page", with(id), "HEAD")).status, 200);
  const auto posted = ask(post("/page", "", with(id)));
  EXPECT_EQ(posted.status, 503);
  EXPECT_EQ(posted.header("Retry-After"), "5");
  store->fail_reads = std::nullopt;
  EXPECT_EQ(ask(get("/page", with(id))).body, "ada 0");
}

TEST_F(FailureTest, AStoreThatWillNotIsAnError) {
  start();
  const auto id = log_in("ada");
  for (const auto kind : {Trouble::full, Trouble::refused}) {
    store->fail_writes = kind;
    const auto reply = ask(get("/count", with(id)));
    store->fail_writes = std::nullopt;
    EXPECT_EQ(reply.status, 500) << to_string(kind);
    EXPECT_THAT(reply.all("Set-Cookie"), IsEmpty());
  }
  EXPECT_EQ(look(id), "ada 0");
}

TEST_F(FailureTest, TheDefaultHeadersOfTheServerStandOnErrorsToo) {
  server.set_default_headers({{"X-Content-Type-Options", "nosniff"}});
  start();
  EXPECT_EQ(ask(get("/throw")).header("X-Content-Type-Options"), "nosniff");
}

TEST_F(FailureTest, AnErrorPageIsAskedForAndMayItselfThrow) {
  int told = 0;
  const HttplibSessions dressed(manager, [&](const Req&, Res& res, const std::exception_ptr& error) {
    told = res.status;
    if (!error) throw std::runtime_error("no page for this");
    res.set_content("<h1>Sorry</h1>", "text/html");
  });
  const auto fail = [](SiteSession&, const Req&, Res&) { throw std::runtime_error("canary"); };
  server.Get("/dressed", dressed.wrap(fail));
  server.Post("/dressed", dressed.wrap(fail));
  start();
  EXPECT_EQ(ask(get("/dressed")).body, "<h1>Sorry</h1>");
  EXPECT_EQ(told, 500);
  const auto blocked = ask(post("/dressed", "", "", "Sec-Fetch-Site: cross-site\r\n"));
  EXPECT_EQ(told, 403);
  EXPECT_EQ(blocked.status, 403);
  EXPECT_THAT(blocked.body, HasSubstr("Forbidden"));
}

TEST_F(FailureTest, AServerThatDecodesHeaderValuesIsRefused) {
  httplib::Server plain;
  plain.Get("/look", sessions.wrap([](SiteSession& s, const Req&, Res& res) { res.set_content(s.tell(), "text/plain"); }));
  const int plain_port = plain.bind_to_any_port("127.0.0.1");
  std::thread thread([&] { plain.listen_after_bind(); });
  while (!plain.is_running()) std::this_thread::yield();
  const auto reply = Client(plain_port).ask("GET /look HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
  plain.stop();
  thread.join();
  EXPECT_EQ(reply.status, 500);
  EXPECT_THAT(reply.header("EXCEPTION_WHAT"), HasSubstr("sancho::HttplibServer"));
}

}  // namespace
}  // namespace sancho::test
