// # All that can happen next
//
// A state of the world: the store, where each request is, the browser, an
// operation still on its way, how many faults may yet happen, and a few marks.
// Faults, one unit of the budget each:
//
//   - crash: a request dies between two steps; its response is never sent
//   - lost: a writing operation's answer does not come; the operation itself
//     is done at any later moment, or never
//   - expiry: any record goes. A moved one only after its successor's first
//     use, and it is then kept, its grace over, as long as requests last; and
//     so are tombstones made meanwhile. Nor does a record expire while an
//     operation on it is on its way: no delay is as long as a session may idle
//
// Losing or reordering responses is free: the browser takes each at any time,
// or never.
#pragma once

#include "scenario.hpp"

namespace sancho::proof {

inline constexpr std::size_t most = 3;  // requests at once

enum class At : std::uint8_t { start, running, done, delivered, crashed };

struct State {
  No store = 0;
  No on_its_way = 0;       // an operation, plus one
  No machine[most] = {};
  IdNo jar = 0;
  std::uint16_t held = 0;  // a set of cookies, by number
  std::uint16_t marks = 0;
  At at[most] = {};
  std::uint8_t faults = 0;
  std::uint16_t unused_ = 0;

  bool over() const { return !(running(0) || running(1) || running(2)); }
  bool running(std::size_t i) const { return at[i] == At::running || at[i] == At::start; }
};
static_assert(sizeof(State) == 32);

// Marks: who really spent the token, whatever records say later; and the
// states of the records that have expired.
inline constexpr std::uint16_t spent_by(std::size_t i) { return static_cast<std::uint16_t>(1 << i); }
inline constexpr std::uint16_t expired_mark(sancho::State s) { return static_cast<std::uint16_t>(8 << static_cast<unsigned>(s)); }
inline constexpr std::uint16_t any_spent = 7, any_expired = 0xfff8;

struct Event {
  enum class Kind : std::uint8_t { none, begin, step, lose, crash, deliver, late, expire } kind = Kind::none;
  std::uint8_t who = 0;
  IdNo id = 0;  // the cookie, or the record's key
  No operation = 0;
  Reply reply;
};

// What requests have ended with, by number.
class Results {
 public:
  No number(const Result& result);
  const Result& operator[](No no) const { return results_[no]; }

 private:
  std::deque<Result> results_;
  std::unordered_map<std::string, No> by_bytes_;
};

// The states that one kind of request can reach, by number. `brute`: its
// history of answers is its state; else machines in the same place with the
// same members are one.
class Machines {
 public:
  Machines(Universe& universe, Results& results, bool brute) : universe_(universe), results_(results), brute_(brute) {}
  No begin(std::size_t who, Does does, IdNo presented);
  No step(No machine, Reply reply);
  bool done(No machine) const { return rows_[machine].done; }
  No wants(No machine) const { return rows_[machine].out; }   // an operation
  No result(No machine) const { return rows_[machine].out; }  // a result
  std::size_t size() const { return rows_.size(); }

 private:
  struct Row {
    std::optional<Request> request;  // nothing once it has ended
    bool done;
    No out;
  };
  No settle(Request request, protocol::Answer answer);

  Universe& universe_;
  Results& results_;
  bool brute_;
  std::deque<Row> rows_;
  std::unordered_map<std::string, No> by_fingerprint_;
  FlatMap<std::uint64_t, No> begun_, next_;
};

class World {
 public:
  World(Universe& universe, Results& results, const Scenario& scenario, bool brute);

  State initial() const { return initial_; }
  // Calls `each(event, state)` for everything that can happen in `s`.
  template <class F>
  void nexts(const State& s, F&& each);
  bool has_result(const State& s, std::size_t i) const { return s.at[i] == At::done || s.at[i] == At::delivered; }
  const Result& result(const State& s, std::size_t i) const { return results[machines.result(s.machine[i])]; }
  std::string show(const State& before, const Event& event) const;

  Universe& universe;
  Results& results;
  Scenario scenario;
  Start start;
  Machines machines;

 private:
  std::uint16_t with(std::uint16_t held, IdNo id);
  std::uint16_t spent(const Operation& op, Reply reply) const;
  void settle(State& s, std::size_t i, No machine) const;
  bool may_expire(const State& s, IdNo key, No record) const;

  std::vector<std::vector<IdNo>> helds_;
  State initial_;
};

template <class F>
void World::nexts(const State& s, F&& each) {
  using Kind = Event::Kind;
  for (std::size_t i = 0; i < scenario.does.size(); ++i) {
    const auto who = static_cast<std::uint8_t>(i);
    if (s.at[i] == At::start) {
      const auto cookies = helds_[s.held];
      for (const IdNo cookie : cookies) {
        State next = s;
        settle(next, i, machines.begin(i, scenario.does[i], cookie));
        each(Event{Kind::begin, who, cookie, 0, {}}, next);
      }
    } else if (s.at[i] == At::done) {
      const IdNo cookie = result(s, i).cookie;
      if (!cookie) continue;
      State next = s;
      next.at[i] = At::delivered;
      next.jar = cookie == deletion ? 0 : cookie;
      next.held = with(s.held, next.jar);
      each(Event{Kind::deliver, who, cookie, 0, {}}, next);
    } else if (s.at[i] == At::running) {
      const No wanted = machines.wants(s.machine[i]);
      const auto& op = universe.operation(wanted);
      const auto after = universe.apply(s.store, wanted);
      State next = s;
      next.store = after.store;
      next.marks |= spent(op, after.reply);
      settle(next, i, machines.step(s.machine[i], after.reply));
      each(Event{Kind::step, who, 0, wanted, after.reply}, next);
      if (s.faults == 0) continue;
      next = s;
      --next.faults;
      next.at[i] = At::crashed;
      next.machine[i] = 0;
      each(Event{Kind::crash, who, 0, wanted, {}}, next);
      if (!op.writes()) continue;
      next = s;
      --next.faults;
      next.on_its_way = wanted + 1;
      settle(next, i, machines.step(s.machine[i], {Said::lost}));
      each(Event{Kind::lose, who, 0, wanted, {}}, next);
    }
  }
  if (s.on_its_way) {
    const No op = s.on_its_way - 1;
    const auto after = universe.apply(s.store, op);
    State next = s;
    next.store = after.store;
    next.on_its_way = 0;
    next.marks |= spent(universe.operation(op), after.reply);
    each(Event{Kind::late, 0, 0, op, after.reply}, next);
  }
  if (s.faults == 0 || s.over()) return;
  const auto rows = universe.rows(s.store);
  for (const auto& [key, record] : rows) {
    if (!may_expire(s, key, record)) continue;
    const auto state = universe.seen(record).record.state;
    State next = s;
    --next.faults;
    next.store = state == sancho::State::moved ? universe.put(s.store, key, universe.over(record)) : universe.drop(s.store, key);
    next.marks |= expired_mark(state);
    each(Event{Kind::expire, 0, key, 0, {}}, next);
  }
}

}  // namespace sancho::proof
