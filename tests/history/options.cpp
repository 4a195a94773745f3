#include "options.hpp"

#include <map>
#include <stdexcept>

namespace sancho::history {

const char* const usage =
    "session_load --store URI --history FILE (--seconds S | --operations N)\n"
    "  [--processes P] [--threads T] [--sessions K] [--rate R] [--seed X] [--timeout MS] [--respawn] [--no-audit]\n"
    "session_load --store URI --history FILE --audit [--timeout MS] [--patience S]\n"
    "\n"
    "Plays requests of P times T workers over the sessions of K browsers, each at R a second or as fast as it\n"
    "goes, and appends what it did and saw to FILE. SIGTERM ends it, as if its time were over. --audit reads all\n"
    "sessions of such a run once more.\n";

namespace {
const std::map<std::string, bool> takes_value = {
    {"--store", true},    {"--history", true},   {"--seconds", true}, {"--operations", true}, {"--processes", true},
    {"--threads", true},  {"--sessions", true},  {"--rate", true},    {"--seed", true},       {"--timeout", true},
    {"--respawn", false}, {"--no-audit", false}, {"--audit", false},  {"--patience", true}};
}

Options parse(int count, char** words) {
  std::map<std::string, std::string> given;
  for (int i = 1; i < count; ++i) {
    const auto known = takes_value.find(words[i]);
    if (known == takes_value.end()) throw std::invalid_argument(std::string("unknown: ") + words[i]);
    if (known->second && i + 1 == count) throw std::invalid_argument(known->first + " needs a value");
    given[known->first] = known->second ? words[++i] : "";
  }
  const auto natural = [&](const char* name, auto& into) {
    if (const auto at = given.find(name); at != given.end())
      into = static_cast<std::remove_reference_t<decltype(into)>>(std::stoull(at->second));
  };
  Options options;
  options.store = given["--store"];
  options.history = given["--history"];
  natural("--operations", options.operations);
  natural("--processes", options.processes);
  natural("--threads", options.threads);
  natural("--sessions", options.sessions);
  natural("--seed", options.seed);
  if (given.contains("--rate")) options.rate = std::stod(given["--rate"]);
  if (given.contains("--timeout")) options.timeout = std::chrono::milliseconds(std::stoll(given["--timeout"]));
  if (given.contains("--patience")) options.patience = std::chrono::seconds(std::stoll(given["--patience"]));
  if (given.contains("--seconds"))
    options.time = std::chrono::milliseconds(static_cast<std::int64_t>(std::stod(given["--seconds"]) * 1000));
  options.respawn = given.contains("--respawn");
  options.load = !given.contains("--audit");
  options.audit = !given.contains("--no-audit");
  if (options.store.empty() || options.history.empty()) throw std::invalid_argument("--store and --history are needed");
  if (options.load && !options.time && options.operations == 0)
    throw std::invalid_argument("--seconds or --operations is needed");
  if (options.processes == 0 || options.threads == 0 || options.sessions == 0)
    throw std::invalid_argument("nobody does anything");
  return options;
}

}  // namespace sancho::history
