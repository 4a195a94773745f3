#include "stores/redis/route.hpp"

#include <algorithm>

namespace sancho::redis {

namespace {
constexpr Duration longest_pause{100};
constexpr int most_redirections = 5;  // in a row; after that somebody is confused
}  // namespace

Route::Step Route::next(const Topology& topology) {
  if (pending_) {
    auto step = *std::move(pending_);
    pending_.reset();
    if (const auto* send = std::get_if<Send>(&step)) sent_to_ = send->to;
    if (auto* failed = std::get_if<Failed>(&step)) failed->maybe_done = failed->maybe_done || in_doubt_;
    return step;
  }
  const auto owner = topology.owner(slot_);
  if (!owner && learnt_) {  // and still nobody has it
    pause("no master has the key's slot: see that one has", Trouble::unavailable);
    learnt_ = false;
    return next(topology);
  }
  learnt_ = !owner;
  if (!owner) return Learn{};
  sent_to_ = *owner;
  return Send{*owner, false, by_text_};
}

void Route::pause(std::string why, Trouble kind, bool late) {
  if (!late || why_.empty()) {
    why_ = std::move(why);
    kind_ = kind;
  }
  pending_ = Pause{pause_};
  pause_ = std::min(pause_ * 2, longest_pause);
}

void Route::answered(Reply reply, Topology& topology) {
  if (!reply.is_error()) {
    pending_ = Finished{std::move(reply)};
    return;
  }
  auto verdict = judge(reply.text);
  if (verdict.where.host.empty()) verdict.where.host = sent_to_.host;
  const bool single = topology.kind() == Deployment::server;
  switch (verdict.meaning) {
    case Meaning::moved:
      topology.slot_is_at(verdict.slot, verdict.where);
      if (++redirections_ % most_redirections == 0)
        topology.suspect(), pause(verdict.text, verdict.kind);
      else
        pending_ = Send{verdict.where, false, by_text_};
      if (single) pending_ = Failed{Trouble::refused, "the server belongs to a cluster: write redis-cluster://"};
      return;
    case Meaning::ask:
      if (++redirections_ % most_redirections == 0)
        pause(verdict.text, verdict.kind);
      else
        pending_ = Send{verdict.where, true, by_text_};
      return;
    case Meaning::script:
      // Sent as text from here on: another node may not know it either.
      if (by_text_) pending_ = Failed{Trouble::unavailable, verdict.text};
      by_text_ = true;
      return;
    case Meaning::wait:
      return pause(std::move(verdict.text), verdict.kind);
    case Meaning::relearn:
      if (single && verdict.text.starts_with("READONLY")) {
        pending_ = Failed{verdict.kind, std::move(verdict.text)};
        return;
      }
      topology.suspect();
      return pause(std::move(verdict.text), verdict.kind);
    case Meaning::trouble:
      pending_ = Failed{verdict.kind, std::move(verdict.text)};
  }
}

// A single server that is not there is told at once: there is nobody else to
// turn to, and every request would wait for its whole deadline.
void Route::not_connected(const std::string& why, bool late, Topology& topology) {
  if (topology.kind() == Deployment::server) {
    pending_ = Failed{Trouble::unavailable, why};
    return;
  }
  topology.suspect();
  pause(why, Trouble::unavailable, late);
}

void Route::broke(const std::string& why, bool sent, bool old, bool late, Topology& topology) {
  in_doubt_ = in_doubt_ || (sent && writes_);
  if (in_doubt_ && !again_) {
    topology.suspect();
    pending_ = Failed{Trouble::unavailable, why};
    return;
  }
  if (topology.kind() == Deployment::server) {
    // Once more over a new connection; a new one that breaks is trouble.
    if (!old || ++breaks_ > 1) pending_ = Failed{Trouble::unavailable, why};
    return;
  }
  topology.suspect();
  pause(why, Trouble::unavailable, late);
}

void Route::not_learnt(const std::string& why, bool late) {
  learnt_ = false;
  pause(why, Trouble::unavailable, late);
}

void Route::refused(const StoreError& why) { pending_ = Failed{why.kind(), why.what(), why.maybe_done()}; }

Route::Failed Route::timed_out() const {
  return {kind_, why_.empty() ? "the deadline passed" : "the deadline passed; the last answer was: " + why_, in_doubt_};
}

}  // namespace sancho::redis
