// # One write, with its doubt resolved
//
// Every create and every commit carries a random attempt id. A write whose
// answer was lost is sent again unchanged, same expected version and same
// attempt, so at most one copy of it can happen; and a record that refuses it
// tells by its attempt ids whether an earlier copy was the reason.
#pragma once

#include "protocol/machine.hpp"

namespace sancho::protocol {

// A record as `base`, but for the payload, which a write makes anew.
Record columns_of(const Record& base);

// Puts a new record at `key`, as the first of a new incarnation. One that was
// refused is sent again when it is resumed: still the same attempt, because a
// copy of it may be on its way.
class CreateOne {
 public:
  CreateOne(const SessionKey& key, Record&& record, Payload&& payload, const std::optional<Admission>& admission = {});
  const Op* resume(Env& env, Answer& answer);

  bool done = false;          // false: refused, or somebody else's record is there
  std::optional<Record> now;  // what is there
  std::optional<Refused::Why> refused;
  bool doubt = false;         // an answer was lost: that copy may still be on its way
  Attempt attempt() const { return attempt_; }

 private:
  friend struct Inspect;
  int at_ = 0;
  SessionKey key_;
  Record record_;
  Payload payload_;
  std::optional<Admission> admission_;
  Attempt attempt_ = 0;
  Op op_;
};

// Replaces the record `base` at `key` by `record` with `payload`; the version
// is made here. With `claim`, that form token is spent by this very commit.
class CommitOne {
 public:
  enum class Verdict {
    done,      // `now` is the new record, or one that came of it
    conflict,  // `now` is the current record
    gone,      // there is none
    in_doubt,  // it cannot be told any more; `now` is the current record, if any
  };

  CommitOne(SessionKey key, const Record& base, Record record, Payload payload, std::optional<TokenDigest> claim = {});
  // `record` is complete, with this attempt in its version and its payload.
  CommitOne(SessionKey key, const Version& expected, Record record, Attempt attempt)
      : key_(key), expected_(expected), record_(std::move(record)), attempt_(attempt) {}
  const Op* resume(Env& env, Answer& answer);

  Verdict verdict = Verdict::in_doubt;
  std::optional<Record> now;
  Attempt attempt() const { return attempt_; }

 private:
  friend struct Inspect;
  int at_ = 0;
  SessionKey key_;
  Version expected_;
  Record record_;
  std::optional<Payload> payload_;  // that has yet to be written
  std::optional<TokenDigest> claim_;
  Attempt attempt_ = 0;
  bool doubt_ = false;
  Op op_;
};

}  // namespace sancho::protocol
