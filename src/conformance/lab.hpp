// # The laboratory
//
// One store in a new place, a clock that is moved by hand, records to put in,
// and the words in which a fact is stated.
#pragma once

#include <stdexcept>
#include <string>
#include <variant>

#include "sancho/conformance.hpp"

namespace sancho::conformance {

// The store did something else than the contract says.
class Failure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The fact cannot be asked of this store.
class NotApplicable : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

inline void expect(bool condition, const std::string& otherwise) {
  if (!condition) throw Failure(otherwise);
}

class Lab {
 public:
  explicit Lab(const Factory& factory);

  SessionStore& store() { return *store_; }
  // Another handle to the same place.
  std::unique_ptr<SessionStore> open_another() { return venue_.open(clock_); }
  // Closes the store and opens it anew.
  void reopen();

  const Clock& clock() const { return clock_; }
  Time now() const { return venue_.now ? venue_.now() : clock_.now(); }
  Duration units(int n) const { return venue_.unit * n; }
  void pass(int units);

  // Far away: no fact is about slowness.
  static Deadline soon() { return Deadline::after(std::chrono::seconds{60}); }
  // Rounds for races and walks: as many as usual, or more in proportion where
  // `SANCHO_ROUNDS` is above 1000.
  static int rounds(int usual);

  // A key nobody has used; one where a store over many places keeps this
  // subject's sessions.
  static SessionKey new_key();
  SessionKey key_for(std::string_view subject);
  // A live session of now: idle for 10 units, ending after 100, of nobody.
  Record new_record(State state = State::live) const;
  // One that outlives any fact, for those in which no time passes but what the
  // store takes: how quick it is must not matter.
  Record new_lasting_record(State state = State::live) const;
  // The same with the next version: what a commit would write.
  static Record next(Record record);

  // Puts a record there and expects it to work.
  Record put(const SessionKey& key, Record record);
  Record put(const SessionKey& key, State state = State::live) { return put(key, new_record(state)); }

  // What is there, or a failure if nothing is.
  Record stored(const SessionKey& key);
  void expect_stored(const SessionKey& key, const Record& record, const std::string& otherwise);
  void expect_absent(const SessionKey& key, const std::string& otherwise);

 private:
  Venue venue_;
  ManualClock clock_{std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now())};
  std::unique_ptr<SessionStore> store_;
};

inline constexpr State all_states[] = {State::pending, State::live, State::moved, State::ended, State::note};
inline constexpr State states_not_live[] = {State::pending, State::moved, State::ended, State::note};

// The alternative `T` of an answer, or a failure that says what was expected.
template <class T, class Answer>
T expect_answer(const Answer& answer, const std::string& otherwise) {
  if (const auto* found = std::get_if<T>(&answer)) return *found;
  throw Failure(otherwise);
}

// One line for messages; the payload only by its size.
std::string describe(const Record& record);

// The chapters.
std::span<const Fact> create_facts();
std::span<const Fact> commit_facts();
std::span<const Fact> touch_facts();
std::span<const Fact> erase_facts();
std::span<const Fact> epoch_facts();
std::span<const Fact> expiry_facts();
std::span<const Fact> sweep_facts();
std::span<const Fact> bytes_facts();
std::span<const Fact> listing_facts();
std::span<const Fact> race_facts();
std::span<const Fact> place_facts();
std::span<const Fact> walk_facts();

}  // namespace sancho::conformance
