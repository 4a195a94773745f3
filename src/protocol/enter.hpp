// # Entering
//
// A login's new record is created under terms: that nobody has ended all
// sessions of its user since the login began, and that the user has no more
// sessions than the policy allows. The store decides both with the write. What
// stands in the way of a cap is ended here, one session at a time, until there
// is room; so at no moment are there more.
//
// If it stays refused, and an answer was lost on the way, a copy of the create
// may be done later, when there is room: a session whose id nobody has, and
// which holds a place. So a tombstone is put where it would be. That copy finds
// the key taken; or it was faster, and the login is in after all.
#pragma once

#include "protocol/end.hpp"
#include "sancho/session_cap.hpp"

namespace sancho::protocol {

struct Terms {
  std::uint32_t cap = 0;  // 0: none
  AtCap at_cap = AtCap::refuse;
  // The epochs from which on this login counts; nothing: from now on.
  std::optional<EpochsSeen> seen = {};
};

class Enter {
 public:
  // Without terms, or for nobody, it is a plain create.
  Enter(const SessionKey& key, Record&& record, Payload&& payload, const std::optional<Terms>& terms)
      : key_(key), record_(std::move(record)), payload_(std::move(payload)), terms_(terms) {
    if (record_.subject.empty()) terms_.reset();
  }
  const Op* resume(Env& env, Answer& answer);
  const SessionKey& key() const { return key_; }

  bool done = false;          // false: refused, or somebody else's record is there
  std::optional<Record> now;  // what is there
  std::optional<Refused::Why> refused;
  std::vector<Handle> evicted;

 private:
  // Who gives way: one that holds a place, and is not this session itself.
  void evict_one(const std::vector<KeyedRecord>& sessions);
  bool suspect();
  // Puts the tombstone.
  CreateOne closing(const Env& env) const;

  friend struct Inspect;
  int at_ = 0;
  SessionKey key_;
  Record record_;
  Payload payload_;
  std::optional<Terms> terms_;
  std::string subject_;
  Handle handle_, giving_way_;
  std::vector<KeyedRecord> sessions_;
  bool removed_ = false;
  int in_vain_ = 0;  // times in a row that nobody was found who could give way
  std::optional<CreateOne> create_, close_;
  std::optional<End> end_;
  Op op_;
};

}  // namespace sancho::protocol
