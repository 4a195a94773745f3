#include "sancho/handshake.hpp"

#include "sancho/error.hpp"

namespace sancho {

std::string_view Handshake::text() const {
  return without_session ? "Forbidden: there is no session to open this connection with.\n" : plain_text(answer.status);
}

namespace detail {

Handshake concluded(Answer answer, std::optional<SessionTicket> ticket) {
  Handshake handshake{.answer = std::move(answer)};
  if (handshake.answer.failed()) return handshake;
  handshake.ticket = std::move(ticket);
  if (!handshake.ticket) {
    handshake.answer.status = 403;
    handshake.without_session = true;
  }
  return handshake;
}

void must_have_read(bool can_read) {
  if (!can_read) throw StoreError(Trouble::unavailable, "no connection is opened without its session");
}

}  // namespace detail
}  // namespace sancho
