#include "sancho/decorators/breaker.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>

#include "circuit.hpp"
#include "gate.hpp"

namespace sancho {

namespace {

// What one process counts.
struct Counts {
  explicit Counts(const BreakerOptions& options)
      : gate(options.max_calls, options.max_waiting), reads(options), writes(options) {}
  CircuitSwitch& of(Circuit circuit) { return circuit == Circuit::reads ? reads : writes; }

  const pid_t process = ::getpid();
  Gate gate;
  CircuitSwitch reads, writes;
  // The parent's, whose locks a thread that is not here may hold for ever.
  std::unique_ptr<Counts> before;
};

class BreakerStore final : public Decorated<BreakerStore, Breaker> {
 public:
  BreakerStore(std::shared_ptr<SessionStore> store, BreakerOptions options)
      : Decorated(std::move(store)), options_(std::move(options)), counts_(new Counts(options_)) {}
  ~BreakerStore() override { delete counts_.load(); }

  template <class Call>
  auto through(StoreVerb verb, Deadline deadline, Call call) {
    if (verb == StoreVerb::setup) return call(deadline);  // at start-up, where waiting is right
    Passage passage(*this, verb, deadline);
    try {
      if constexpr (std::is_void_v<decltype(call(deadline))>) {
        call(passage.deadline());
        passage.answered();
      } else {
        auto answer = call(passage.deadline());
        passage.answered();
        return answer;
      }
    } catch (const StoreError& e) {
      if (e.kind() == Trouble::unavailable || e.kind() == Trouble::in_doubt) passage.failed();
      else passage.answered();
      throw;
    }
  }

  CircuitState state(Circuit circuit) const override { return counts().of(circuit).state(); }
  Duration retry_after(Circuit circuit) const override {
    return counts().of(circuit).retry_after(options_.clock.now());
  }

  Health* health() override { return this; }
  bool can_read() const override { return Decorated::can_read() && retry_after(Circuit::reads) == Duration::zero(); }
  bool can_write() const override { return Decorated::can_write() && retry_after(Circuit::writes) == Duration::zero(); }

 private:
  bool may_wait() const override { return false; }

  // One call's way through, from the leave it gets to what came of it.
  class Passage {
   public:
    Passage(BreakerStore& store, StoreVerb verb, Deadline deadline)
        : store_(store),
          counts_(store.counts()),
          circuit_(sancho::writes(verb) ? Circuit::writes : Circuit::reads),
          // What goes over everything takes long, and its callback may call the
          // store: it takes no place from others, nor waits for one.
          gated_(verb != StoreVerb::walk),
          deadline_(deadline) {
      const bool whole = verb == StoreVerb::walk || verb == StoreVerb::count;
      const auto most = whole ? store.options_.walk_timeout : store.options_.call_timeout;
      if (deadline.passed()) refuse("the deadline had passed before the call");
      // A probe over the whole store keeps others from trying no longer than any.
      auto admission = counts_.of(circuit_).admit(now(), store_.options_.call_timeout);
      if (!admission.pass) refuse_open();
      pass_ = *admission.pass;
      tell(admission.change);
      if (gated_) enter();
      const auto capped = Deadline::after(most);
      if (capped.at() < deadline_.at()) deadline_ = capped;
    }
    Passage(const Passage&) = delete;
    Passage& operator=(const Passage&) = delete;
    ~Passage() {
      if (!judged_) counts_.of(circuit_).came_to_nothing(pass_, now());
      if (gated_) counts_.gate.leave();
    }

    Deadline deadline() const { return deadline_; }
    void answered() { judge(counts_.of(circuit_).answered(pass_, now())); }
    void failed() { judge(counts_.of(circuit_).failed(pass_, now())); }

   private:
    SteadyClock::Moment now() const { return store_.options_.clock.now(); }
    void judge(const std::optional<CircuitSwitch::Change>& change) {
      judged_ = true;
      tell(change);
    }
    void tell(const std::optional<CircuitSwitch::Change>& change) const {
      if (change) store_.tell(circuit_, *change, now());
    }

    void enter() {
      const auto entry = counts_.gate.enter(deadline_);
      if (entry == Gate::Entry::at_once) return;
      if (entry == Gate::Entry::after_a_wait) {
        if (counts_.of(circuit_).holds(pass_)) return;
        counts_.gate.leave();
        refuse_open();
      }
      counts_.of(circuit_).came_to_nothing(pass_, now());
      refuse(entry == Gate::Entry::too_many ? "too many calls are waiting already"
                                            : "no place was free before the deadline");
    }
    [[noreturn]] void refuse(std::string_view why) const {
      throw StoreError(Trouble::unavailable, fmt::format("{}: not asked: {}", store_.inner().name(), why));
    }
    [[noreturn]] void refuse_open() const {
      refuse(fmt::format("{} have not been answered lately; the next try is in {} ms", to_string(circuit_),
                         counts_.of(circuit_).retry_after(now()).count()));
    }

    BreakerStore& store_;
    Counts& counts_;
    const Circuit circuit_;
    const bool gated_;
    CircuitSwitch::Pass pass_;
    Deadline deadline_;
    bool judged_ = false;
  };

  // This process's. After a fork the child makes its own; of two threads that do
  // so at once, one wins.
  Counts& counts() const {
    auto* current = counts_.load(std::memory_order_acquire);
    if (current->process == ::getpid()) return *current;
    auto mine = std::make_unique<Counts>(options_);
    mine->before.reset(current);
    if (counts_.compare_exchange_strong(current, mine.get())) return *mine.release();
    mine->before.release();
    return *current;
  }

  void tell(Circuit circuit, const CircuitSwitch::Change& change, SteadyClock::Moment at) const {
    if (!options_.on_change) return;
    try {
      options_.on_change({circuit, change.state, at, change.backoff, change.number, change.why});
    } catch (...) {
      // Who listens must not decide what becomes of a request.
    }
  }

  const BreakerOptions options_;
  mutable std::atomic<Counts*> counts_;
};

void check(const BreakerOptions& options) {
  const auto wrong = [](const char* what) { throw ConfigError(std::string("this breaker cannot work: ") + what); };
  if (options.call_timeout <= Duration::zero()) wrong("call_timeout must be more than zero");
  if (options.walk_timeout <= Duration::zero()) wrong("walk_timeout must be more than zero");
  if (options.max_calls == 0) wrong("max_calls must be at least one");
  if (options.window <= Duration::zero()) wrong("window must be more than zero");
  if (options.failures == 0) wrong("failures must be at least one");
  if (!(options.ratio >= 0 && options.ratio <= 1)) wrong("ratio must be from 0 to 1");
  if (options.backoff <= Duration::zero()) wrong("backoff must be more than zero");
  if (options.max_backoff < options.backoff) wrong("max_backoff must be at least backoff");
}

}  // namespace

std::unique_ptr<Breaker> with_breaker(std::shared_ptr<SessionStore> store, BreakerOptions options) {
  check(options);
  return std::make_unique<BreakerStore>(std::move(store), std::move(options));
}

}  // namespace sancho
