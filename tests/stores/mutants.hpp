// # Stores that are wrong on purpose
//
// Each is the memory store with one verb spoilt, and breaks one clause of the
// contract. The conformance suite must notice, by the clause's name.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "sancho/conformance.hpp"

namespace sancho {

struct Mutant {
  std::string wrong;  // what it does
  std::string fact;   // what must notice
  conformance::Factory factory;
};

std::vector<Mutant> mutants();
std::vector<Mutant> mutants_of_verbs();   // a part of them
std::vector<Mutant> mutants_of_epochs();  // another

// The memory store behind the same decorator, unspoilt.
conformance::Factory healthy();
conformance::Factory without_powers();

}  // namespace sancho
