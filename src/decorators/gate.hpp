// # A gate
//
// Lets so many through at once. The others wait in a line, first come, first
// served, and each until its own deadline; the line has an end, too.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>

#include "sancho/time.hpp"

namespace sancho {

class Gate {
 public:
  enum class Entry { at_once, after_a_wait, too_many, too_late };

  Gate(std::size_t places, std::size_t line) : free_(places), line_(line) {}

  Entry enter(Deadline deadline);
  // For each that entered.
  void leave();

 private:
  struct Waiter {
    std::condition_variable woken;
    bool called = false;
  };
  std::mutex mutex_;
  std::size_t free_;
  const std::size_t line_;
  std::deque<Waiter*> waiting_;
};

}  // namespace sancho
