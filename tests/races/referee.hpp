// # The referee
//
// Prepares sessions, has the crew race over them, and looks at what became of
// them, with a manager of its own on the same store.
#pragma once

#include <map>
#include <optional>
#include <random>
#include <set>

#include "crew.hpp"

namespace sancho::races {

// What a cookie opens.
struct Seen {
  bool found = false;
  std::string user, handle;
  std::map<std::string, std::int64_t> slots;
  std::int64_t hits = 0;
  Time accessed{};
};

class Referee {
 public:
  explicit Referee(Manager& sessions) : sessions_(sessions) {}

  // One request, alone; the cookie that the browser has afterwards.
  std::string visit(const std::string& cookie, const std::function<void(RaceSession&)>& handler = {});
  // A session of `user` (or of nobody) with something in it.
  std::string new_session(const std::string& user);
  // Looks without touching; `slots` are those asked for.
  Seen look(std::string_view cookie, const std::vector<std::string>& slots = {});
  // The live sessions in the store, by user; nothing if it cannot list them.
  std::optional<std::map<std::string, int>> census();
  Manager& sessions() { return sessions_; }

 private:
  Manager& sessions_;
};

// One round of a race, as it was played.
struct Round {
  int number = 0;
  std::string user;    // of this round alone
  std::string cookie;  // that all players present
  std::string token;
  std::vector<Job> jobs;
  std::vector<Report> reports;
  std::map<std::string, int> alive;  // user -> sessions that must live when all is over
  std::set<std::string> dead;        // cookies that must open nothing, ever
  std::vector<std::string> wrong;    // promises that were violated

  void must(bool kept, const std::string& promise) {
    if (!kept) wrong.push_back(promise);
  }
  // All had loaded their session before any began to end its request.
  bool overlapped() const;
};

using Chance = std::mt19937_64;

struct Race {
  const char* name;
  unsigned players;
  std::function<void(Referee&, Round&, Chance&)> prepare;  // the session and the jobs
  std::function<void(Referee&, Round&)> judge;
};

struct Result {
  std::vector<std::string> violations;  // each with its round, seed and schedule
  int rounds = 0, overlapped = 0, merged = 0;
};

// Where it is played.
struct Ground {
  OpenStore open;
  bool processes = false;
};

Result run(const Race& race, const Ground& ground, int rounds, std::uint64_t seed);

}  // namespace sancho::races
