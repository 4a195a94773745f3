// # The enumerator
//
//     enumerate pairs [FAULTS]     every pair of operations, up to so many faults (2)
//     enumerate brute              the same by walking every schedule, up to one
//     enumerate triples [START]    three at once, no faults
//     enumerate try START FAULTS WHAT WHAT...   one scenario
//
// Prints what was explored and every promise that was broken, with a shortest
// schedule; ends with 1 if there was one. With `--expect PROMISE` it ends with
// 0 only if that promise was broken: so mutants are tested. `--store FLAW`
// gives the model store a flaw. SANCHO_FULL=1 walks longer scenarios too and
// takes more triples; SANCHO_BRUTE_TRIPLES=1 walks triples, up to 1e9 schedules
// each.
#include <chrono>
#include <ctime>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <thread>

#include <fmt/core.h>

#include "explore.hpp"

namespace sancho::proof {
namespace {

bool flag(const char* name) {
  const char* value = std::getenv(name);
  return value && *value && std::string_view(value) != "0";
}

// ## One scenario

struct Sum {
  std::size_t scenarios = 0, walked = 0;
  std::uint64_t states = 0, steps = 0, largest = 0;
  double executions = 0, walked_executions = 0;
  struct Broken {
    std::size_t scenarios = 0;
    std::string scenario;
    Violation shortest;
  };
  std::map<std::string, Broken, std::less<>> broken;

