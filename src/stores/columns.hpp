// A record as columns: which times it may have, and how it is made of what came back,
// each column being missing, of another type or out of its range as it likes. In line,
// because stores of several libraries have it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sancho/error.hpp"
#include "sancho/record.hpp"

namespace sancho::columns {

// ## Times

// In milliseconds. No calendar holds what is farther from 1970, and arithmetic on it
// could not be trusted.
inline constexpr std::int64_t farthest = std::int64_t{1} << 53;
constexpr bool is_sane(std::int64_t ms) { return ms <= farthest && ms >= -farthest; }
constexpr bool is_sane(Time t) { return is_sane(t.time_since_epoch().count()); }

inline bool is_writable(const Record& r) {
  return is_sane(r.created) && is_sane(r.accessed) && is_sane(r.idle.count()) && is_sane(r.ends);
}

// Throws `StoreError` (*refused*); `store` is its name, for the message.
inline void require_writable(const Record& record, const std::string& store) {
  if (!is_writable(record)) throw StoreError(Trouble::refused, store + ": a record's time is out of range");
}

// ## The way back

struct Columns {
  std::optional<std::uint64_t> incarnation, counter, state;
  std::optional<std::int64_t> created, accessed, idle, ends;
  std::optional<std::string_view> subject, handle, payload;
};

// Nothing if they are no record's.
inline std::optional<Record> record_of(const Columns& c) {
  if (!c.incarnation || !c.counter || !c.state || !c.created || !c.accessed || !c.idle || !c.ends) return std::nullopt;
  if (!c.subject || !c.handle || !c.payload) return std::nullopt;
  if (*c.state > static_cast<std::uint64_t>(State::note)) return std::nullopt;
  if (!is_sane(*c.created) || !is_sane(*c.accessed) || !is_sane(*c.idle) || !is_sane(*c.ends)) return std::nullopt;
  const auto handle = c.handle->empty() ? Handle{} : Handle::parse(*c.handle);
  if (!handle) return std::nullopt;
  return Record{.version = {*c.incarnation, *c.counter},
                .state = static_cast<State>(*c.state),
                .created = Time{Duration{*c.created}},
                .accessed = Time{Duration{*c.accessed}},
                .idle = Duration{*c.idle},
                .ends = Time{Duration{*c.ends}},
                .subject = std::string(*c.subject),
                .handle = *handle,
                .payload = std::string(*c.payload)};
}

}  // namespace sancho::columns
