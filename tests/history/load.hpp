// # The load
//
// Many requests at once over a few sessions, in threads and processes, and a
// record of them all.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "options.hpp"
#include "sancho/store.hpp"

namespace sancho::history {

// Opens the store, in each process for itself.
using Open = std::function<std::shared_ptr<SessionStore>(const std::string& uri)>;

// False if a process failed, or if a session could not be read at the end.
// Throws what the store throws when it is opened.
bool run(const Options& options, const Open& open);

// `main` of a program that does this.
int main_with(const Open& open, int count, char** words);

}  // namespace sancho::history
