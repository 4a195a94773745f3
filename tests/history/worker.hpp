// # The worker
//
// Plays one request after the other, each for a browser drawn at random, and
// writes into the history what came of it.
#pragma once

#include <random>

#include "../races/player.hpp"
#include "history.hpp"
#include "options.hpp"

namespace sancho::history {

class Worker {
 public:
  Worker(races::Manager& sessions, Jars& jars, History& history, const Options& options, unsigned process,
         unsigned thread);

  void play_one();
  // Looks at what a cookie opens; false if the store could not say.
  bool look(int session, const std::string& cookie);

 private:
  enum class Kind { read, append, insert, add, rotate, show, consume, log_in, log_out };
  Kind draw();
  void request(Kind kind, Operation& operation, const Tab& tab, Form& form);
  void act(Kind kind, Operation& operation, RequestScope<races::RaceSession>& scope, Form& form);
  Operation begin(Kind kind, int session);

  races::Manager& sessions_;
  Jars& jars_;
  History& history_;
  unsigned browsers_, process_, thread_;
  std::mt19937_64 chance_;
};

// What the policies of all processes of a run are.
Policy load_policy(const Options& options);

// Who is logged in in session 17.
std::string user_of(int session);

}  // namespace sancho::history
