#include "sancho/transport.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "sancho/error.hpp"

namespace sancho {

namespace {
// What these say is not ours to say, or not ours to hear. `Proxy` is read by
// programs behind CGI as the proxy that they are to use.
// clang-format off
constexpr std::string_view taken[] = {
    "accept", "authorization", "cache-control", "connection", "content-encoding", "content-length", "content-type",
    "cookie", "date", "expect", "forwarded", "host", "keep-alive", "location", "origin", "pragma", "proxy",
    "proxy-authorization", "proxy-connection", "referer", "retry-after", "sec-fetch-site", "server", "set-cookie", "te",
    "trailer", "transfer-encoding", "upgrade", "user-agent", "vary", "via", "www-authenticate", "x-forwarded-for",
    "x-forwarded-proto"};
// clang-format on

bool is_name(std::string_view text) {
  return !text.empty() && is_letter_or_digit(text.front()) &&
         std::all_of(text.begin(), text.end(), [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

void check_name(const std::string& name, const char* field) {
  if (!is_name(name))
    throw ConfigError(std::string("Policy::transport: ") + field + " '" + name + "' must be letters, digits and '-'");
  if (std::any_of(std::begin(taken), std::end(taken), [&](auto other) { return same_ignoring_case(name, other); }))
    throw ConfigError(std::string("Policy::transport: ") + field + " '" + name +
                      "' means something else already; take another name");
}

constexpr bool is_visible(char c) { return c > ' ' && c < '\x7f' && c != ','; }
}  // namespace

Transport Transport::bearer(std::string response_header) {
  return {.request_header = "Authorization", .scheme = "Bearer", .response_header = std::move(response_header)};
}

Transport Transport::header(std::string name) {
  return {.request_header = name, .scheme = {}, .response_header = name};
}

void Transport::check() const {
  if (by_cookie()) {
    if (!scheme.empty() || !response_header.empty())
      throw ConfigError(
          "Policy::transport: scheme and response_header belong to a request_header; without one the id travels in the "
          "cookie");
    return;
  }
  check_name(response_header, "response_header");
  // A scheme is what makes room in `Authorization` for ours beside others.
  if (!same_ignoring_case(request_header, "Authorization"))
    check_name(request_header, "request_header");
  else if (scheme.empty())
    throw ConfigError("Policy::transport: Authorization needs a scheme, as in Transport::bearer()");
  if (!std::all_of(scheme.begin(), scheme.end(), is_token_char))
    throw ConfigError("Policy::transport: the scheme '" + scheme + "' must be one word");
}

FoundId find_id(std::span<const std::string_view> lines, std::string_view scheme) noexcept {
  using enum FoundId::Outcome;
  if (lines.empty()) return {};
  if (lines.size() > 1) return {ambiguous, {}};
  auto text = trim_blank(lines.front());
  if (!scheme.empty()) {
    if (!same_ignoring_case(text.substr(0, scheme.size()), scheme) || text.substr(scheme.size(), 1) != " ") return {malformed, {}};
    text.remove_prefix(scheme.size() + 1);
  }
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_visible)) return {malformed, {}};
  return {found, text};
}

}  // namespace sancho
