// # Logout
#pragma once

#include "protocol/open.hpp"

namespace sancho::protocol {

// The tombstone for a record: it keeps what late answers need (attempt ids,
// spent tokens) and the successor's name, and nothing of the session.
struct Tombstone {
  Record record;
  Payload payload;
};
Tombstone tombstone(const Env& env, const Record& record, EndReason why, std::optional<SessionKey> successor);

// Ends the record at `key`, over whatever version there is, then every
// successor of the same session, through rotations and reauthentications but
// not into a login. Finding a tombstone, it goes on where that one points, so a
// logout that was cut off is finished by the next.
class End {
 public:
  // `record`: as the caller has it in hand, else it is loaded.
  explicit End(SessionKey key, std::optional<Record> record = {}) : key_(key), now_(std::move(record)) {}
  const Op* resume(Env& env, Answer& answer);

  std::size_t ended = 0;  // live sessions among them
  bool begun = false;     // a tombstone is written; what fails behind it leaves half a logout

 private:
  friend struct Inspect;
  int at_ = 0;
  std::optional<SessionKey> key_;
  std::optional<Record> now_;
  std::optional<CommitOne> commit_;
  Op op_;
};

// A logout as a request makes it: from the id it came with and from the record
// it has open, since either may lead further than the other.
class LogOut {
 public:
  LogOut(const Env& env, std::optional<SessionId> presented, std::optional<Hand> hand);
  const Op* resume(Env& env, Answer& answer);

  bool begun() const { return (presented_ && presented_->begun) || (open_ && open_->begun); }

 private:
  friend struct Inspect;
  int at_ = 0;
  std::optional<End> presented_;
  std::optional<End> open_;
};

}  // namespace sancho::protocol
