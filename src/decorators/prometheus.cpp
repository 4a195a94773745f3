// The text format of Prometheus, version 0.0.4: one family after the other, each
// with its help and type once.
#include <fmt/format.h>

#include "sancho/decorators/metered.hpp"

namespace sancho {

namespace {

using Out = fmt::memory_buffer;

template <class... Args>
void line(Out& out, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(out), format, std::forward<Args>(args)...);
  out.push_back('\n');
}

void family(Out& out, std::string_view name, std::string_view type, std::string_view help) {
  line(out, "# HELP {} {}", name, help);
  line(out, "# TYPE {} {}", name, type);
}

// A label's value: backslash, quote and end of line are escaped.
std::string escaped(std::string_view text) {
  std::string value;
  for (const char c : text) {
    if (c == '\n') value += "\\n";
    else if (c == '\\' || c == '"') value += {'\\', c};
    else value += c;
  }
  return value;
}

double seconds(std::uint64_t nanoseconds) { return static_cast<double>(nanoseconds) / 1e9; }

// What was never asked is left out, all its outcomes at once.
template <class Each>
void each_call(std::span<const MeterSnapshot> stores, Each each) {
  for (const auto& store : stores)
    for (std::size_t v = 0; v < store_verbs; ++v)
      for (std::size_t o = 0; o < call_outcomes; ++o)
        if (store.verbs[v].calls[o] > 0)
          each(fmt::format("store=\"{}\",verb=\"{}\",outcome=\"{}\"", escaped(store.store),
                           to_string(static_cast<StoreVerb>(v)), to_string(static_cast<CallOutcome>(o))),
               store.verbs[v], o);
}

// Buckets count all that is not above their bound, so each has those before it.
template <std::size_t Bounds, class Unit>
void histogram(Out& out, std::string_view name, const std::string& labels, const Histogram<Bounds>& values,
               const std::array<std::uint64_t, Bounds>& bounds, Unit unit) {
  std::uint64_t upto = 0;
  for (std::size_t i = 0; i < Bounds; ++i) {
    upto += values.buckets[i];
    line(out, "{}_bucket{{{},le=\"{}\"}} {}", name, labels, unit(bounds[i]), upto);
  }
  upto += values.buckets[Bounds];
  line(out, "{}_bucket{{{},le=\"+Inf\"}} {}", name, labels, upto);
  line(out, "{}_sum{{{}}} {}", name, labels, unit(values.sum));
  line(out, "{}_count{{{}}} {}", name, labels, upto);
}

}  // namespace

std::string prometheus_text(std::span<const MeterSnapshot> stores) {
  Out out;
  family(out, "sancho_store_calls_total", "counter", "Calls of the session store by verb and outcome.");
  each_call(stores, [&](const std::string& labels, const MeterSnapshot::Verb& verb, std::size_t outcome) {
    line(out, "sancho_store_calls_total{{{}}} {}", labels, verb.calls[outcome]);
  });

  family(out, "sancho_store_call_seconds_total", "counter",
         "Time spent in calls of the session store, by verb and outcome.");
  each_call(stores, [&](const std::string& labels, const MeterSnapshot::Verb& verb, std::size_t outcome) {
    line(out, "sancho_store_call_seconds_total{{{}}} {}", labels, seconds(verb.nanoseconds[outcome]));
  });

  family(out, "sancho_store_call_duration_seconds", "histogram", "How long calls of the session store took.");
  for (const auto& store : stores)
    for (std::size_t v = 0; v < store_verbs; ++v)
      if (store.verbs[v].latency.count() > 0)
        histogram(out, "sancho_store_call_duration_seconds",
                  fmt::format("store=\"{}\",verb=\"{}\"", escaped(store.store), to_string(static_cast<StoreVerb>(v))),
                  store.verbs[v].latency, latency_bounds_ns, seconds);

  family(out, "sancho_store_payload_bytes", "histogram",
         "Sizes of session payloads read from and written to the store.");
  for (const auto& store : stores)
    for (const auto& [direction, values] :
         {std::pair{"read", &store.payload_read}, {"written", &store.payload_written}})
      histogram(out, "sancho_store_payload_bytes",
                fmt::format("store=\"{}\",direction=\"{}\"", escaped(store.store), direction), *values, payload_bounds,
                [](std::uint64_t n) { return n; });

  family(out, "sancho_store_calls_in_flight", "gauge", "Calls of the session store that have begun and not ended.");
  for (const auto& store : stores)
    line(out, "sancho_store_calls_in_flight{{store=\"{}\"}} {}", escaped(store.store), store.in_flight);
  return fmt::to_string(out);
}

}  // namespace sancho
