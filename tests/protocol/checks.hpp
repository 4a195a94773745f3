// # The promises, as questions to a state of the world
//
// Most are asked in every state; those that speak of the end are asked when
// every request has finished or crashed, and again after each later delivery
// of a response; those about cookies when a request decides on its Set-Cookie.
#pragma once

#include <functional>

#include "world.hpp"

namespace sancho::proof {

// A promise that was broken, by its name, and how.
using Report = std::function<void(std::string_view promise, std::string text)>;

// What the promises depend on, of a state: two states with the same fact get
// the same answers.
struct Fact {
  No store;
  No result[most];  // plus one; 0: none
  IdNo jar;
  std::uint16_t marks;
  At at[most];      // `start` for all that is not finished
  std::uint8_t faults;
  auto operator<=>(const Fact&) const = default;
};
static_assert(sizeof(Fact) == 24);

class Checks {
 public:
  explicit Checks(World& world);

  Fact fact(const State& s) const;
  void ask(const State& s, const Report& report);
  // Request `i` has come to its end with this step.
  void ask_decided(const State& after, std::size_t i, const Report& report);

 private:
  // What an id opens: the id in the end, and its live record.
  struct Opened {
    IdNo id = 0;
    No record = 0;
    explicit operator bool() const { return id != 0; }
  };
  // A session that some id opens.
  struct Session {
    std::vector<IdNo> ids;
    const Seen* seen = nullptr;
    const std::string& handle() const { return seen->handle; }
    // It came of a login in another session.
    bool inherits() const { return !seen->heir_of.empty() && seen->heir_of != seen->handle; }
  };
  // Who did what, in one state.
  struct Case {
    const State& s;
    std::vector<const Result*> done;  // null: not finished, or crashed
    const std::vector<Session>& live;
    bool crashed, expired;
    bool only_graces;  // nothing else has expired, if anything
    const Session* session(std::string_view handle) const;
  };

  Opened opens(No store, IdNo id);
  const std::vector<Session>& live(No store);
  bool asks(std::initializer_list<Does> any) const;
  char name(std::size_t i) const { return static_cast<char>('A' + i); }

  // In every state.
  void one_session(const Case& c, const Report& report);
  void logout_wins(const Case& c, const Report& report);
  void all_are_ended(const Case& c, const Report& report);
  void never_above_the_cap(const Case& c, const Report& report);
  void token_once(const Case& c, const Report& report);
  void emptied(const Case& c, const Report& report);
  bool erased_by_another(const Case& c, const Result* than, char slot) const;
  void form_secrets(const Case& c, const Report& report);
  // At the end.
  void no_lost_update(const Case& c, const Report& report);
  void exact_counter(const Case& c, const Session& session, const Report& report);
  void fence(const Case& c, const Report& report);
  void login_works(const Case& c, const Report& report);
  void loses_nobody(const Case& c, const Report& report);
  bool lawfully_over(const Case& c, IdNo id) const;

  World& w_;
  bool causes_, empties_;         // may an operation of this scenario end a session?
  bool token_ = false, h0_ = false, ended_ = false, used_ = false;  // what the start holds
  FlatMap<std::uint64_t, No> live_by_store_;
  std::deque<std::vector<Session>> live_;
};

}  // namespace sancho::proof
