// # Sessions for libmicrohttpd, in one page
//
// Log in, see that it knows you, log out. Sessions are kept in SQLite, so they
// outlive the program. Serves http://127.0.0.1:8084/, or another port that its
// first argument names, until it is interrupted.
#include <csignal>
#include <cstdlib>
#include <iostream>

#include "sancho/adapters/microhttpd.hpp"
#include "sancho/open_store.hpp"

struct GuestSession : sancho::Session {
  using Session::Session;
  sancho::Counter visits{*this, "visits"};
};

namespace {

using Scope = sancho::RequestScope<GuestSession>;
using Request = sancho::MicrohttpdRequest;
using Reply = sancho::MicrohttpdReply;

// Each form carries the session's token; a visitor's form does as well.
std::string form(GuestSession& session, const std::string& action, const std::string& inside) {
  return "<form method=\"post\" action=\"" + action + "\"><input type=\"hidden\" name=\"token\" value=\"" +
         session.csrf_token(action) + "\">" + inside + "</form>";
}

bool is_name(const std::string& text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
}

Reply home(GuestSession& session) {
  const auto name = session.get_user();
  if (name) ++session.visits;
  const auto body = name ? "<h1>Hello, " + *name + "</h1><p>Visits: " + std::to_string(session.visits.value()) +
                               "</p>" + form(session, "/logout", "<button>Log out</button>")
                         : form(session, "/login", "<label>Name <input name=\"name\"></label> <button>Log in</button>");
  return Reply::text("<!doctype html><html lang=\"en\"><title>Guests</title>" + body + "</html>",
                     "text/html; charset=utf-8");
}

Reply serve(Scope& scope, const Request& request) {
  const auto path = std::string(request.path());
  if (path == "/") return home(*scope);
  if (request.method() != "POST") return Reply::text("There is no such page.\n", "text/plain", 404);
  if (!scope->check_csrf_token(request.field("token").value_or(""), path))
    return Reply::text("Please go back and try again.\n", "text/plain", 403);
  // A real application looks at a password here.
  const auto name = request.field("name").value_or("");
  if (path == "/login" && is_name(name)) scope->set_user(name);
  if (path == "/logout") scope.expire_session();
  return Reply::redirect("/");
}

}  // namespace

int main(int argc, char** argv) {
  sancho::Policy policy;
  policy.name_space = "guests";
  policy.cookie = sancho::CookieOptions::insecure_dev();  // no TLS: for loopback only
  sancho::SessionManager<GuestSession> manager(sancho::open_store("sqlite:guests.db"), policy);

  sigset_t end;
  sigemptyset(&end);
  sigaddset(&end, SIGINT), sigaddset(&end, SIGTERM);
  sigprocmask(SIG_BLOCK, &end, nullptr);
  const int port = argc > 1 ? std::atoi(argv[1]) : 8084;
  const sancho::MicrohttpdSessions sessions(manager);
  const sancho::MicrohttpdServer server(sessions.wrap(serve), {.port = static_cast<std::uint16_t>(port)});
  std::cout << "http://127.0.0.1:" << server.port() << "/\n" << std::flush;
  int signal = 0;
  sigwait(&end, &signal);
}
