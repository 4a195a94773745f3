// # Opening a connection that stays
//
// A WebSocket, a stream of events: what is asked for with one request and lives
// on after its answer. Such a request goes through `handshake` in place of
// `exchange`:
//
//     auto opening = sancho::handshake(manager, head.request(), [](sancho::RequestScope<ShopSession>& scope) {
//       return scope->get_user().has_value();  // whoever is logged in
//     });
//     if (opening.refused()) response = plain_response(opening.answer.status, opening.text());
//     sancho::put_lines(opening.answer, HeadOf(response));
//     if (!opening.refused()) watched = watcher.watch(*opening.ticket, close);
//
// What is different from `exchange`:
//
//   - The origin is asked for although the request is a GET: any page may open a
//     WebSocket to us, and the browser sends our cookie along. So a request from
//     a foreign page is refused, and one that tells no origin as well, also where
//     `OriginOptions::log_only` or `allow_unknown` lets requests pass; programs
//     that are no browsers use a header (`Policy::transport`).
//   - There must be a session behind it at the end, else it is refused. What the
//     handler writes makes one, and its `Set-Cookie` goes into the answer (101).
//   - It is never served without its session, whatever `Policy::outage` says.
//   - There is a ticket, for a watch that ends the connection with its session.
#pragma once

#include <optional>
#include <string_view>
#include <utility>

#include "sancho/adapter.hpp"
#include "sancho/export.hpp"
#include "sancho/session_ticket.hpp"

namespace sancho SANCHO_EXPORT {

struct Handshake {
  // Its lines belong into the response, whichever. If it failed, the connection
  // is not opened, for the reasons that `Answer::status` has, and
  //   403 - also, the handler said no, or there is no session
  Answer answer{};
  // The session, where it may be opened.
  std::optional<SessionTicket> ticket{};

  // It was refused because of its session, and not because of its origin.
  bool without_session = false;

  bool refused() const { return answer.failed(); }
  // One sentence in plain text and English for a refusal, as `plain_text`.
  std::string_view text() const;
};

namespace detail {
template <class Manager>
Answer ask_for_origin(Manager& manager, const Request& request) {
  Answer answer;
  try {
    if (!manager.handshake_allowed(request)) answer.status = 403;
  } catch (...) {
    answer.error = std::current_exception();
    answer.status = status_of(answer.error);
  }
  return answer;
}
// What came of its request; no ticket: it is not to be opened.
Handshake concluded(Answer answer, std::optional<SessionTicket> ticket);
// Throws *unavailable* where the session could not be read.
void must_have_read(bool can_read);
}  // namespace detail

// `handler` is given the scope, and says whether the connection may be opened.
// Throws nothing: what is thrown is in the answer.
template <class S, class Handler>
  requires std::predicate<Handler&, RequestScope<S>&>
Handshake handshake(SessionManager<S>& manager, const Request& request, Handler&& handler) {
  auto asked = detail::ask_for_origin(manager, request);
  if (asked.failed()) return {.answer = std::move(asked)};
  std::optional<SessionTicket> ticket;
  auto answer = exchange(manager, request, [&](RequestScope<S>& scope) {
    detail::must_have_read(scope.can_read());
    const bool wanted = handler(scope);
    manager.maintain_session(scope);
    if (wanted) ticket = scope.ticket();
  });
  return detail::concluded(std::move(answer), std::move(ticket));
}

}  // namespace sancho
