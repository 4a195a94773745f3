// # Sessions for cpp-httplib, in one page
//
// Log in, see that it knows you, log out. Sessions are kept in SQLite, so they
// outlive the program. Serves http://127.0.0.1:8082/, or another port that its
// first argument names, until it is interrupted.
#include <cstdlib>
#include <iostream>

#include "sancho/adapters/httplib.hpp"
#include "sancho/open_store.hpp"

struct GuestSession : sancho::Session {
  using Session::Session;
  sancho::Counter visits{*this, "visits"};
};

namespace {

std::string page(const std::string& body) {
  return "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Guests</title><main>" + body + "</main></html>";
}

// Each form carries the session's token; a visitor's form does as well.
std::string form(GuestSession& session, const std::string& action, const std::string& inside) {
  return "<form method=\"post\" action=\"" + action + "\"><input type=\"hidden\" name=\"token\" value=\"" +
         session.csrf_token(action) + "\">" + inside + "</form>";
}

bool is_name(const std::string& text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
}

void home(GuestSession& session, const httplib::Request&, httplib::Response& res) {
  const auto name = session.get_user();
  if (name) ++session.visits;
  res.set_content(
      page(name ? "<h1>Hello, " + *name + "</h1><p>Visits: " + std::to_string(session.visits.value()) + "</p>" +
                      form(session, "/logout", "<button>Log out</button>")
                : "<h1>Hello</h1>" + form(session, "/login", "<label>Name <input name=\"name\"></label> <button>Log in</button>")),
      "text/html");
}

void login(sancho::RequestScope<GuestSession>& scope, const httplib::Request& req, httplib::Response& res) {
  auto& session = *scope;
  const auto name = req.get_param_value("name");
  if (!session.check_csrf_token(req.get_param_value("token"), "/login") || !is_name(name)) {
    res.status = 403;
    return res.set_content(page("<p>Please go back and try again.</p>"), "text/html");
  }
  // Should all of this user's sessions be ended from now on, this login is not let in.
  scope.begin_login(name);
  // A real application looks at a password here.
  session.set_user(name);
  res.set_redirect("/", 303);
}

void logout(sancho::RequestScope<GuestSession>& scope, const httplib::Request& req, httplib::Response& res) {
  if (scope->check_csrf_token(req.get_param_value("token"), "/logout")) scope.expire_session();
  res.set_redirect("/", 303);
}

}  // namespace

int main(int argc, char** argv) {
  sancho::Policy policy;
  policy.name_space = "guests";
  policy.cookie = sancho::CookieOptions::insecure_dev();  // no TLS: for loopback only
  sancho::SessionManager<GuestSession> manager(sancho::open_store("sqlite:guests.db"), policy);
  const sancho::HttplibSessions sessions(manager);

  sancho::HttplibServer server;
  server.Get("/", sessions.wrap(home));
  server.Post("/login", sessions.wrap(login));
  server.Post("/logout", sessions.wrap(logout));
  const int wanted = argc > 1 ? std::atoi(argv[1]) : 8082;
  const int port = wanted == 0 ? server.bind_to_any_port("127.0.0.1") : wanted;
  if (wanted != 0 && !server.bind_to_port("127.0.0.1", port)) return 1;
  std::cout << "http://127.0.0.1:" << port << "/\n" << std::flush;
  return server.listen_after_bind() ? 0 : 1;
}
