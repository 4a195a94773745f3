#include "sancho/adapters/httplib.hpp"
#include "sancho/open_store.hpp"

struct MySession : sancho::Session {
  using Session::Session;
  sancho::Counter visits{*this, "visits"};
};

int main() {
  sancho::SessionManager<MySession> manager(sancho::open_store("sqlite:sessions.db"),
                                            {.cookie = sancho::CookieOptions::insecure_dev()});  // no TLS: for loopback only
  sancho::HttplibSessions sessions(manager);
  sancho::HttplibServer server;
  server.Get("/", sessions.wrap([](MySession& session, const httplib::Request&, httplib::Response& response) {
    ++session.visits;
    response.set_content("Visit number " + std::to_string(session.visits.value()) + "\n", "text/plain");
  }));
  server.listen("127.0.0.1", 8081);
}
