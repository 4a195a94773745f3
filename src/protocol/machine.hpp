// # Machines
//
// The life of a request is written as machines that do no I/O. A machine says
// which store operation it wants next and is resumed with the answer; whoever
// runs it (a blocking loop, a coroutine, a test that tries every order) is none
// of its business:
//
//     Answer answer;
//     while (const Op* op = machine.resume(env, answer)) answer = perform(*op);
//
// A machine reads from top to bottom like the blocking function it would be.
// `SANCHO_ASK` is where it waits: it returns the operation, and the next
// `resume` goes on behind it, by a jump into a `switch`. So what must survive a
// wait is a member, never a local; and a machine is a plain value: a test can
// copy it, and go on with both.
#pragma once

#include <cstddef>
#include <string_view>
#include <variant>

#include "protocol/payload.hpp"
#include "sancho/store.hpp"

namespace sancho::protocol {

// A test's window into machines: it tells whether two are in the same place
// with the same members. Defined by the test that uses it, nowhere here.
struct Inspect;

// ## Operations and answers: the verbs that requests need, as values

struct Load { SessionKey key; };
struct Create { SessionKey key; Record record; std::optional<Admission> admission = {}; };
struct Commit { SessionKey key; Version expected; Record record; };
struct Touch { SessionKey key; std::uint64_t incarnation; Time accessed; };
struct Erase { SessionKey key; std::optional<Version> expected; };
struct AskEpochs { std::string subject; };
struct Find { std::string subject; };
using Op = std::variant<std::monostate, Load, Create, Commit, Touch, Erase, AskEpochs, Find>;

struct Sessions { std::vector<KeyedRecord> found; };
struct Found { Record record; };
// No answer came. A writing operation may have been done, may not have been,
// or may still be done later.
struct Lost {};
using Answer = std::variant<std::monostate, Found, Absent, Done, Taken, Conflict, Gone, Removed, Refused, EpochsSeen, Sessions, Lost>;

// ## What machines are given

// Limits that the protocol itself counts with.
struct Rules {
  // How long the old id leads on after its successor was first used.
  Duration rotation_grace = std::chrono::seconds(30);
  // How long tombstones, and moved records beyond their grace, are kept: longer
  // than the longest request plus the longest delay of a store operation.
  Duration keep_ended = std::chrono::minutes(10);
  // Attempt ids, and spent tokens, that a record keeps.
  std::size_t keep_attempts = 6;
  std::size_t keep_spent = 16;
  std::size_t max_tokens = 16;
};

struct Env {
  std::string_view name_space;
  const Rules& rules;
  RandomSource& random;
  Time now;
  Routing* routing = nullptr;  // the store's, if it has one

  // A new id for a session of this subject; where it leads to, nobody can tell.
  SessionId draw_id(std::string_view subject) const {
    if (!routing) return SessionId::draw(random);
    const auto any = [&] { return static_cast<std::uint32_t>(random.draw_u64() & 0xffffff); };
    return SessionId::draw(random, subject.empty() ? any() : routing->tag_of(subject));
  }

  SessionKey key_of(const SessionId& id) const { return SessionKey::of(name_space, id); }
};

// A record in hand, and the id that leads to it. No record: it leads nowhere.
struct Hand {
  SessionId id;
  SessionKey key;
  std::optional<Record> record;

  Hand(const Env& env, SessionId i, std::optional<Record> r = {}) : id(i), key(env.key_of(i)), record(std::move(r)) {}
  // Where the key has been worked out already.
  Hand(const SessionId& i, const SessionKey& k, std::optional<Record>&& r) : id(i), key(k), record(std::move(r)) {}
  Hand(const SessionId& i, const SessionKey& k, Record&& r) : id(i), key(k), record(std::move(r)) {}
  bool pending() const { return record && record->state == State::pending; }
  bool live() const { return record && record->state == State::live; }
  bool moved() const { return record && record->state == State::moved; }
  bool ended() const { return record && record->state == State::ended; }
};

}  // namespace sancho::protocol

// ## The notation

// Opens and closes the text of `resume`. `at_` is the member that remembers
// where it waits.
#define SANCHO_BEGIN switch (at_) { case 0:
#define SANCHO_END } return nullptr

// Waits for the answer to a store operation.
#define SANCHO_ASK(operation) \
  do {                        \
    op_ = operation;          \
    at_ = __LINE__;           \
    return &op_;              \
    case __LINE__:;           \
  } while (false)

// Sends the same operation once more.
#define SANCHO_ASK_AGAIN() \
  do {                     \
    at_ = __LINE__;        \
    return &op_;           \
    case __LINE__:;        \
  } while (false)

// Comes to an end for now: whoever resumes it goes on behind here.
#define SANCHO_REST() \
  do {                \
    at_ = __LINE__;   \
    return nullptr;   \
    case __LINE__:;   \
  } while (false)

// Runs another machine to its end.
#define SANCHO_RUN(machine)                                             \
  do {                                                                  \
    at_ = __LINE__;                                                     \
    [[fallthrough]];                                                    \
    case __LINE__:                                                      \
      if (const auto* wanted = (machine).resume(env, answer)) return wanted; \
  } while (false)
