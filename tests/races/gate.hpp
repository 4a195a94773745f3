// # The gate
//
// Where the players of a round wait for each other, so that their requests
// really overlap, and where they note in which order things happened. It lies in
// memory that processes share, and is made before they part.
#pragma once

#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>

namespace sancho::races {

class Gate {
 public:
  explicit Gate(unsigned parties) : parties_(parties) {}

  // Returns when all parties have come. Some of them may have a store's answer to
  // wait for, so the others sleep. Awake they wait for each other once more, for a
  // moment and without sleeping: so they leave together, which a barrier that
  // sleeps would not give.
  void meet() {
    pass(come_, [](const Line& line, unsigned generation) { futex(line, FUTEX_WAIT, generation); });
    pass(leave_, [](const Line&, unsigned) { sched_yield(); });
  }

  // The next number: of two events, the one with the smaller was first.
  std::uint64_t tick() { return ++clock_; }

 private:
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "processes share it");
  struct Line {
    alignas(64) std::atomic<unsigned> arrived = 0;
    alignas(64) std::atomic<unsigned> generation = 0;
  };
  // std::atomic's own wait is for the threads of one process.
  static void futex(const Line& line, int what, unsigned value) {
    syscall(SYS_futex, &line.generation, what, value, nullptr, nullptr, 0);
  }
  template <class Wait>
  void pass(Line& line, Wait wait) {
    const auto generation = line.generation.load();
    if (line.arrived.fetch_add(1) + 1 == parties_) {
      line.arrived = 0;
      ++line.generation;
      futex(line, FUTEX_WAKE, INT_MAX);
      return;
    }
    while (line.generation == generation) wait(line, generation);
  }

  const unsigned parties_;
  Line come_, leave_;
  alignas(64) std::atomic<std::uint64_t> clock_ = 0;
};

inline std::shared_ptr<Gate> make_gate(unsigned parties) {
  void* place = mmap(nullptr, sizeof(Gate), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) throw std::runtime_error("no memory to share between processes");
  return {new (place) Gate(parties), [](Gate* gate) { munmap(gate, sizeof(Gate)); }};
}

}  // namespace sancho::races
