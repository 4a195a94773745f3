// # Exploring
//
// Two ways through everything that can happen. `explore` visits each state of
// the world once, breadth first, so the schedule it reports is a shortest one.
// `brute` walks every schedule there is from its first step to its last and
// takes no two states for one; it is what `explore` is checked against.
#pragma once

#include <map>
#include <set>

#include "checks.hpp"

namespace sancho::proof {

struct Violation {
  std::string text;
  std::vector<std::string> schedule;
};

struct Found {
  std::uint64_t states = 0;   // explore: of the world; brute: steps walked
  double executions = 0;      // schedules, from the first step to the last
  std::size_t machines = 0;   // states of requests
  bool given_up = false;      // `brute` came to its limit
  std::map<std::string, Violation, std::less<>> broken;
  std::set<Fact> ends;        // how things were when nobody was running any more
};

struct Limits {
  std::uint64_t states = 20'000'000;
  bool first_only = false;  // stop at the first broken promise
};

// Throws `std::runtime_error` beyond the limit, and where requests can keep each
// other busy for ever.
Found explore(World& world, const Limits& limits = {});

// Gives up after `limit` executions.
Found brute(World& world, double limit);

}  // namespace sancho::proof
