#include "sancho/decorators/metered.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

namespace sancho {

std::string_view to_string(CallOutcome outcome) {
  switch (outcome) {
    case CallOutcome::done: return "done";
    case CallOutcome::absent: return "absent";
    case CallOutcome::gone: return "gone";
    case CallOutcome::taken: return "taken";
    case CallOutcome::conflict: return "conflict";
    case CallOutcome::refused: return "refused";
    case CallOutcome::trouble_unavailable: return "trouble_unavailable";
    case CallOutcome::trouble_corrupt: return "trouble_corrupt";
    case CallOutcome::trouble_full: return "trouble_full";
    case CallOutcome::trouble_refused: return "trouble_refused";
    case CallOutcome::trouble_contention: return "trouble_contention";
    case CallOutcome::trouble_in_doubt: return "trouble_in_doubt";
    case CallOutcome::thrown: return "thrown";
  }
  return "unknown";
}

namespace {

using Count = std::atomic<std::uint64_t>;
void add(Count& count, std::uint64_t n) { count.fetch_add(n, std::memory_order_relaxed); }

// ## Outcomes

CallOutcome outcome_of(Trouble kind) {
  switch (kind) {
    case Trouble::unavailable: return CallOutcome::trouble_unavailable;
    case Trouble::corrupt: return CallOutcome::trouble_corrupt;
    case Trouble::full: return CallOutcome::trouble_full;
    case Trouble::refused: return CallOutcome::trouble_refused;
    case Trouble::contention: return CallOutcome::trouble_contention;
    case Trouble::in_doubt: return CallOutcome::trouble_in_doubt;
  }
  return CallOutcome::thrown;
}

CallOutcome outcome_of(const Done&) { return CallOutcome::done; }
CallOutcome outcome_of(const Removed&) { return CallOutcome::done; }
CallOutcome outcome_of(const Absent&) { return CallOutcome::absent; }
CallOutcome outcome_of(const Gone&) { return CallOutcome::gone; }
CallOutcome outcome_of(const Taken&) { return CallOutcome::taken; }
CallOutcome outcome_of(const Conflict&) { return CallOutcome::conflict; }
CallOutcome outcome_of(const Refused&) { return CallOutcome::refused; }
CallOutcome outcome_of(const std::optional<Record>& record) { return record ? CallOutcome::done : CallOutcome::absent; }
template <class... T>
CallOutcome outcome_of(const std::variant<T...>& answer) {
  return std::visit([](const auto& a) { return outcome_of(a); }, answer);
}
template <class T>
CallOutcome outcome_of(const T&) { return CallOutcome::done; }

// ## Counting

template <std::size_t Bounds>
struct Buckets {
  std::array<Count, Bounds + 1> buckets{};
  Count sum = 0;

  void add_value(std::uint64_t value, const std::array<std::uint64_t, Bounds>& bounds) {
    const auto at = std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin();
    add(buckets[static_cast<std::size_t>(at)], 1);
    add(sum, value);
  }
  void add_to(Histogram<Bounds>& histogram) const {
    for (std::size_t i = 0; i < buckets.size(); ++i) histogram.buckets[i] += buckets[i].load(std::memory_order_relaxed);
    histogram.sum += sum.load(std::memory_order_relaxed);
  }
};

// One of several sets of counts, so that threads seldom share a cache line. The
// sum of all is what was counted.
struct alignas(64) Shard {
  struct Verb {
    std::array<Count, call_outcomes> calls{}, nanoseconds{};
    Buckets<latency_bounds_ns.size()> latency;
  };
  std::array<Verb, store_verbs> verbs;
  Buckets<payload_bounds.size()> payload_read, payload_written;
  Count began = 0, ended = 0;
};

class MeteredStore final : public Decorated<MeteredStore, Metered> {
 public:
  MeteredStore(std::shared_ptr<SessionStore> store, const SteadyClock& clock)
      : Decorated(std::move(store)), clock_(clock) {}

