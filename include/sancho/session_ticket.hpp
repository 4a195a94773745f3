// # Which session it was
//
// What a request leaves behind for those who outlive it: a ticket that names its
// session, for a `SessionWatch` (session_watch.hpp). It opens nothing, and the id
// cannot be had from it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "sancho/export.hpp"
#include "sancho/id.hpp"

namespace sancho SANCHO_EXPORT {

class SessionTicket {
 public:
  // The session's public name, and whose it is; no subject: a visitor's.
  const Handle& handle() const { return handle_; }
  const std::string& subject() const { return subject_; }

 private:
  friend class ManagerBase;
  friend class ScopeBase;
  friend class SessionWatchBase;
  SessionTicket(const SessionKey& key, const Handle& handle, std::string subject)
      : key_(key), handle_(handle), subject_(std::move(subject)) {}

  SessionKey key_;  // where its record is, or was
  Handle handle_;
  std::string subject_;
};

// Why a session is not there any more.
enum class SessionEnd : std::uint8_t {
  logged_out,  // by itself, by its user from elsewhere, by the application, or over a cap
  other_user,  // it has another user now, or none, under another id
  emptied,     // it held nothing any more
  gone,        // its time was over, or its record cannot be read
  outage,      // nobody knows: its store has not answered for too long
};

// The word for it, as in the enumeration. Lives for the whole program.
std::string_view to_string(SessionEnd end);

}  // namespace sancho
