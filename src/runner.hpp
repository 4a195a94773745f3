// Carries out tasks against a store, and blocks until they are done.
#pragma once

#include <utility>

#include "task.hpp"

namespace sancho {

// ## What both ways of carrying out share

inline bool writes(const protocol::Op& op) {
  return std::holds_alternative<protocol::Create>(op) || std::holds_alternative<protocol::Commit>(op);
}

// How it goes with the operations of one machine.
class Pace {
 public:
  explicit Pace(Deadline until) : until_(until) {}

  // Before the next operation, `answer` being that to the last. Throws
  // *contention* when others kept getting in first until the deadline.
  void check(const protocol::Answer& answer, const SessionStore& store) const {
    check(answer, [&] { return store.name(); });
  }
  template <class Name>
  void check(const protocol::Answer& answer, Name name) const {
    const bool conflict = std::holds_alternative<Conflict>(answer) || std::holds_alternative<Refused>(answer);
    if (conflict && until_.passed())
      throw StoreError(Trouble::contention, name() + ": other requests kept changing the session until the deadline");
  }

  // The operation was not answered, as `error` says, which is being handled. How
  // long to wait before it is sent again; what cannot be helped is thrown on.
  //
  // Sent again after a lost answer, it may meet a store that is down by now:
  // that one did not do it this time, which says nothing of the time before. It
  // is lost still, and *in doubt* when the time is over or the store refuses.
  Duration lost(const protocol::Op& op, const StoreError& error);

  // The operation was answered.
  void answered() { in_doubt_ = false; }
  // It was sent before, and that answer was lost.
  bool in_doubt() const { return in_doubt_; }

 private:
  Deadline until_;
  bool in_doubt_ = false;
};

inline Duration Pace::lost(const protocol::Op& op, const StoreError& e) {
  const bool again = std::exchange(in_doubt_, false);
  // An erase only tidies up a copy that opens nothing: what it leaves expires.
  if (std::holds_alternative<protocol::Erase>(op)) return Duration::zero();
  // A question that was not answered found nothing out, whatever the store says.
  if (!writes(op)) throw;
  if (!e.maybe_done() && !again) throw;
  const bool may_pass = e.maybe_done() || e.kind() == Trouble::unavailable;
  if (until_.passed() || !may_pass)
    throw StoreError(Trouble::in_doubt, std::string(e.what()) + "; it cannot be told whether the last write happened",
                     true);
  in_doubt_ = true;
  return std::min(until_.left(), Duration(5));
}

// ## And how it is done by waiting

// One operation, as the store does it.
protocol::Answer ask(SessionStore& store, const protocol::Op& op, Deadline deadline);
// The same; what is lost has been waited for a while.
protocol::Answer perform(SessionStore& store, const protocol::Op& op, Deadline deadline, Pace& pace);

// A task that begins with looking for one record, and mostly ends there.
template <class Task>
concept LooksFirst = requires(Task& task) {
  { task.first_look() } -> std::same_as<const SessionKey&>;
  { task.place() } -> std::same_as<Record&>;
  { task.looked(true) } -> std::same_as<bool>;
};

template <StoreTask Task>
void run(Task& task, SessionStore& store, bool first) {
  const auto until = task.until();
  if constexpr (LooksFirst<Task>)
    if (first && task.looked(store.load_into(task.first_look(), task.place(), until))) return;
  Pace pace(until);
  protocol::Answer answer;
  while (const auto* op = task.resume(answer)) {
    pace.check(answer, store);
    answer = task.plain() ? ask(store, *op, until) : perform(store, *op, until, pace);
  }
}

// Carries out a task. Throws what it makes of its trouble.
template <StoreTask Task>
void carry_out(Task& task, SessionStore& store) {
  for (bool first = true; task.more(); first = false) {
    try {
      run(task, store, first);
    } catch (const StoreError& e) {
      task.failed(e);
    }
  }
}

}  // namespace sancho
