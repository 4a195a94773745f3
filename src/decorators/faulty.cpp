#include "sancho/decorators/faulty.hpp"

#include <array>
#include <mutex>

namespace sancho {

namespace {

// A number from 0 up to 1 that follows from these three: Vigna's SplitMix64.
double drawn(std::uint64_t seed, std::uint64_t fault, std::uint64_t call) {
  auto x = seed + 0x9e3779b97f4a7c15u * (call + 1) + 0xd1342543de82ef95u * (fault + 1);
  x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
  x = (x ^ x >> 27) * 0x94d049bb133111ebu;
  return static_cast<double>((x ^ x >> 31) >> 11) * 0x1p-53;
}

// ## Spoiling what is in an answer

template <class T>
void spoil(T&) {}  // no record in it
void spoil(Record& record) {
  if (record.payload.empty()) record.payload.push_back('\1');
  else record.payload.back() = static_cast<char>(record.payload.back() ^ 1);
}
void spoil(std::optional<Record>& record) {
  if (record) spoil(*record);
}
void spoil(std::vector<KeyedRecord>& records) {
  for (auto& keyed : records) spoil(keyed.record);
}
void spoil(Taken& taken) { spoil(taken.current); }
void spoil(Conflict& conflict) { spoil(conflict.current); }
void spoil(Removed& removed) { spoil(removed.last); }
template <class... T>
void spoil(std::variant<T...>& answer) {
  std::visit([](auto& a) { spoil(a); }, answer);
}
class FaultyStore final : public Decorated<FaultyStore, Faulty> {
 public:
  FaultyStore(std::shared_ptr<SessionStore> store, FaultyOptions options)
      : Decorated(std::move(store)), options_(std::move(options)) {}

  template <class Call>
  auto through(StoreVerb verb, Deadline deadline, Call call) {
    const auto fault = next(verb);
    if (fault && fault->what == Fault::What::fail_before)
      throw StoreError(fault->kind, inner().name() + ": failed before it did anything, as planned");
    if (fault && fault->what == Fault::What::delay && options_.delay) options_.delay(verb, deadline);
    const auto drop = [&] {
      if (fault && fault->what == Fault::What::drop_answer)
        throw StoreError(Trouble::unavailable, inner().name() + ": the answer was dropped, as planned", true);
    };
    if constexpr (std::is_void_v<decltype(call(deadline))>) {
      call(deadline);
      drop();
    } else {
      auto answer = call(deadline);
      drop();
      if (fault && fault->what == Fault::What::corrupt_answer) spoil(answer);
      return answer;
    }
  }

  void plan(const Fault& fault) override {
    const std::lock_guard lock(mutex_);
    planned_.push_back({fault, 0});
  }
  void heal() override {
    const std::lock_guard lock(mutex_);
    planned_.clear();
    by_verb_ = {};
    injected_ = 0;
  }

  std::uint64_t calls() const override {
    const std::lock_guard lock(mutex_);
    std::uint64_t all = 0;
    for (const auto n : by_verb_) all += n;
    return all;
  }
  std::uint64_t calls(StoreVerb verb) const override {
    const std::lock_guard lock(mutex_);
    return by_verb_[static_cast<std::size_t>(verb)];
  }
  std::uint64_t injected() const override {
    const std::lock_guard lock(mutex_);
    return injected_;
  }

 private:
  struct Planned {
    Fault fault;
    std::uint64_t seen;
  };

  // The fault for this call, if there is one. All that are planned count it.
  std::optional<Fault> next(StoreVerb verb) {
    const std::lock_guard lock(mutex_);
    ++by_verb_[static_cast<std::size_t>(verb)];
    std::optional<Fault> chosen;
    for (std::size_t i = 0; i < planned_.size(); ++i) {
      auto& [fault, seen] = planned_[i];
      if (fault.verb && *fault.verb != verb) continue;
      ++seen;
      const bool due = fault.probability ? drawn(options_.seed, i, seen) < *fault.probability
                                         : fault.at == 0 || (seen >= fault.at && seen - fault.at < fault.times);
      if (due && !chosen) chosen = fault;
    }
    injected_ += chosen.has_value();
    return chosen;
  }

  const FaultyOptions options_;
  mutable std::mutex mutex_;
  std::vector<Planned> planned_;
  std::array<std::uint64_t, store_verbs> by_verb_{};
  std::uint64_t injected_ = 0;
};

}  // namespace

std::unique_ptr<Faulty> with_faults(std::shared_ptr<SessionStore> store, FaultyOptions options) {
  return std::make_unique<FaultyStore>(std::move(store), std::move(options));
}

}  // namespace sancho
