// # The player
//
// Plays requests against a real manager on a real store.
#pragma once

#include "gate.hpp"
#include "message.hpp"
#include "sancho/manager.hpp"

namespace sancho::races {

struct RaceSession : Session {
  using Session::Session;
  Counter hits{*this, "hits"};
};
using Manager = SessionManager<RaceSession>;

// Everything at its default, but for the renewal by time: here it is asked for.
Policy race_policy();

// Hears what happened to the requests of its own thread.
class Ear : public Observer {
 public:
  void on_event(const Event& event) override;
  static void forget();
  static std::size_t count(EventKind kind);
};

// What a response does to the session's cookie.
struct CookieChange {
  std::string value;    // set to this
  bool forget = false;  // deleted
};
CookieChange cookie_change(const HeaderLines& lines);

// The header a browser with this cookie sends; empty for none.
std::string cookie_header(std::string_view id);
// A request with that header, which must live as long.
Request request_with(const std::string_view& line);

Report play(Manager& sessions, const Job& job, Gate& gate);

}  // namespace sancho::races
