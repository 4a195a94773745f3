#include "session/id_lines.hpp"

#include "edge/cookie_pair.hpp"

namespace sancho {

namespace {
template <class Found>
void read(const Found& found, Presented& brought) {
  using Outcome = decltype(found.outcome);
  if (found.outcome == Outcome::absent) return;
  brought.refused = found.outcome == Outcome::ambiguous ? "more than one" : "not of the right form";
  // Its two halves have just been written: copied as one, they would have to be waited for.
  if (found.outcome == Outcome::found) brought.text.emplace(found.value.data(), found.value.size());
}
}  // namespace

Presented presented(const Policy& policy, std::string_view pre_name, const Request& request) {
  Presented brought;
  if (policy.transport.by_cookie()) {
    const auto found = find_cookies(request.cookies, policy.cookie.name, pre_name);
    read(found.first, brought);
    if (found.second.outcome == FoundCookie::Outcome::found) brought.pre_session = found.second.value;
  } else {
    read(find_id(request.id_lines, policy.transport.scheme), brought);
  }
  return brought;
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
