// # Sessions for Drogon, in one page
//
// Log in, see that it knows you, log out. Sessions are kept in SQLite, so they
// outlive the program. Serves http://127.0.0.1:8087/, or another port that its
// first argument names, until it is interrupted.
#include <cstdlib>
#include <iostream>

#include "sancho/adapters/drogon.hpp"
#include "sancho/open_store.hpp"

struct GuestSession : sancho::Session {
  using Session::Session;
  sancho::Counter visits{*this, "visits"};
};

namespace {

using drogon::HttpRequestPtr, drogon::HttpResponse, drogon::HttpResponsePtr;

HttpResponsePtr page(const std::string& body) {
  auto response = HttpResponse::newHttpResponse();
  response->setBody("<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Guests</title><main>" + body +
                    "</main></html>");
  return response;
}

// Each form carries the session's token; a visitor's form does as well.
std::string form(GuestSession& session, const std::string& action, const std::string& inside) {
  return "<form method=\"post\" action=\"" + action + "\"><input type=\"hidden\" name=\"token\" value=\"" +
         session.csrf_token(action) + "\">" + inside + "</form>";
}

bool is_name(const std::string& text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
}

HttpResponsePtr home(GuestSession& session, const HttpRequestPtr&) {
  const auto name = session.get_user();
  if (!name)
    return page("<h1>Hello</h1>" +
                form(session, "/login", "<label>Name <input name=\"name\"></label> <button>Log in</button>"));
  ++session.visits;
  return page("<h1>Hello, " + *name + "</h1><p>Visits: " + std::to_string(session.visits.value()) + "</p>" +
              form(session, "/logout", "<button>Log out</button>"));
}

HttpResponsePtr login(GuestSession& session, const HttpRequestPtr& request) {
  // A real application looks at a password here.
  const auto name = request->getParameter("name");
  if (!session.check_csrf_token(request->getParameter("token"), "/login") || !is_name(name)) {
    auto sorry = page("<p>Please go back and try again.</p>");
    sorry->setStatusCode(drogon::k403Forbidden);
    return sorry;
  }
  session.set_user(name);
  return HttpResponse::newRedirectionResponse("/", drogon::k303SeeOther);
}

HttpResponsePtr logout(sancho::RequestScope<GuestSession>& scope, const HttpRequestPtr& request) {
  if (scope->check_csrf_token(request->getParameter("token"), "/logout")) scope.expire_session();
  return HttpResponse::newRedirectionResponse("/", drogon::k303SeeOther);
}

}  // namespace

int main(int argc, char** argv) {
  sancho::Policy policy;
  policy.name_space = "guests";
  policy.cookie = sancho::CookieOptions::insecure_dev();  // no TLS: for loopback only
  sancho::SessionManager<GuestSession> manager(sancho::open_store("sqlite:guests.db"), policy);
  sancho::DrogonSessions sessions(manager, {.threads = 8});

  auto& app = drogon::app();
  app.registerHandler("/", sessions.wrap(home), {drogon::Get});
  app.registerHandler("/login", sessions.wrap(login), {drogon::Post});
  app.registerHandler("/logout", sessions.wrap(logout), {drogon::Post});
  app.addListener("127.0.0.1", static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8087));
  // Told by the first loop, which listens by then.
  const auto tell = [&app] {
    std::cout << "http://127.0.0.1:" << app.getListeners().front().toPort() << "/" << std::endl;
  };
  app.registerBeginningAdvice([&] { app.getLoop()->queueInLoop([&] { app.getIOLoop(0)->queueInLoop(tell); }); });
  app.run();
}