  void add(const Scenario& scenario, const Found& found) {
    ++scenarios;
    states += found.states;
    largest = std::max(largest, found.states);
    executions += found.executions;
    for (const auto& [promise, violation] : found.broken) broke(promise, scenario, violation);
  }
  void broke(const std::string& promise, const Scenario& scenario, const Violation& violation) {
    auto& b = broken[promise];
    if (++b.scenarios == 1 || violation.schedule.size() < b.shortest.schedule.size()) {
      b.scenario = scenario.name();
      b.shortest = violation;
    }
  }
};

// Explores, and with `walk` walks every schedule as well, up to that many, and
// holds the two against each other.
void run(const Scenario& scenario, double walk, const StoreFlaws& flaws, const Limits& limits, Sum& sum, std::mutex& mutex) {
  Universe universe(flaws);
  Results results;
  World world(universe, results, scenario, false);
  const Found found = explore(world, limits);
  Found walked;
  const bool compare = walk > 0 && found.executions <= walk;
  if (compare) {
    World again(universe, results, scenario, true);
    walked = brute(again, walk + 1);
  }
  const std::scoped_lock lock(mutex);
  sum.add(scenario, found);
  if (!compare) return;
  ++sum.walked;
  sum.steps += walked.states;
  sum.walked_executions += walked.executions;
  const auto names = [](const Found& f) {
    std::set<std::string> all;
    for (const auto& b : f.broken) all.insert(b.first);
    return all;
  };
  const bool same = walked.executions == found.executions && walked.ends == found.ends && names(walked) == names(found);
  if (!same)
    sum.broke("the reduction", scenario, {fmt::format("{} executions, walked {}; {} ends, walked {}", found.executions,
                                                      walked.executions, found.ends.size(), walked.ends.size()), {}});
}

// ## Many, on two threads

Sum run_all(const std::vector<Scenario>& scenarios, double walk = 0) {
  Sum sum;
  std::mutex mutex;
  std::atomic<std::size_t> next = 0;
  std::exception_ptr trouble;
  const auto work = [&] {
    for (std::size_t i; (i = next++) < scenarios.size();) try {
        // The long ones come last in each list, and are begun first.
        run(scenarios[scenarios.size() - 1 - i], walk, {}, {}, sum, mutex);
      } catch (...) {
        const std::scoped_lock lock(mutex);
        trouble = std::current_exception();
      }
  };
  {
    std::jthread other(work);
    work();
  }
  if (trouble) std::rethrow_exception(trouble);
  return sum;
}

void print(const Sum& sum) {
  for (const auto& [promise, b] : sum.broken) {
    fmt::print("\n  BROKEN: {}: in {} scenarios; shortest: {}: {}\n", promise, b.scenarios, b.scenario, b.shortest.text);
    for (const auto& line : b.shortest.schedule) fmt::print("      {}\n", line);
  }
  std::fflush(stdout);
}

bool report(const std::string& what, const std::vector<Scenario>& scenarios, double walk = 0) {
  const auto begun = std::chrono::steady_clock::now();
  const auto worked = std::clock();
  const Sum sum = run_all(scenarios, walk);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  const double cpu = static_cast<double>(std::clock() - worked) / CLOCKS_PER_SEC;
  fmt::print("{:<40} {:>5} scenarios {:>9} states {:>9.3g} executions {:>6.1f} s ({:.1f} s of CPU), largest {}\n", what,
             sum.scenarios, sum.states, sum.executions, seconds, cpu, sum.largest);
  if (walk > 0)
    fmt::print("{:<40} {:>5} scenarios {:>9.3g} steps  {:>9.3g} executions\n", "  walked one by one, the same:", sum.walked,
               static_cast<double>(sum.steps), sum.walked_executions);
  print(sum);
  return sum.broken.empty();
}

// ## What there is to do

std::vector<Scenario> pairs(int faults) {
  std::vector<Scenario> out;
  for (const auto start : starts)
    for (auto& s : all(start, 2, faults, every_operation())) out.push_back(std::move(s));
  return out;
}

bool do_pairs(int faults) {
  bool good = report("pairs, no fault", pairs(0));
  if (faults > 0) good &= report("pairs, up to one fault", pairs(1));
  if (faults > 1) good &= report("pairs, up to two faults", pairs(2));
  return good;
}

// How many schedules of a scenario are walked one by one.
bool do_brute() {
  const bool full = flag("SANCHO_FULL");
  bool good = report("pairs, no fault", pairs(0), 1e9);
  good &= report("pairs, up to one fault", pairs(1), full ? 1e9 : 1e5);
  return good;
}

struct Group {
  std::string_view start;
  std::vector<Does> does;
};

// Three requests of which several rotate what was rotated before take six
// gigabytes and minutes.
std::vector<Group> triples() {
  using enum Does;
  const bool full = flag("SANCHO_FULL");
  return {
      {"only a", {write_a, write_b, erase_a, empty, login, logout}},
      {"anonymous", {read, write_a, write_b, erase_a, inc, consume, rotate_inc, login, logout, empty}},
      {"user", {read, write_a, write_b, inc, consume, rotate, rotate_inc, login, reauth, logout}},
      {"rotated, used", {read, inc, consume, rotate_inc, login, logout}},
      {"rotated", full ? std::vector{read, inc, rotate_inc, login, logout} : std::vector{read, inc, login, logout}},
  };
}

bool do_triples(std::string_view only) {
  bool good = true;
  for (const auto& group : triples()) {
    if (!only.empty() && only != group.start) continue;
    const auto scenarios = all(group.start, 3, 0, group.does);
    good &= report("triples from " + std::string(group.start) + ", no fault", scenarios, flag("SANCHO_BRUTE_TRIPLES") ? 1e9 : 0);
  }
  return good;
}

Does does_of(std::string_view text) {
  for (std::size_t i = 0; i < operations; ++i)
    if (words[i] == text) return static_cast<Does>(i);
  throw std::invalid_argument("no such operation: " + std::string(text));
}

int do_try(const std::vector<std::string>& args, const std::string& expected, const std::string& flaw) {
  if (args.size() < 4 || args.size() > 3 + most) throw std::invalid_argument("try START FAULTS WHAT [WHAT [WHAT]]");
  Scenario scenario{args[1], {}, std::stoi(args[2])};
  for (std::size_t i = 3; i < args.size(); ++i) scenario.does.push_back(does_of(args[i]));
  Sum sum;
  std::mutex mutex;
  run(scenario, 0, {flaw == "no version check", flaw == "commit upserts"}, {}, sum, mutex);
  fmt::print("{}: {} states, {:.3g} executions\n", scenario.name(), sum.states, sum.executions);
  print(sum);
  if (expected.empty()) return sum.broken.empty() ? 0 : 1;
  const bool killed = sum.broken.contains(expected);
  fmt::print("\n{}\n", killed ? "killed, as expected: " + expected : "SURVIVED: nothing broke " + expected);
  return killed ? 0 : 1;
}

int main(std::vector<std::string> args) {
  const auto option = [&](std::string_view name) {
    std::string value;
    for (std::size_t i = 0; i + 1 < args.size(); ++i)
      if (args[i] == name) {
        value = args[i + 1];
        args.erase(args.begin() + static_cast<std::ptrdiff_t>(i), args.begin() + static_cast<std::ptrdiff_t>(i) + 2);
        break;
      }
    return value;
  };
  const auto expected = option("--expect"), flaw = option("--store");
  const std::string what = args.empty() ? "" : args[0];
  if (what == "pairs") return do_pairs(args.size() > 1 ? std::stoi(args[1]) : 2) ? 0 : 1;
  if (what == "brute") return do_brute() ? 0 : 1;
  if (what == "triples") return do_triples(args.size() > 1 ? args[1] : "") ? 0 : 1;
  if (what == "try") return do_try(args, expected, flaw);
  fmt::print(stderr, "enumerate pairs [FAULTS] | brute | triples [START] | try START FAULTS WHAT [WHAT [WHAT]]\n");
  return 2;
}

}  // namespace
}  // namespace sancho::proof

int main(int argc, char** argv) {
  try {
    return sancho::proof::main({argv + 1, argv + argc});
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 2;
  }
}
