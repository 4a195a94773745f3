// # From a cookie to a record
#pragma once

#include "protocol/single.hpp"

namespace sancho::protocol {

// Makes of a record one that is not pending, or nothing.
//
// A pending record was decided only if its predecessor names *it*, as moved, or
// as ended by login or reauthentication. Whoever meets a decided one activates
// it. Where the predecessor says no, the record is loaded once more: it may
// have been decided, activated and its predecessor forgotten long ago.
class Settle {
 public:
  // `named`: we came here from the moved record that names it.
  Settle(SessionKey key, Record met, bool named) : record(std::move(met)), key_(key), named_(named) {}
  const Op* resume(Env& env, Answer& answer);

  std::optional<Record> record;

 private:
  friend struct Inspect;
  int at_ = 0;
  SessionKey key_;
  bool named_;
  std::optional<CommitOne> activate_;
  Op op_;
};

// Does this record of a predecessor say that `key` was decided?
bool names(const Record& predecessor, const SessionKey& key);

// Along moved records, to a live or an ended one, or to nothing.
//
// A request that has `begun` is led on even when the grace has ended meanwhile;
// one that begins now is not.
class Follow {
 public:
  Follow(Hand from, bool begun) : hand(std::move(from)), begun_(begun) {}
  const Op* resume(Env& env, Answer& answer);

  Hand hand;
  bool replayed = false;  // an old id came back after its grace

 private:
  friend struct Inspect;
  int at_ = 0;
  bool begun_;
  std::optional<Settle> settle_;
  Op op_;
};

// What a cookie opens: a live record; else an ended one, or nothing.
class Open {
 public:
  Open(const Env& env, SessionId id) : hand(env, id) {}
  const Op* resume(Env& env, Answer& answer);

  Hand hand;
  bool replayed = false;

 private:
  friend struct Inspect;
  int at_ = 0;
  std::optional<Settle> settle_;
  std::optional<Follow> follow_;
  Op op_;
};

// A browser has come with a successor's own id for the first time, so it has
// the new cookie: the predecessor's grace begins to run.
class FirstUse {
 public:
  explicit FirstUse(Hand from) : hand(std::move(from)) {}
  const Op* resume(Env& env, Answer& answer);

  Hand hand;

 private:
  friend struct Inspect;
  int at_ = 0;
  SessionKey predecessor_;
  std::optional<CommitOne> commit_;
  std::optional<Follow> follow_;
  Op op_;
};

}  // namespace sancho::protocol
