// # Who may log in
//
// A gate for each subject, or a few of them: whoever is admitted, and whoever
// changes the epoch, passes one at a time. Taken before any other lock.
#pragma once

#include <array>
#include <atomic>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "sancho/store.hpp"
#include "stores/read_mostly_mutex.hpp"

namespace sancho::memory {

class Gates {
  struct Gate;
  using EveryoneMutex = ReadMostlyMutex<std::shared_mutex>;

 public:
  explicit Gates(const Clock& clock) : clock_(clock) {}

  // The way through a subject's gate: while it is held, epochs stay what they are. Who
  // changes everybody's epoch waits for all who are on their way.
  class Passage {
   public:
    Passage(Gates& gates, std::string_view subject)
        : gates_(gates), gate_(gates.gate_of(subject)), lock_(gate_.mutex), everyone_(gates.everyone_mutex_, gates.readers_) {}

    // The subject's, which is the one it was made with.
    EpochsSeen seen(std::string_view subject) const {
      EpochsSeen seen;
      if (gates_.is_remembered(gates_.everyone_)) seen.everyone = gates_.everyone_.number;
      if (gate_.epochs.empty()) return seen;
      const auto at = gate_.epochs.find(std::string(subject));
      if (at != gate_.epochs.end() && gates_.is_remembered(at->second)) seen.subject = at->second.number;
      return seen;
    }

   private:
    const Gates& gates_;
    Gate& gate_;
    std::lock_guard<std::mutex> lock_;
    EveryoneMutex::Reading everyone_;
  };

  void set(const std::string& subject, std::uint64_t number, Time until) {
    if (subject.empty()) {
      const EveryoneMutex::Writing lock(everyone_mutex_, readers_);
      everyone_ = {number, until};
      return;
    }
    auto& gate = gate_of(subject);
    const std::lock_guard lock(gate.mutex);
    gate.epochs[subject] = {number, until};
  }

  // What is over, of one gate; the next call goes on with the next.
  void forget_old() {
    auto& gate = gates_[next_to_forget_++ % gates_.size()];
    const std::lock_guard lock(gate.mutex);
    std::erase_if(gate.epochs, [now = clock_.now()](const auto& entry) { return entry.second.until <= now; });
  }

 private:
  struct Epoch {
    std::uint64_t number = 0;
    Time until = Time::min();
  };
  bool is_remembered(const Epoch& epoch) const { return epoch.until != Time::min() && !clock_.passed(epoch.until); }
  struct alignas(64) Gate {
    std::mutex mutex;
    std::unordered_map<std::string, Epoch> epochs;
  };
  Gate& gate_of(std::string_view subject) { return gates_[std::hash<std::string_view>{}(subject) % gates_.size()]; }

  const Clock& clock_;
  std::array<Gate, 64> gates_;
  std::atomic<unsigned> next_to_forget_ = 0;
  Readers readers_;
  EveryoneMutex everyone_mutex_;
  Epoch everyone_;
};

}  // namespace sancho::memory
