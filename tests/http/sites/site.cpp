#include "site.hpp"

#include <algorithm>
#include <stdexcept>
#include <thread>

namespace site {

std::string tell(const Session& session) {
  return session.get_user().value_or("nobody") + " " + std::to_string(session.visits.value());
}

void fail() { throw std::runtime_error("canary: this page fails"); }

std::chrono::milliseconds Asked::pause() const {
  return std::chrono::milliseconds(std::stoi("0" + std::string(field("ms"))));
}

namespace {

std::string_view value_of(std::string_view fields, std::string_view name) {
  while (!fields.empty()) {
    const auto pair = fields.substr(0, fields.find('&'));
    fields.remove_prefix(std::min(fields.size(), pair.size() + 1));
    if (pair.substr(0, pair.find('=')) == name && pair.find('=') != std::string_view::npos)
      return pair.substr(pair.find('=') + 1);
  }
  return {};
}

Page count(Session& session) {
  ++session.visits;
  return {.text = tell(session)};
}

// ## Pages that log in and out

Page log_in(Session& session, const Asked& asked) {
  session.set_user(std::string(asked.field("name")));
  return {.status = 303, .location = "/look"};
}

Page log_out(Scope& scope, const Asked& asked) {
  scope.expire_session();
  if (asked.path.ends_with("/throw")) fail();
  return {.text = "goodbye"};
}

// ## Forms

Page csrf(Session& session, const Asked& asked) {
  if (asked.method != "POST") return {.text = session.csrf_token("form")};
  return {.text = session.check_csrf_token(asked.field("token"), "form") ? "good" : "bad"};
}

Page buy(Session& session, const Asked& asked) {
  if (!session.consume_form_token(asked.field("token"))) return {.text = "refused"};
  ++session.visits;
  if (asked.path.ends_with("/throw")) fail();
  return {.text = "bought"};
}

// ## Pages that are answered in another way

Page cached(Session& session) {
  auto page = count(session);
  page.lines = {{"Cache-Control", "public, max-age=3600"},
                {"Vary", "Accept-Language"},
                {"Set-Cookie", "theme=dark; Path=/"},
                {"Set-Cookie", "lang=es; Path=/"}};
  return page;
}

Page slow(Session& session, const Asked& asked) {
  ++session.visits;
  std::this_thread::sleep_for(asked.pause());
  return {.text = tell(session)};
}

std::size_t sessions_in(Manager& manager) {
  return manager.store().scan()->count(sancho::Deadline::after(std::chrono::seconds(5)));
}

Page length(const Asked& asked) {
  auto text = std::to_string(asked.body.size()) + " ";
  if (!asked.body.empty()) text += asked.body.back();
  return {.text = text};
}

}  // namespace

std::string_view Asked::field(std::string_view name) const {
  const auto found = value_of(query, name);
  return found.empty() ? value_of(body, name) : found;
}

Asked asked(std::string_view method, std::string_view target, std::string_view body) {
  const auto mark = target.find('?');
  return {.method = method,
          .path = target.substr(0, mark),
          .query = mark == std::string_view::npos ? std::string_view() : target.substr(mark + 1),
          .body = body};
}

std::vector<std::string> pieces(const Page& page) {
  const auto half = page.text.size() / 2;
  return {page.text.substr(0, half), page.text.substr(half)};
}

std::optional<Page> look(Session& session, const Asked& asked) {
  const auto path = asked.path;
  const bool post = asked.method == "POST";
  if (path == "/public") return Page{.text = "anybody", .lines = {{"Cache-Control", "public"}}};
  if (path == "/look") return Page{.text = tell(session)};
  if (path == "/count") return count(session);
  if (path == "/cached") return cached(session);
  if (path == "/moved") return ++session.visits, Page{.status = 303, .location = "/look"};
  if (path == "/stream") return ++session.visits, Page{.text = tell(session), .in_pieces = true};
  if (path == "/throw") return ++session.visits, fail(), Page{};
  if (path == "/login" && post) return log_in(session, asked);
  if (path == "/csrf") return csrf(session, asked);
  if (path == "/form") return Page{.text = session.create_form_token()};
  if (path == "/alive") return Page{.text = std::to_string(Session::alive - 1)};
  if (path == "/length" && post) return length(asked);
  return std::nullopt;
}

Page address(const std::string& address, bool https) { return {.text = address + (https ? " tls" : "")}; }

Page visit(Manager& manager, Scope& scope, const Asked& asked) {
  auto& session = *scope;
  const auto path = asked.path;
  const bool post = asked.method == "POST";
  if (auto page = look(session, asked)) return std::move(*page);
  if (path == "/slow") return slow(session, asked);
  if (path.starts_with("/logout") && post) return log_out(scope, asked);
  if (path.starts_with("/buy") && post) return buy(session, asked);
  if (path == "/address") return address(scope.remote_address(), scope.https());
  if (path == "/sessions") return {.text = std::to_string(sessions_in(manager))};
  return {.status = 404, .text = "there is no such page"};
}

}  // namespace site
