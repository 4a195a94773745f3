// # The gate
//
// Where the players of a round wait for each other, so that their requests
// really overlap, and where they note in which order things happened. It lies in
// memory that processes share, and is made before they part.
#pragma once

#include <sched.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <new>
#include <stdexcept>

namespace sancho::races {

class Gate {
 public:
  explicit Gate(unsigned parties) : parties_(parties) {}

  // Returns when all parties have come. They leave within the same moment,
  // which a sleeping barrier would not give.
  void meet() {
    const auto generation = generation_.load();
    if (arrived_.fetch_add(1) + 1 == parties_) {
      arrived_ = 0;
      ++generation_;
      return;
    }
    while (generation_ == generation) sched_yield();
  }

  // The next number: of two events, the one with the smaller was first.
  std::uint64_t tick() { return ++clock_; }

 private:
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free, "processes share it");
  const unsigned parties_;
  alignas(64) std::atomic<unsigned> arrived_ = 0;
  alignas(64) std::atomic<unsigned> generation_ = 0;
  alignas(64) std::atomic<std::uint64_t> clock_ = 0;
};

inline std::shared_ptr<Gate> make_gate(unsigned parties) {
  void* place = mmap(nullptr, sizeof(Gate), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (place == MAP_FAILED) throw std::runtime_error("no memory to share between processes");
  return {new (place) Gate(parties), [](Gate* gate) { munmap(gate, sizeof(Gate)); }};
}

}  // namespace sancho::races
