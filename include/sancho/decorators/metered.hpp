// # Metered
//
// Counts what a store does and how long it takes:
//
//     auto store = sancho::with_meter(sancho::open_store("redis://cache"));
//     ...
//     response = sancho::prometheus_text(store->snapshot());
//
// Around a breaker it measures what the application sees, inside of one what
// the engine does. It is safe to use from any thread, takes no lock, and asks
// its clock twice a call.
#pragma once

#include <array>
#include <span>

#include "sancho/decorators/decorated.hpp"
#include "sancho/export.hpp"

namespace sancho SANCHO_EXPORT {

// What came of a call. The first six are answers (a record found, a session
// touched or removed, a list: *done*; *refused* is an admission's no). The
// others are trouble by its kind, and whatever was thrown besides.
enum class CallOutcome : std::uint8_t {
  done, absent, gone, taken, conflict, refused,
  trouble_unavailable, trouble_corrupt, trouble_full, trouble_refused, trouble_contention, trouble_in_doubt, thrown,
};
inline constexpr std::size_t call_outcomes = 13;

// The word for it, as in the enumeration. Lives for the whole program.
std::string_view to_string(CallOutcome outcome);

// How many values fell into which bucket. The last one takes what is above all
// bounds.
template <std::size_t Bounds>
struct Histogram {
  std::array<std::uint64_t, Bounds + 1> buckets{};
  std::uint64_t sum = 0;
  std::uint64_t count() const {
    std::uint64_t all = 0;
    for (const auto n : buckets) all += n;
    return all;
  }
};

// Upper bounds, each part of its bucket: 1 µs to about 4 s, and 64 bytes to
// 1 MiB, each four times the one before.
inline constexpr std::array<std::uint64_t, 12> latency_bounds_ns = {
    1'000, 4'000, 16'000, 64'000, 256'000, 1'024'000,
    4'096'000, 16'384'000, 65'536'000, 262'144'000, 1'048'576'000, 4'194'304'000};
inline constexpr std::array<std::uint64_t, 8> payload_bounds = {64, 256, 1024, 4096, 16384, 65536, 262144, 1048576};

// A copy of the counts. Calls go on while it is made, so what belongs together
// may be apart by those that ended meanwhile.
struct MeterSnapshot {
  struct Verb {
    std::array<std::uint64_t, call_outcomes> calls{};           // by outcome
    std::array<std::uint64_t, call_outcomes> nanoseconds{};     // likewise, in all
    Histogram<latency_bounds_ns.size()> latency;                // of all outcomes
  };
  std::string store;                              // its name
  std::array<Verb, store_verbs> verbs;            // by `StoreVerb`
  Histogram<payload_bounds.size()> payload_read;  // bytes, of records that were loaded
  Histogram<payload_bounds.size()> payload_written;  // ... that were to be created or committed
  std::uint64_t in_flight = 0;                    // calls that have begun and not ended

  const Verb& of(StoreVerb verb) const& { return verbs[static_cast<std::size_t>(verb)]; }
  Verb of(StoreVerb verb) && { return verbs[static_cast<std::size_t>(verb)]; }
  std::uint64_t calls(StoreVerb verb, CallOutcome outcome) const {
    return of(verb).calls[static_cast<std::size_t>(outcome)];
  }
};

// The store inside, with a meter around.
class Metered : public SessionStore {
 public:
  virtual MeterSnapshot snapshot() const = 0;
};

// The clock must outlive it.
std::unique_ptr<Metered> with_meter(std::shared_ptr<SessionStore> store, const SteadyClock& clock = steady_clock());

// In the text format of Prometheus, version 0.0.4; serve it as
// `text/plain; version=0.0.4`. Several stores go into one text, told apart by
// the label `store`.
std::string prometheus_text(std::span<const MeterSnapshot> stores);
inline std::string prometheus_text(const MeterSnapshot& store) { return prometheus_text(std::span(&store, 1)); }

}  // namespace sancho
