// Carries out tasks against a store, and blocks until they are done.
#pragma once

#include <thread>
#include <utility>

#include "session/task.hpp"

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

struct Asking {
  SessionStore& store;
  Deadline deadline;

  protocol::Answer operator()(const std::monostate&) const { return {}; }
  protocol::Answer operator()(const protocol::Load& op) const {
    auto record = store.load(op.key, deadline);
    if (!record) return Absent{};
    return protocol::Found{std::move(*record)};
  }
  protocol::Answer operator()(const protocol::Create& op) const {
    return widen(store.create(op.key, op.record, deadline, op.admission ? &*op.admission : nullptr));
  }
  protocol::Answer operator()(const protocol::Commit& op) const {
    return widen(store.commit(op.key, op.expected, op.record, deadline));
  }
  protocol::Answer operator()(const protocol::Touch& op) const {
    return widen(store.touch(op.key, op.incarnation, op.accessed, deadline));
  }
  protocol::Answer operator()(const protocol::Erase& op) const { return widen(store.erase(op.key, op.expected, deadline)); }
  protocol::Answer operator()(const protocol::AskEpochs& op) const { return store.epochs()->epochs(op.subject, deadline); }
  protocol::Answer operator()(const protocol::Find& op) const {
    return protocol::Sessions{store.subjects()->find_by_subject(op.subject, deadline)};
  }

  template <class Variant>
  static protocol::Answer widen(Variant answer) {
    return std::visit([](auto& a) -> protocol::Answer { return std::move(a); }, answer);
  }
};

// One operation, as the store does it.
inline protocol::Answer ask(SessionStore& store, const protocol::Op& op, Deadline deadline) {
  return std::visit(Asking{store, deadline}, op);
}

// The same; what is lost has been waited for a while.
inline protocol::Answer perform(SessionStore& store, const protocol::Op& op, Deadline deadline, Pace& pace) {
  try {
    auto answer = ask(store, op, deadline);
    pace.answered();
    return answer;
  } catch (const StoreError& e) {
    std::this_thread::sleep_for(pace.lost(op, e));
    return protocol::Lost{};
  }
}

template <StoreTask Task>
void run(Task& task, SessionStore& store) {
  const auto until = task.until();
  Pace pace(until);
  protocol::Answer answer;
  while (const auto* op = task.resume(answer)) {
    pace.check(answer, store);
    answer = task.plain() ? ask(store, *op, until) : perform(store, *op, until, pace);
  }
}

// What is left of a task, which has `more`.
template <StoreTask Task>
void carry_on(Task& task, SessionStore& store) {
  do {
    try {
      run(task, store);
    } catch (const StoreError& e) {
      task.failed(e);
    }
  } while (task.more());
}

// Carries out a task. Throws what it makes of its trouble.
template <StoreTask Task>
void carry_out(Task& task, SessionStore& store) {
  if (task.more()) carry_on(task, store);
}

}  // namespace sancho
