// # What one coroutine has asked
//
// Stands in a queue until its answer is there, or there will be none. The
// coroutine may be let go before: what is answered then reaches nobody, and not
// somebody else. Once it is over, and without the mutex, it is woken.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "stores/async_waiter.hpp"
#include "stores/postgresql/wishes.hpp"

namespace sancho::postgresql {

class Ask final : public Waiter {
 public:
  using Moment = Deadline::Steady::time_point;

  // Without steps: to have the tables made. `calls` counts those there are.
  Ask(std::span<const Step> what, Deadline deadline, std::shared_ptr<std::atomic<std::size_t>> calls)
      : steps(what.begin(), what.end()), until(deadline), calls_(std::move(calls)) {
    for (auto& step : steps) step.parameters.keep();
    ++*calls_;
  }
  ~Ask() { --*calls_; }

  // ## For the coroutine, which waits at the lanes

  enum class End { answered, refused, cancelled };
  // How it ended; once it is over.
  End end = End::answered;
  Reply reply;         // answered
  bool fresh = false;  // ... over a connection that was opened after it had been asked
  std::exception_ptr refused;

  // ## For the lanes

  std::vector<Step> steps;
  const Deadline until;
  const Moment since = Deadline::Steady::now();
  enum class Stage { queued, sent, over };
  Stage stage = Stage::queued;  // under the lanes' mutex

 private:
  const std::shared_ptr<std::atomic<std::size_t>> calls_;
};

}  // namespace sancho::postgresql
