// # The conformance suite
//
// Whether a store keeps the contract of `sancho/store.hpp`, clause by clause.
// It is a product: somebody else's store is tested by one line in a GoogleTest
// program that links `sancho::conformance`.
//
//     SANCHO_STORE_CONFORMANCE(Mine, [] {
//       auto place = std::make_shared<TemporaryPlace>();  // empty, and gone with the last copy
//       return sancho::conformance::Venue{
//           .open = [place](const sancho::Clock& clock) { return open_my_store(place->path(), clock); }};
//     });
//
// Every fact is one test, `Mine.CreateNeverOverwrites`. What the store does not
// claim in its traits or powers is skipped, and the reason printed.
//
// `SANCHO_SEED` repeats the random walk of a failure (its message names the
// seed). `SANCHO_ROUNDS`, 1000 if it is not set, lengthens walks and races in
// proportion: at 10000 they are ten times as long.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sancho/export.hpp"
#include "sancho/store.hpp"

namespace sancho::conformance {
class Lab;  // a store under test and what is needed to ask it questions
}  // namespace sancho::conformance

namespace sancho SANCHO_EXPORT {
namespace conformance {

// One empty place where a store can be. The suite asks for a new one for every
// fact.
struct Venue {
  // Opens the store in this place, a second time too while the first is open
  // (if it is multiprocess safe), and again after it was closed (if it is
  // durable): each gives the same sessions. A store whose traits claim neither
  // is opened once.
  std::function<std::unique_ptr<SessionStore>(const Clock& clock)> open;

  // For a store whose clock is its own (`traits().distributed`): lets its time
  // pass, and the suite's goes along. Empty where the store uses `clock`.
  std::function<void(Duration)> pass = {};

  // What time it is there, where `pass` really waits: facts take time too.
  // Empty where it is as late as has passed.
  std::function<Time()> now = {};

  // The unit of the suite's idle times and waits. A store that really waits
  // wants a small one.
  Duration unit = std::chrono::minutes{1};
};

using Factory = std::function<Venue()>;

// What a fact presupposes.
enum class Need {
  nothing,
  threads,
  second_handle,
  durable,
  subjects,
  epochs,
  no_epochs,
  scan,
  no_scan,
  sweeps,  // what expires waits for `sweep`
  given_clock,
};

// One clause of the contract, as a check that throws what is wrong.
struct Fact {
  std::string_view name;  // states it: `CommitNeverCreates`
  Need need = Need::nothing;
  void (*check)(Lab&) = nullptr;
};

// All of them. Lives for the whole program.
std::span<const Fact> facts();

enum class Outcome { kept, broken, skipped };
struct Verdict {
  std::string_view fact;
  Outcome outcome = Outcome::kept;
  std::string why;  // broken: what was seen; skipped: what the store has not got
};

// Checks one fact, without GoogleTest, in a new place. Throws nothing that the
// store throws: that is a broken fact.
Verdict check(const Fact& fact, const Factory& factory);

// The names of the facts that this store breaks: for testing the suite itself.
std::vector<std::string> broken_facts(const Factory& factory);

// Registers one GoogleTest test for each fact. Before `RUN_ALL_TESTS`.
// Returns how many.
int register_store(const std::string& suite, Factory factory);

}  // namespace conformance
}  // namespace sancho

// In a source file, outside of any function.
#define SANCHO_STORE_CONFORMANCE(name, ...)                     \
  [[maybe_unused]] static const int sancho_conformance_##name = \
      ::sancho::conformance::register_store(#name, __VA_ARGS__)
