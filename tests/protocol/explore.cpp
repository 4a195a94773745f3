#include "explore.hpp"

#include <algorithm>
#include <stdexcept>

namespace sancho::proof {

namespace {

// Asks each question once, and remembers what was broken.
class Asker {
 public:
  Asker(World& world, Found& found) : checks_(world), found_(found) {}

  // `schedule` is only called where something is newly broken.
  template <class F>
  void state(const State& s, F&& schedule) {
    const auto fact = checks_.fact(s);
    if (!asked_.insert(fact, 0).second) return;
    if (s.over()) found_.ends.insert(fact);
    checks_.ask(s, [&](std::string_view promise, std::string text) { note(promise, std::move(text), schedule); });
  }
  template <class F>
  void step(const State& before, const Event& event, const State& after, F&& schedule) {
    if (before.at[event.who] == after.at[event.who] || after.at[event.who] != At::done) return;
    checks_.ask_decided(after, event.who, [&](std::string_view promise, std::string text) { note(promise, std::move(text), schedule); });
  }

 private:
  template <class F>
  void note(std::string_view promise, std::string text, F&& schedule) {
    if (found_.broken.contains(promise)) return;
    found_.broken.emplace(promise, Violation{std::move(text), schedule()});
  }

  Checks checks_;
  Found& found_;
  FlatMap<Fact, std::uint8_t> asked_;
};

// Paths from the first state to those where nothing can happen any more. A
// cycle would be requests that keep each other busy for ever.
double count_paths(const std::vector<No>& first, const std::vector<No>& kids) {
  enum : std::uint8_t { fresh, open, closed };
  const auto size = first.size() - 1;
  std::vector<double> paths(size, 0);
  std::vector<std::uint8_t> mark(size, fresh);
  std::vector<std::pair<No, No>> stack{{0, first[0]}};
  mark[0] = open;
  while (!stack.empty()) {
    auto& [n, next] = stack.back();
    if (next < first[n + 1]) {
      const No kid = kids[next++];
      if (mark[kid] == open) throw std::runtime_error("requests keep each other busy for ever");
      if (mark[kid] == fresh) mark[kid] = open, stack.emplace_back(kid, first[kid]);
      continue;
    }
    for (No k = first[n]; k < first[n + 1]; ++k) paths[n] += paths[kids[k]];
    if (first[n] == first[n + 1]) paths[n] = 1;
    mark[n] = closed;
    stack.pop_back();
  }
  return paths[0];
}

}  // namespace

Found explore(World& world, const Limits& limits) {
  struct Parent {
    No state;
    Event event;
  };
  Found found;
  Asker asker(world, found);
  FlatMap<State, No> seen;
  std::vector<State> order{world.initial()};
  std::vector<Parent> parents{{0, {}}};
  std::vector<No> first, kids;
  seen.insert(order[0], 0);
  const auto schedule_to = [&](No n) {
    std::vector<std::string> lines;
    for (; n != 0; n = parents[n].state) lines.push_back(world.show(order[parents[n].state], parents[n].event));
    std::reverse(lines.begin(), lines.end());
    return lines;
  };
  for (No n = 0; n < order.size(); ++n) {
    const State s = order[n];
    asker.state(s, [&] { return schedule_to(n); });
    first.push_back(static_cast<No>(kids.size()));
    world.nexts(s, [&](const Event& event, const State& next) {
      asker.step(s, event, next, [&] {
        auto lines = schedule_to(n);
        lines.push_back(world.show(s, event));
        return lines;
      });
      const auto [at, fresh] = seen.insert(next, static_cast<No>(order.size()));
      kids.push_back(at);
      if (fresh) order.push_back(next), parents.push_back({n, event});
    });
    if (order.size() > limits.states) throw std::runtime_error("too many states: " + world.scenario.name());
    if (limits.first_only && !found.broken.empty()) break;
  }
  found.states = order.size();
  found.machines = world.machines.size();
  if (limits.first_only && !found.broken.empty()) return found;
  first.push_back(static_cast<No>(kids.size()));
  found.executions = count_paths(first, kids);
  return found;
}

namespace {

class Walk {
 public:
  Walk(World& world, Found& found, double limit) : world_(world), asker_(world, found), found_(found), limit_(limit) {}

  void from(const State& s) {
    if (found_.given_up) return;
    ++found_.states;
    asker_.state(s, no_schedule);
    bool last = true;
    world_.nexts(s, [&](const Event& event, const State& next) {
      last = false;
      asker_.step(s, event, next, no_schedule);
      from(next);
    });
    if (last && ++found_.executions >= limit_) found_.given_up = true;
  }

 private:
  // `explore` has the schedule, and a shorter one.
  static std::vector<std::string> no_schedule() { return {}; }

  World& world_;
  Asker asker_;
  Found& found_;
  double limit_;
};

}  // namespace

Found brute(World& world, double limit) {
  Found found;
  Walk(world, found, limit).from(world.initial());
  found.machines = world.machines.size();
  return found;
}

}  // namespace sancho::proof
