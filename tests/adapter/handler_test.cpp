// When handlers run, and what they find.
#include "site.hpp"

namespace sancho::test {
namespace {

using testing::IsEmpty;

using HandlerTest = Site;

TEST_F(HandlerTest, AHeadRequestIsAGet) {
  start();
  const auto id = log_in("ada");
  Client client(port);
  client.send(get("/count", with(id) + "Sec-Fetch-Site: cross-site\r\n", "HEAD"));
  const auto reply = client.receive(false);
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.header("Content-Length"), "5");
  EXPECT_EQ(client.ask(get("/look", with(id))).body, "ada 1");
}

TEST_F(HandlerTest, ARedirectKeepsItsCookie) {
  server.Get("/moved", sessions.wrap([](SiteSession& s, const Req&, Res& res) {
    ++s.visits;
    res.set_redirect("/look", 303);
  }));
  start();
  const auto reply = ask(get("/moved"));
  EXPECT_EQ(reply.status, 303);
  EXPECT_EQ(reply.header("Location"), "/look");
  EXPECT_EQ(look(reply.cookie(sid)), "nobody 1");
}

TEST_F(HandlerTest, AnUnsafeRequestFromElsewhereNeverReachesIt) {
  start();
  const auto id = log_in("ada");
  store->calls = 0;
  for (const std::string from : {"Sec-Fetch-Site: cross-site\r\n", "Origin: https://evil.example\r\n", "Origin: null\r\n", "",
                                 "Sec-Fetch-Site: same-origin\r\nSec-Fetch-Site: cross-site\r\n",
                                 "Origin: http://127.0.0.1\r\nOrigin: https://evil.example\r\n"}) {
    const auto reply = ask(post("/logout", "", with(id), from));
    EXPECT_EQ(reply.status, 403) << from;
    EXPECT_THAT(reply.all("Set-Cookie"), IsEmpty());
  }
  EXPECT_EQ(store->calls, 0);
  EXPECT_EQ(look(id), "ada 0");
  EXPECT_EQ(ask(post("/logout", "", with(id), "Origin: http://127.0.0.1\r\n")).status, 200);
}

TEST_F(HandlerTest, AStreamedAnswerBeginsAfterTheCommit) {
  std::atomic<std::size_t> saved = 0;
  for (const bool chunked : {true, false})
    server.Get(chunked ? "/chunked" : "/sized", sessions.wrap([this, chunked, &saved](SiteSession& s, const Req&, Res& res) {
      ++s.visits;
      const auto write = [this, &saved](httplib::DataSink& sink) {
        saved = store->sessions();
        return sink.write("streamed", 8);
      };
      if (!chunked) return res.set_content_provider(8, "text/plain", [write](std::size_t, std::size_t, httplib::DataSink& sink) { return write(sink); });
      res.set_chunked_content_provider("text/plain", [write](std::size_t, httplib::DataSink& sink) {
        write(sink);
        sink.done();
        return true;
      });
    }));
  start();
  std::size_t expected = 0;
  for (const auto* path : {"/chunked", "/sized"}) {
    const auto reply = ask(get(path));
    EXPECT_EQ(reply.body, "streamed");
    EXPECT_EQ(saved, ++expected) << path;
    EXPECT_EQ(look(reply.cookie(sid)), "nobody 1");
  }
}

TEST_F(HandlerTest, AContentProviderUsesWhatWasCopiedInTime) {
  server.Get("/copied", sessions.wrap([](SiteSession& s, const Req&, Res& res) {
    ++s.visits;
    res.set_chunked_content_provider("text/plain", [text = s.tell()](std::size_t, httplib::DataSink& sink) {
      sink.write(text.data(), text.size());
      sink.done();
      return true;
    });
  }));
  start();
  EXPECT_EQ(ask(get("/copied")).body, "nobody 1");
}

TEST_F(HandlerTest, ItMayTakeTheScope) {
  server.Post("/others", sessions.wrap([](Scope& scope, const Req&, Res& res) {
    res.set_content(std::to_string(scope.end_other_sessions()), "text/plain");
  }));
  start();
  const auto phone = log_in("ada"), laptop = log_in("ada"), bob = log_in("bob");
  EXPECT_EQ(ask(post("/others", "", with(laptop))).body, "1");
  EXPECT_EQ(look(phone), "nobody 0");
  EXPECT_EQ(look(laptop), "ada 0");
  EXPECT_EQ(look(bob), "bob 0");
}

}  // namespace
}  // namespace sancho::test
