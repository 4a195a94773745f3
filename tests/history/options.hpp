// What session_load is told on its command line.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

namespace sancho::history {

struct Options {
  std::string store;    // its URI
  std::string history;  // the file; the jars lie beside it
  unsigned processes = 1, threads = 4, sessions = 8;
  std::optional<std::chrono::milliseconds> time;  // how long
  std::uint64_t operations = 0;                   // or how many of all; 0: no limit
  double rate = 0;                                // of one worker, a second; 0: as fast as it goes
  std::chrono::milliseconds timeout{5000};        // Policy::store_timeout
  std::uint64_t seed = 1;
  bool respawn = false;               // a process that was killed has a successor
  bool load = true, audit = true;     // which of the two is done
  std::chrono::seconds patience{60};  // of the audit, with a store that is away
};

// Throws `std::invalid_argument`, with what is wrong.
Options parse(int count, char** words);
extern const char* const usage;

}  // namespace sancho::history
