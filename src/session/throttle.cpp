#include "sancho/throttle.hpp"

#include <algorithm>

#include "sancho/codec.hpp"

namespace sancho {

// A note per name: made with the first attempt of a window, gone with its end,
// the count as its payload. Each attempt is one commit against the version it
// counted from, so no two are counted as one.

Throttle::Throttle(SessionStore& store, ThrottleOptions options, const Clock& clock, RandomSource& random)
    : store_(store), options_(std::move(options)), clock_(clock), random_(random) {
  if (options_.attempts == 0) throw ConfigError("a throttle must allow at least one attempt");
  if (options_.window <= Duration::zero()) throw ConfigError("a throttle's window must be longer than nothing");
}

Record Throttle::first_attempt() const {
  Record note;
  note.state = State::note;
  note.version.incarnation = random_.draw_u64();
  note.created = note.accessed = clock_.now();
  note.ends = note.created + options_.window;
  note.payload = encode(std::uint32_t{1});
  return note;
}

namespace {
// Whoever cannot read how often has no reason to allow it once more.
std::uint32_t count_of(const Record& note) {
  try {
    return decode<std::uint32_t>(note.payload);
  } catch (const DecodeError& e) {
    throw StoreError(Trouble::corrupt, std::string("a throttle's count: ") + e.what());
  }
}
}  // namespace

// Sets `counted` unless another attempt came in between.
std::optional<Duration> Throttle::try_once(const SessionKey& key, Deadline deadline, bool& counted) {
  auto note = store_.load(key, deadline);
  if (!note) {
    counted = std::holds_alternative<Done>(store_.create(key, first_attempt(), deadline));
    return std::nullopt;
  }
  const auto count = count_of(*note);
  const auto now = clock_.now();
  if (count >= options_.attempts) return std::max(note->ends - now, Duration{1});
  const auto seen = note->version;
  note->version = seen.after(random_.draw_u64());
  note->accessed = now;
  note->payload = encode(count + 1);
  counted = std::holds_alternative<Done>(store_.commit(key, seen, *note, deadline));
  return std::nullopt;
}

std::optional<Duration> Throttle::attempt(std::string_view name) {
  const auto key = SessionKey::of_note(options_.name_space, name);
  const auto deadline = Deadline::after(options_.store_timeout);
  for (;;) {
    bool counted = false;
    const auto wait = try_once(key, deadline, counted);
    if (wait || counted) return wait;
    if (deadline.passed()) throw StoreError(Trouble::contention, "too many attempts at once under one name of a throttle");
  }
}

void Throttle::forgive(std::string_view name) {
  store_.erase(SessionKey::of_note(options_.name_space, name), std::nullopt, Deadline::after(options_.store_timeout));
}

}  // namespace sancho