  template <class Call>
  auto through(StoreVerb verb, Deadline deadline, Call call) {
    Measurement measurement(shard(), verb, clock_);
    try {
      if constexpr (std::is_void_v<decltype(call(deadline))>) {
        call(deadline);
        measurement.outcome = CallOutcome::done;
      } else {
        auto answer = call(deadline);
        measurement.outcome = outcome_of(answer);
        return answer;
      }
    } catch (const StoreError& e) {
      measurement.outcome = outcome_of(e.kind());
      throw;
    }
  }

  std::optional<Record> load(const SessionKey& key, Deadline deadline) override {
    auto record = Decorated::load(key, deadline);
    if (record) shard().payload_read.add_value(record->payload.size(), payload_bounds);
    return record;
  }
  CreateAnswer create(const SessionKey& key, const Record& record, Deadline deadline,
                      const Admission* admission) override {
    shard().payload_written.add_value(record.payload.size(), payload_bounds);
    return Decorated::create(key, record, deadline, admission);
  }
  CommitAnswer commit(const SessionKey& key, const Version& expected, const Record& record,
                      Deadline deadline) override {
    shard().payload_written.add_value(record.payload.size(), payload_bounds);
    return Decorated::commit(key, expected, record, deadline);
  }

  MeterSnapshot snapshot() const override;

 private:
  bool may_wait() const override { return false; }

  struct Measurement {
    Measurement(Shard& s, StoreVerb v, const SteadyClock& c) : shard(s), verb(v), clock(c), from(c.now()) {
      add(shard.began, 1);
    }
    Measurement(const Measurement&) = delete;
    Measurement& operator=(const Measurement&) = delete;
    ~Measurement() {
      const auto took = std::chrono::duration_cast<std::chrono::nanoseconds>(clock.now() - from).count();
      const auto ns = static_cast<std::uint64_t>(std::max<std::int64_t>(took, 0));
      auto& counts = shard.verbs[static_cast<std::size_t>(verb)];
      add(counts.calls[static_cast<std::size_t>(outcome)], 1);
      add(counts.nanoseconds[static_cast<std::size_t>(outcome)], ns);
      counts.latency.add_value(ns, latency_bounds_ns);
      add(shard.ended, 1);
    }
    Shard& shard;
    const StoreVerb verb;
    const SteadyClock& clock;
    const SteadyClock::Moment from;
    CallOutcome outcome = CallOutcome::thrown;
  };

  // Thread ids are addresses: their low bits are alike.
  Shard& shard() {
    const auto thread = std::hash<std::thread::id>{}(std::this_thread::get_id());
    return shards_[(thread * 0x9e3779b97f4a7c15u) >> 61];
  }

  const SteadyClock& clock_;
  std::array<Shard, 8> shards_;
};

MeterSnapshot MeteredStore::snapshot() const {
  MeterSnapshot all;
  all.store = name();
  std::uint64_t began = 0, ended = 0;
  // What has ended is read first: a call that ends meanwhile is in flight still.
  for (const auto& shard : shards_) ended += shard.ended.load();
  for (const auto& shard : shards_) {
    began += shard.began.load();
    for (std::size_t v = 0; v < store_verbs; ++v) {
      for (std::size_t o = 0; o < call_outcomes; ++o) {
        all.verbs[v].calls[o] += shard.verbs[v].calls[o].load(std::memory_order_relaxed);
        all.verbs[v].nanoseconds[o] += shard.verbs[v].nanoseconds[o].load(std::memory_order_relaxed);
      }
      shard.verbs[v].latency.add_to(all.verbs[v].latency);
    }
    shard.payload_read.add_to(all.payload_read);
    shard.payload_written.add_to(all.payload_written);
  }
  all.in_flight = began - std::min(began, ended);
  return all;
}

}  // namespace

std::unique_ptr<Metered> with_meter(std::shared_ptr<SessionStore> store, const SteadyClock& clock) {
  return std::make_unique<MeteredStore>(std::move(store), clock);
}

}  // namespace sancho
