// What is libmicrohttpd's own: its responses, and what it makes of a request's end.
#include "sancho/adapters/microhttpd.hpp"

#include <gmock/gmock.h>

#include "../adapter/client.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

struct Site {
  template <class F>
  explicit Site(F handler, const Policy& policy = {}, MicrohttpdErrorPage page = {})
      : manager(open_memory_store(), policy), server(MicrohttpdSessions(manager, std::move(page)).wrap(handler), {.max_body = 100}) {}

  Reply ask(const std::string& path, const std::string& lines = {}) const {
    return Client(server.port()).ask("GET " + path + " HTTP/1.1\r\nHost: 127.0.0.1\r\n" + lines + "\r\n");
  }
  std::size_t kept() { return manager.store().scan()->count(Deadline::after(std::chrono::seconds(5))); }

  SessionManager<> manager;
  MicrohttpdServer server;
};

MicrohttpdReply log_in(Session& session, const MicrohttpdRequest&) {
  session.set_user("ada");
  return MicrohttpdReply::text("welcome");
}

TEST(MicrohttpdTest, AHandlersLinesOfCachingGiveWayWhateverTheirCase) {
  Site site([](Session& session, const MicrohttpdRequest&) {
    session.set_user("ada");
    auto reply = MicrohttpdReply::text("welcome");
    reply.add("cache-control", "public");
    reply.add("CACHE-CONTROL", "max-age=3600");
    reply.add("vary", "Cookie");
    return reply;
  });
  const auto reply = site.ask("/");
  EXPECT_THAT(reply.all("Cache-Control"), ElementsAre("no-store"));
  EXPECT_TRUE(reply.all("cache-control").empty());
  EXPECT_TRUE(reply.all("CACHE-CONTROL").empty());
  EXPECT_EQ(reply.all("vary").size() + reply.all("Vary").size(), 1U);
}

// It takes no empty value; a blank one is empty on the other side.
TEST(MicrohttpdTest, ALogoutByHeaderTellsAnEmptyId) {
  Policy policy;
  policy.transport = Transport::bearer();
  Site site([](RequestScope<Session>& scope, const MicrohttpdRequest& request) {
    if (request.path() == "/in") return log_in(*scope, request);
    scope.expire_session();
    return MicrohttpdReply::text("goodbye");
  }, policy);
  const auto id = site.ask("/in").header("Session-Id");
  ASSERT_EQ(id.size(), 43U);
  const auto reply = site.ask("/out", "Authorization: Bearer " + id + "\r\n");
  ASSERT_EQ(reply.all("Session-Id").size(), 1U);
  EXPECT_THAT(reply.header("Session-Id"), testing::MatchesRegex("[ \t]*"));
}

TEST(MicrohttpdTest, AHandlerThatGivesNoResponseSavesNothing) {
  Site site([](Session& session, const MicrohttpdRequest&) {
    session.set_user("ada");
    return MicrohttpdReply(nullptr);
  });
  EXPECT_EQ(site.ask("/").status, 500);
  EXPECT_EQ(site.kept(), 0U);
}

TEST(MicrohttpdTest, ALineThatIsNoneIsAnError) {
  Site site([](Session& session, const MicrohttpdRequest&) {
    session.set_user("ada");
    return MicrohttpdReply::redirect("/\r\nSet-Cookie: a=b");
  });
  const auto reply = site.ask("/");
  EXPECT_EQ(reply.status, 500);
  EXPECT_TRUE(reply.all("Set-Cookie").empty());
  EXPECT_EQ(site.kept(), 0U);
}

TEST(MicrohttpdTest, AnErrorPageIsAskedForAndMayItselfThrow) {
  const auto fail = [](Session&, const MicrohttpdRequest&) -> MicrohttpdReply { throw std::runtime_error("canary"); };
  Site dressed(fail, {}, [](unsigned status, const std::exception_ptr&) { return MicrohttpdReply::text("sorry", "text/plain", status); });
  EXPECT_EQ(dressed.ask("/").body, "sorry");
  EXPECT_EQ(dressed.ask("/").status, 500);
  EXPECT_EQ(dressed.ask("/").header("Cache-Control"), "no-store");
  Site naked(fail, {}, [](unsigned, const std::exception_ptr&) -> MicrohttpdReply { throw 42; });
  EXPECT_THAT(naked.ask("/").body, HasSubstr("Internal Server Error"));
  EXPECT_THAT(naked.ask("/").body, Not(HasSubstr("canary")));
}

TEST(MicrohttpdTest, ABodyBeyondTheBoundReachesNoHandler) {
  Site site(log_in);
  const std::string head = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n";
  EXPECT_EQ(Client(site.server.port()).ask(head + "Content-Length: 101\r\n\r\n" + std::string(101, 'a')).status, 413);
  EXPECT_EQ(Client(site.server.port()).ask(head + "Transfer-Encoding: chunked\r\n\r\n65\r\n" + std::string(101, 'a') + "\r\n0\r\n\r\n").status, 413);
  EXPECT_EQ(site.kept(), 0U);
  EXPECT_EQ(Client(site.server.port()).ask(head + "Content-Length: 100\r\n\r\n" + std::string(100, 'a')).status, 200);
}

TEST(MicrohttpdTest, ARequestWithTwoLengthsIsTheConnectionsLast) {
  Site site(log_in);
  Client client(site.server.port());
  const auto reply = client.ask("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(reply.status, 400);
  EXPECT_EQ(client.receive().status, 0);
  EXPECT_EQ(site.kept(), 0U);
}

TEST(MicrohttpdTest, APortInUseIsAnError) {
  Site site(log_in);
  MicrohttpdSessions sessions(site.manager);
  EXPECT_THROW(MicrohttpdServer(sessions.wrap(log_in), {.port = static_cast<std::uint16_t>(site.server.port())}), std::runtime_error);
  EXPECT_THROW(MicrohttpdServer(sessions.wrap(log_in), {.address = "localhost.example"}), std::runtime_error);
}

}  // namespace
}  // namespace sancho::test
