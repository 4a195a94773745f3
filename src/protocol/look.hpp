// # Is a session still there?
//
// Asked from outside any request, by its key alone: along moved records, and
// tombstones that a reauthentication left, to the record that it lives in now.
// Nothing is activated on the way, nor is a first use noted: nobody has come.
#pragma once

#include "protocol/machine.hpp"
#include "sancho/session_ticket.hpp"

namespace sancho::protocol {

class Look {
 public:
  // `access_older_than`: the session was used, which is written down where the
  // last access is older than that.
  Look(const SessionKey& from, std::string_view subject, std::optional<Duration> access_older_than)
      : key(from), subject_(subject), access_older_than_(access_older_than) {}
  const Op* resume(Env& env, Answer& answer);

  SessionKey key;                 // where it is by now
  std::optional<SessionEnd> end;  // nothing: it is there
  bool found = false;             // ... for sure: what fails now is upkeep

 private:
  // What the answer says; true: it leads on, to `key`.
  bool leads_on(const Answer& answer);

  friend struct Inspect;
  int at_ = 0;
  std::string_view subject_;
  std::optional<Duration> access_older_than_;
  Time accessed_{};
  std::uint64_t incarnation_ = 0;
  Op op_;
};

}  // namespace sancho::protocol
