#include "app.hpp"

#include <fmt/chrono.h>

#include <charconv>
#include <optional>

namespace {

using httplib::Request;
using httplib::Response;

std::string escape(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      case '\'': out += "&#39;"; break;
      default: out += c;
    }
  }
  return out;
}

void show(Response& res, const std::string& body) {
  res.set_content(
      "<!doctype html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><title>Package application</title></head>\n"
      "<body>\n" + body + "\n<p><small>A test application, with its guards off on purpose.</small></p>\n</body>\n</html>\n",
      "text/html; charset=utf-8");
}

void show_text(Response& res, const std::string& lines) { res.set_content(lines, "text/plain; charset=utf-8"); }

void front_page(AppSession& session, const Request&, Response& res) {
  const auto name = session.get_user();
  auto body = name ? fmt::format("<p>Hello, {}!</p>", escape(*name)) : std::string("<p>Not logged in.</p>");
  if (name || session.counter.present()) body += fmt::format("\n<p>Counter: {}</p>", session.counter.value());
  show(res, body);
}

void login_form(AppSession&, const Request&, Response& res) {
  show(res, "<form method=\"post\" action=\"/login\">\n<label>Name <input name=\"name\"></label>\n"
            "<button>Log in</button>\n</form>");
}

void login(AppSession& session, const Request& req, Response& res) {
  const auto name = req.get_param_value("name");
  if (name.empty()) {
    res.status = 400;
    return show(res, "<p>A name is needed.</p>");
  }
  session.set_user(name);
  session.counter = 0;
  show(res, fmt::format("<p>Welcome! {}</p>", escape(name)));
}

void logout(sancho::RequestScope<AppSession>& scope, const Request&, Response& res) {
  scope.expire_session();
  show(res, "<p>Goodbye!</p>");
}

void counter(AppSession& session, const Request&, Response& res) {
  ++session.counter;
  show(res, fmt::format("<p>Counter: {}</p>", session.counter.value()));
}

void create_token(AppSession& session, const Request&, Response& res) {
  show(res, fmt::format("<p>Token created: {}</p>", session.create_form_token()));
}

// ## What the session holds

std::string session_id(const AppSession& session) {
  return session.id().empty() ? "None" : std::string(session.id().text());
}

std::string access_time(const AppSession& session) {
  return fmt::format("{:%Y-%m-%d %H:%M:%S}", fmt::gmtime(std::chrono::system_clock::to_time_t(session.get_access_time())));
}

const char* has_form_tokens(const AppSession& session) { return session.form_tokens() > 0 ? "True" : "False"; }

void check(AppSession& session, const Request&, Response& res) {
  const auto name = session.get_user();
  show_text(res, fmt::format("session_id: {}\nuser: {}\ncounter: {}\nhas_info: {}\nform_tokens_count: {}\n"
                             "has_form_tokens: {}\nAccess time: {}\n",
                             session_id(session), name.value_or("None"),
                             session.counter.present() ? std::to_string(session.counter.value()) : "N/A",
                             name.value_or("False"), session.form_tokens(), has_form_tokens(session),
                             access_time(session)));
}

void check_token(AppSession& session, const Request&, Response& res) {
  show_text(res, fmt::format("session_id: {}\nuser: {}\nhas_form_tokens: {}\nform_token_count: {}\nAccess time: {}\n",
                             session_id(session), session.get_user().value_or("None"), has_form_tokens(session),
                             session.form_tokens(), access_time(session)));
}

// ## Housekeeping

std::optional<std::chrono::minutes> minutes(const Request& req) {
  const auto text = req.get_param_value("minutes");
  int n = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
  if (error != std::errc{} || end != text.data() + text.size() || n < 0) return std::nullopt;
  return std::chrono::minutes(n);
}

void delete_old(sancho::SessionManager<AppSession>& manager, const Request& req, Response& res) {
  const auto age = minutes(req);
  if (!age) {
    res.status = 400;
    return show(res, "<p>Say how old: /delete_old?minutes=N</p>");
  }
  if (!manager.store().scan()) return show(res, "<p>This store cannot list its sessions: old ones go by themselves.</p>");
  const auto deleted = manager.delete_old_sessions(*age);
  const auto remaining = manager.store().scan()->count(sancho::Deadline::after(std::chrono::seconds(30)));
  show(res, fmt::format("<p>Deleted: {}, Remaining: {}</p>", deleted, remaining));
}

}  // namespace

sancho::Policy unguarded_policy() {
  sancho::Policy policy;
  policy.name_space = "package_app";
  policy.cookie = sancho::CookieOptions::insecure_dev();
  policy.origins = std::nullopt;
  policy.renewal = std::nullopt;
  // The package's own: `/delete_old` and `Access time:` tell seconds apart.
  policy.access_time_resolution = std::chrono::seconds(1);
  // It runs on any engine, memcached too, where a session may be dropped.
  policy.store_must.keeps = false;
  return policy;
}

void add_endpoints(sancho::HttplibServer& server, sancho::SessionManager<AppSession>& manager) {
  const sancho::HttplibSessions sessions(manager);
  server.Get("/", sessions.wrap(front_page));
  server.Get("/login", sessions.wrap(login_form));
  server.Post("/login", sessions.wrap(login));
  server.Get("/logout", sessions.wrap(logout));
  server.Get("/counter", sessions.wrap(counter));
  server.Get("/create_token", sessions.wrap(create_token));
  server.Get("/check", sessions.wrap(check));
  server.Get("/check_token", sessions.wrap(check_token));
  server.Get("/delete_old", sessions.wrap([&manager](AppSession&, const Request& req, Response& res) {
    delete_old(manager, req, res);
  }));
}
