// # Sessions for Crow, in one page
//
// Log in, see that it knows you, log out. Sessions are kept in SQLite, so they
// outlive the program. Serves http://127.0.0.1:8088/, or another port that its
// first argument names, until it is interrupted.
#include <cstdlib>
#include <iostream>

#include "sancho/adapters/crow.hpp"
#include "sancho/open_store.hpp"

struct GuestSession : sancho::Session {
  using Session::Session;
  sancho::Counter visits{*this, "visits"};
};

namespace {

std::string page(const std::string& body) {
  return "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Guests</title><main>" + body +
         "</main></html>";
}

// Each form carries the session's token; a visitor's form does as well.
std::string form(GuestSession& session, const std::string& action, const std::string& inside) {
  return "<form method=\"post\" action=\"" + action + "\"><input type=\"hidden\" name=\"token\" value=\"" +
         session.csrf_token(action) + "\">" + inside + "</form>";
}

bool is_name(const std::string& text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
}

std::string field(const crow::request& request, const std::string& name) {
  const auto fields = request.get_body_params();
  const char* value = fields.get(name);
  return value ? value : "";
}

crow::response back() {
  crow::response response(303);
  response.set_header("Location", "/");
  return response;
}

crow::response home(GuestSession& session, const crow::request&) {
  const auto name = session.get_user();
  if (name) ++session.visits;
  const auto body = name ? "<h1>Hello, " + *name + "</h1><p>Visits: " + std::to_string(session.visits.value()) +
                               "</p>" + form(session, "/logout", "<button>Log out</button>")
                         : "<h1>Hello</h1>" + form(session, "/login",
                                                   "<label>Name <input name=\"name\"></label> <button>Log in</button>");
  return crow::response("text/html; charset=utf-8", page(body));
}

crow::response login(GuestSession& session, const crow::request& request) {
  // A real application looks at a password here.
  const auto name = field(request, "name");
  if (!session.check_csrf_token(field(request, "token"), "/login") || !is_name(name))
    return crow::response(403, "text/html; charset=utf-8", page("<p>Please go back and try again.</p>"));
  session.set_user(name);
  return back();
}

crow::response logout(sancho::RequestScope<GuestSession>& scope, const crow::request& request) {
  if (scope->check_csrf_token(field(request, "token"), "/logout")) scope.expire_session();
  return back();
}

}  // namespace

int main(int argc, char** argv) {
  sancho::Policy policy;
  policy.name_space = "guests";
  policy.cookie = sancho::CookieOptions::insecure_dev();  // no TLS: for loopback only
  sancho::SessionManager<GuestSession> manager(sancho::open_store("sqlite:guests.db"), policy);
  const sancho::CrowSessions sessions(manager);

  crow::SimpleApp app;
  CROW_ROUTE(app, "/")(sessions.wrap(home));
  CROW_ROUTE(app, "/login").methods("POST"_method)(sessions.wrap(login));
  CROW_ROUTE(app, "/logout").methods("POST"_method)(sessions.wrap(logout));
  app.loglevel(crow::LogLevel::Warning).bindaddr("127.0.0.1").concurrency(16);
  app.port(static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8088));
  sancho::CrowServer server(app);
  std::cout << "http://127.0.0.1:" << server.port() << "/\n" << std::flush;
  server.run();
}
