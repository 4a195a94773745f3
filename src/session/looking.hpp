// What a watch asks of its store, as a task.
#pragma once

#include "protocol/look.hpp"
#include "sancho/session_watch.hpp"
#include "session/scope_state.hpp"
#include "session/task.hpp"

namespace sancho {

class ManagerBase::Looking {
 public:
  explicit Looking(SessionWatchBase& watch);
  Looking(const Looking&) = delete;
  Looking& operator=(const Looking&) = delete;

  bool more() { return !std::exchange(begun_, true); }
  // What is not answered is asked again with the next look.
  bool plain() const { return true; }
  Deadline until() const { return manager_.deadline(); }
  const protocol::Op* resume(protocol::Answer& answer);
  void failed(const StoreError& e);
  const char* done_already() const { return nullptr; }

  const protocol::Look& result() const { return look_; }
  // What was used by then has been written down, if that was due.
  std::uint64_t noted() const { return noted_; }

 private:
  ManagerBase& manager_;
  const SessionTicket& ticket_;
  protocol::Env env_;
  const std::uint64_t used_;
  std::uint64_t noted_;
  protocol::Look look_;
  bool begun_ = false;
};

}  // namespace sancho
