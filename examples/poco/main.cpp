// # Sessions for POCO, in one page
//
// Log in, see that it knows you, log out. Sessions are kept in SQLite, so they
// outlive the program. Serves http://127.0.0.1:8085/, or another port that its
// first argument names, until it is interrupted.
#include "sancho/adapters/poco.hpp"

#include <Poco/Net/HTTPRequestHandlerFactory.h>
#include <Poco/Net/HTTPServer.h>

#include <csignal>
#include <cstdlib>
#include <iostream>

#include "sancho/open_store.hpp"

struct GuestSession : sancho::Session {
  using Session::Session;
  sancho::Counter visits{*this, "visits"};
};

namespace {

namespace net = Poco::Net;
using Request = sancho::PocoRequest;

// Each form carries the session's token; a visitor's form does as well.
std::string form(GuestSession& session, const std::string& action, const std::string& inside) {
  return "<form method=\"post\" action=\"" + action + "\"><input type=\"hidden\" name=\"token\" value=\"" +
         session.csrf_token(action) + "\">" + inside + "</form>";
}

bool is_name(const std::string& text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
}

void home(GuestSession& session, const Request&, sancho::Response& response) {
  const auto name = session.get_user();
  if (name) ++session.visits;
  const auto body = name ? "<h1>Hello, " + *name + "</h1><p>Visits: " + std::to_string(session.visits.value()) +
                               "</p>" + form(session, "/logout", "<button>Log out</button>")
                         : form(session, "/login", "<label>Name <input name=\"name\"></label> <button>Log in</button>");
  response.text("<!doctype html><html lang=\"en\"><title>Guests</title>" + body + "</html>",
                "text/html; charset=utf-8");
}

void login(GuestSession& session, const Request& request, sancho::Response& response) {
  // A real application looks at a password here.
  const auto name = request.field("name").value_or("");
  if (!session.check_csrf_token(request.field("token").value_or(""), "/login") || !is_name(name)) {
    response.status = 403;
    return response.text("Please go back and try again.\n");
  }
  session.set_user(name);
  response.redirect("/");
}

void logout(sancho::RequestScope<GuestSession>& scope, const Request& request, sancho::Response& response) {
  if (scope->check_csrf_token(request.field("token").value_or(""), "/logout")) scope.expire_session();
  response.redirect("/");
}

struct Pages : net::HTTPRequestHandlerFactory {
  explicit Pages(sancho::SessionManager<GuestSession>& manager) : sessions(manager) {}
  net::HTTPRequestHandler* createRequestHandler(const net::HTTPServerRequest& request) override {
    if (request.getURI() == "/") return sessions.handler(home);
    if (request.getURI() == "/login") return sessions.handler(login);
    if (request.getURI() == "/logout") return sessions.handler(logout);
    return nullptr;
  }
  sancho::PocoSessions<GuestSession> sessions;
};

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
  const int port = argc > 1 ? std::atoi(argv[1]) : 8085;
  const sancho::PocoServerSocket socket(net::SocketAddress("127.0.0.1", static_cast<Poco::UInt16>(port)));
  net::HTTPServer server(new Pages(manager), socket, new net::HTTPServerParams);
  server.start();
  std::cout << "http://127.0.0.1:" << server.port() << "/\n" << std::flush;
  int signal = 0;
  sigwait(&end, &signal);
  server.stopAll(true);
}
