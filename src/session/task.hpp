// # Tasks
//
// What a request or a manager does with its store is a task: stages, each of
// them a machine to be run, and between them what was found out is settled. A
// task decides and does no I/O. Whoever carries it out, waiting
// (`runner.hpp`) or as a coroutine (`async/driver.hpp`), does no more than
//
//     while (task.more()) {
//       try { run(task); } catch (const StoreError& e) { task.failed(e); }
//     }
//
// and then asks it for its result.
#pragma once

#include <concepts>

#include "protocol/machine.hpp"

namespace sancho {

template <class T>
concept StoreTask = requires(T& task, const T& const_task, protocol::Answer& answer, const StoreError& error) {
  // Settles the stage that has been run, and prepares the next. False: it is over.
  { task.more() } -> std::same_as<bool>;
  // The stage's machine.
  { task.resume(answer) } -> std::same_as<const protocol::Op*>;
  // Is the stage one plain operation, whose trouble is everything there is to
  // say? Otherwise what is lost is sent again, and what is in doubt is told so.
  { const_task.plain() } -> std::same_as<bool>;
  // By when the stage must have ended, which begins now.
  { const_task.until() } -> std::same_as<Deadline>;
  // The stage ended in trouble. Called while that is being handled: throws it
  // on, throws another, or swallows it, and `more` goes on from there.
  { task.failed(error) } -> std::same_as<void>;
  // What has been done all the same and cannot be taken back, in words; null
  // for nothing. Then it must not be said that nothing happened.
  { const_task.done_already() } -> std::same_as<const char*>;
};

// One plain operation, and its answer.
class Question {
 public:
  explicit Question(protocol::Op op) : op_(std::move(op)) {}
  const protocol::Op* resume(protocol::Answer& answer) {
    if (!asked_) {
      asked_ = true;
      return &op_;
    }
    answer_ = std::move(answer);
    return nullptr;
  }
  const protocol::Answer& answer() const { return answer_; }
  template <class T>
  T& answer() {
    return std::get<T>(answer_);
  }

 private:
  protocol::Op op_;
  protocol::Answer answer_;
  bool asked_ = false;
};

// Trouble behind something that was done: that nothing happened would be a lie.
inline StoreError in_doubt_after(const StoreError& e, const char* what) {
  return {Trouble::in_doubt, std::string(e.what()) + "; " + what, true};
}

}  // namespace sancho
