// # Sessions for a CGI program, in one page
//
// Log in, see that it knows you, log out. The web server starts it for each
// request; sessions are kept in SQLite beside it. To try it, give it a web
// server that knows CGI and open its address.
#include <array>

#include "sancho/adapters/cgi.hpp"
#include "sancho/open_store.hpp"

struct GuestSession : sancho::Session {
  using Session::Session;
  sancho::Counter visits{*this, "visits"};
};

namespace {

// Each form carries the session's token; a visitor's form does as well.
std::string form(GuestSession& session, const std::string& action, const std::string& inside) {
  return "<form method=\"post\" action=\"?" + action + "\"><input type=\"hidden\" name=\"token\" value=\"" +
         session.csrf_token(action) + "\">" + inside + "</form>";
}

std::string page(GuestSession& session) {
  const auto name = session.get_user();
  if (!name) return form(session, "login", "<label>Name <input name=\"name\"></label> <button>Log in</button>");
  ++session.visits;
  return "<p>Hello, " + *name + ". Visits: " + std::to_string(session.visits.value()) + "</p>" +
         form(session, "logout", "<button>Log out</button>");
}

bool is_name(const std::string& text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
}

void serve(sancho::RequestScope<GuestSession>& scope, const sancho::CgiRequest& request, sancho::Response& response) {
  auto& session = *scope;
  const std::string action(request.query());
  if (request.method() != "POST") {
    response.text("<!doctype html><html lang=\"en\"><title>Guests</title>" + page(session) + "</html>",
                  "text/html; charset=utf-8");
    return;
  }
  const auto name = request.field("name").value_or("");
  if (!session.check_csrf_token(request.field("token").value_or(""), action)) {
    response.status = 403;
    return response.text("Please go back and try again.\n");
  }
  // A real application looks at a password here.
  if (action == "login" && is_name(name)) session.set_user(name);
  if (action == "logout") scope.expire_session();
  response.redirect(request.path());
}

}  // namespace

int main() {
  sancho::Policy policy;
  policy.name_space = "guests";
  policy.cookie = sancho::CookieOptions::insecure_dev();  // no TLS: for loopback only
  // Signs the cookies of login forms. A real one is 32 random bytes, kept in a file.
  policy.pre_session_keys.push_back(std::array<std::byte, 32>{});
  sancho::SessionManager<GuestSession> manager(sancho::open_store("sqlite:guests.db"), policy);
  return sancho::serve_cgi(sancho::CgiSessions(manager).wrap(serve));
}
