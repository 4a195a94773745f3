// # The crew
//
// The players of a race, as threads that share one manager or as processes with
// one each. The referee talks to both through pipes.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "player.hpp"

namespace sancho::races {

// Opens the store on this clock; in a process of its own for each process.
using OpenStore = std::function<std::shared_ptr<SessionStore>(const Clock&)>;

class Crew {
 public:
  // Makes them. Processes are forked here, so no thread may be running and the
  // store may not be open yet.
  static std::unique_ptr<Crew> of_processes(unsigned players, const OpenStore& open);
  static std::unique_ptr<Crew> of_threads(unsigned players, Manager& sessions, ManualClock& clock);
  ~Crew();
  Crew(const Crew&) = delete;
  Crew& operator=(const Crew&) = delete;

  // One round: a job for each player, and what each has to say of it. Throws if
  // one of them is no more, or has not answered for a minute.
  std::vector<Report> play(std::span<const Job> jobs);

 private:
  struct Line {  // to one player, the referee's ends
    int jobs = -1, reports = -1;
    pid_t process = 0;
    std::thread thread;
  };
  explicit Crew(unsigned players) : gate_(make_gate(players)) {}

  std::shared_ptr<Gate> gate_;
  std::vector<Line> lines_;
};

}  // namespace sancho::races
