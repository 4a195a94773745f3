// # Sessions for RESTinio, in one page
//
// Log in, see that it knows you, log out. Sessions are kept in SQLite, so they
// outlive the program. Serves http://127.0.0.1:8086/, or another port that its
// first argument names, until it is interrupted.
#include "sancho/adapters/restinio.hpp"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <restinio/http_server_run.hpp>

#include "sancho/open_store.hpp"

struct GuestSession : sancho::Session {
  using Session::Session;
  sancho::Counter visits{*this, "visits"};
};

namespace {

using Request = sancho::RestinioRequest;

// Each form carries the session's token; a visitor's form does as well.
std::string form(GuestSession& session, const std::string& action, const std::string& inside) {
  return "<form method=\"post\" action=\"" + action + "\"><input type=\"hidden\" name=\"token\" value=\"" +
         session.csrf_token(action) + "\">" + inside + "</form>";
}

bool is_name(const std::string& text) {
  return !text.empty() && text.find_first_not_of("abcdefghijklmnopqrstuvwxyz") == std::string::npos;
}

void home(GuestSession& session, sancho::Response& response) {
  const auto name = session.get_user();
  if (name) ++session.visits;
  const auto body = name ? "<h1>Hello, " + *name + "</h1><p>Visits: " + std::to_string(session.visits.value()) +
                               "</p>" + form(session, "/logout", "<button>Log out</button>")
                         : form(session, "/login", "<label>Name <input name=\"name\"></label> <button>Log in</button>");
  response.text("<!doctype html><html lang=\"en\"><title>Guests</title>" + body + "</html>",
                "text/html; charset=utf-8");
}

void refuse(int status, const char* why, sancho::Response& response) {
  response.status = status;
  response.text(why);
}

void serve(sancho::RequestScope<GuestSession>& scope, const Request& request, sancho::Response& response) {
  const auto path = std::string(request.path());
  if (path == "/") return home(*scope, response);
  if (request.method() != "POST") return refuse(404, "There is no such page.\n", response);
  if (!scope->check_csrf_token(request.field("token").value_or(""), path))
    return refuse(403, "Please go back and try again.\n", response);
  // A real application looks at a password here.
  const auto name = request.field("name").value_or("");
  if (path == "/login" && is_name(name)) scope->set_user(name);
  if (path == "/logout") scope.expire_session();
  response.redirect("/");
}

struct Traits : restinio::default_traits_t {
  using request_handler_t = sancho::RestinioHandler;
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
  restinio::asio_ns::thread_pool pool(8);  // where handlers wait for the store
  const sancho::RestinioSessions sessions(manager, pool.get_executor());
  int port = argc > 1 ? std::atoi(argv[1]) : 8086;
  auto settings = restinio::server_settings_t<Traits>()
                      .address("127.0.0.1")
                      .port(static_cast<std::uint16_t>(port))
                      .request_handler(sessions.wrap(serve))
                      .acceptor_post_bind_hook([&](auto& acceptor) { port = acceptor.local_endpoint().port(); });
  const auto server = restinio::run_async(restinio::own_io_context(), std::move(settings), 1);
  std::cout << "http://127.0.0.1:" << port << "/\n" << std::flush;
  int signal = 0;
  sigwait(&end, &signal);
  server->stop();
  server->wait();
  pool.join();
}
