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
#include <unordered_map>

#include "sancho/store.hpp"

namespace sancho::memory {

class Gates {
 public:
  explicit Gates(const Clock& clock) : clock_(clock) {}

  // Whoever holds it reads epochs that stay what they are.
  class Passage {
   public:
    Passage(Gates& gates, const std::string& subject) : gate_(gates.gate_of(subject).mutex), everyone_(gates.everyone_mutex_) {}

   private:
    std::unique_lock<std::mutex> gate_;
    std::shared_lock<std::shared_mutex> everyone_;
  };

  EpochsSeen seen(const std::string& subject) {
    EpochsSeen seen;
    if (is_remembered(everyone_)) seen.everyone = everyone_.number;
    const auto& epochs = gate_of(subject).epochs;
    if (const auto at = epochs.find(subject); at != epochs.end() && is_remembered(at->second)) seen.subject = at->second.number;
    return seen;
  }

  void set(const std::string& subject, std::uint64_t number, Time until) {
    if (subject.empty()) {
      const std::unique_lock lock(everyone_mutex_);
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
  Gate& gate_of(const std::string& subject) { return gates_[std::hash<std::string>{}(subject) % gates_.size()]; }

  const Clock& clock_;
  std::array<Gate, 64> gates_;
  std::atomic<unsigned> next_to_forget_ = 0;
  std::shared_mutex everyone_mutex_;
  Epoch everyone_;
};

}  // namespace sancho::memory
