// # One command's way
//
// Where it is sent, and what is done about each thing that can happen to it:
// redirections, nodes that are not ready or not there, a script that is not
// known, an answer that is lost. A machine without I/O: it says the next step
// and is told how that went, so that tests play servers to it and any transport
// can carry it out.
#pragma once

#include <optional>
#include <string>
#include <variant>

#include "sancho/error.hpp"
#include "sancho/time.hpp"
#include "stores/redis/judgement.hpp"
#include "stores/redis/topology.hpp"

namespace sancho::redis {

class Route {
 public:
  struct Send {
    Endpoint to;
    bool asking = false;   // with ASKING before it
    bool by_text = false;  // EVAL, not EVALSHA
  };
  struct Learn {};  // ask who is in charge; then go on
  struct Pause {
    Duration length;
  };  // wait so long; then go on
  struct Finished {
    Reply reply;
  };
  struct Failed {
    Trouble kind;
    std::string why;
    bool maybe_done = false;
  };
  using Step = std::variant<Send, Learn, Pause, Finished, Failed>;

  // `writes`: an answer that is lost leaves it in doubt; unless it may be sent
  // `again`.
  Route(Slot slot, bool writes, bool again) : slot_(slot), writes_(writes), again_(again) {}

  // What to do now.
  Step next(const Topology& topology);

  // How it went. Each may change what is known of the topology.
  void answered(Reply reply, Topology& topology);
  // Nobody is there, or shows us the door. Nothing was sent. `late`, here and
  // below: for want of time alone, so what came before says more.
  void not_connected(const std::string& why, bool late, Topology& topology);
  // The connection broke; `sent`: after some of the command had gone out. An
  // old connection may have been dead for long, a new one not.
  void broke(const std::string& why, bool sent, bool old, bool late, Topology& topology);
  void not_learnt(const std::string& why, bool late);
  // Trouble that no other node and no other moment would mend.
  void refused(const StoreError& why);

  // Why it is not done yet, for who has no more time.
  Failed timed_out() const;

 private:
  void pause(std::string why, Trouble kind, bool late = false);

  Slot slot_;
  bool writes_, again_;
  std::optional<Step> pending_;  // overrides where the topology leads
  Endpoint sent_to_;
  bool by_text_ = false;
  int redirections_ = 0;
  int breaks_ = 0;
  bool learnt_ = false;    // just now
  bool in_doubt_ = false;  // it has gone out, and no answer came
  Duration pause_{2};
  std::string why_;
  Trouble kind_ = Trouble::unavailable;
};

}  // namespace sancho::redis
