#include "id_lines.hpp"

#include "cookie_pair.hpp"

namespace sancho {

namespace {
template <class Outcome>
Presented read(Outcome outcome, std::string_view text) {
  if (outcome == Outcome::absent) return {};
  if (outcome == Outcome::ambiguous) return {.refused = "more than one"};
  return {.text = outcome == Outcome::found ? std::optional(text) : std::nullopt, .refused = "not of the right form"};
}
}  // namespace

Presented presented(const Policy& policy, std::string_view pre_name, const Request& request) {
  if (policy.transport.by_cookie()) {
    const auto [found, pre] = find_cookies(request.cookies, policy.cookie.name, pre_name);
    auto brought = read(found.outcome, found.value);
    if (pre.outcome == FoundCookie::Outcome::found) brought.pre_session = pre.value;
    return brought;
  }
  const auto found = find_id(request.id_lines, policy.transport.scheme);
  return read(found.outcome, found.value);
}

HeaderLine telling(const SessionId& id, const Transport& transport, const SetCookie& cookie,
                   std::optional<std::chrono::seconds> max_age) {
  if (transport.by_cookie()) return {"Set-Cookie", cookie.build(id.reveal(), max_age)};
  return {transport.response_header, id.reveal()};
}

HeaderLine forgetting(const Transport& transport, const SetCookie& cookie) {
  if (transport.by_cookie()) return {"Set-Cookie", cookie.removal()};
  return {transport.response_header, ""};
}

HeaderLine varying(const Transport& transport) {
  return {"Vary", transport.by_cookie() ? "Cookie" : transport.request_header};
}

}  // namespace sancho
