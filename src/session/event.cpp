#include "sancho/event.hpp"

namespace sancho {

std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::created: return "created";
    case EventKind::login: return "login";
    case EventKind::reauthenticated: return "reauthenticated";
    case EventKind::rotated: return "rotated";
    case EventKind::logout: return "logout";
    case EventKind::revoked: return "revoked";
    case EventKind::expired: return "expired";
    case EventKind::emptied: return "emptied";
    case EventKind::merged: return "merged";
    case EventKind::dropped: return "dropped";
    case EventKind::login_lost: return "login_lost";
    case EventKind::login_refused: return "login_refused";
    case EventKind::cookie_refused: return "cookie_refused";
    case EventKind::header_refused: return "header_refused";
    case EventKind::unknown_id: return "unknown_id";
    case EventKind::replayed_id: return "replayed_id";
    case EventKind::address_mismatch: return "address_mismatch";
    case EventKind::token_consumed: return "token_consumed";
    case EventKind::token_refused: return "token_refused";
    case EventKind::request_refused: return "request_refused";
    case EventKind::record_corrupt: return "record_corrupt";
    case EventKind::slot_quarantined: return "slot_quarantined";
    case EventKind::store_unavailable: return "store_unavailable";
    case EventKind::touch_failed: return "touch_failed";
    case EventKind::served_read_only: return "served_read_only";
    case EventKind::served_anonymous: return "served_anonymous";
    case EventKind::sweep_failed: return "sweep_failed";
    case EventKind::unfinished: return "unfinished";
    case EventKind::observer_failed: return "observer_failed";
  }
  return "unknown";
}

}  // namespace sancho
