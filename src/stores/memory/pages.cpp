#include "stores/memory/pages.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "sancho/error.hpp"
#include "stores/memory/make_room.hpp"

namespace sancho::memory {

// ## Sizes
//
// Up to 512 bytes a class every 4, up to 2048 one every 16. What is larger has a
// page of its own, and a class of its own that nobody looks up.

namespace {
constexpr std::size_t fine = 512, coarse = 2048;
constexpr std::size_t fine_classes = fine / 4 + 1, classes = fine_classes + (coarse - fine) / 16 + 1;

std::size_t round_up(std::size_t n, std::size_t to) { return (n + to - 1) / to * to; }
}  // namespace

std::size_t Pages::slot_size_for(std::size_t size) {
  return round_up(size, size <= fine ? 4 : size <= coarse ? 16 : 64);
}

std::size_t Pages::class_of(std::size_t size) {
  if (size <= fine) return (size + 3) / 4;
  return size <= coarse ? fine_classes - 1 + (size - fine + 15) / 16 : classes - 1;
}

// ## Pages

Pages::~Pages() {
  for (std::uint32_t id = 0; id < pages_.size(); ++id)
    if (pages_[id]) memory_.give_back(pages_[id], details_[id].bytes());
}

Ref Pages::take(std::size_t size) {
  const auto size_class = class_of(size);
  if (size_class >= classes_.size()) classes_.resize(size_class + 1);
  auto id = classes_[size_class].first;
  if (id == none) id = new_page(size_class, slot_size_for(size));
  auto& page = details_[id];
  const auto slot = static_cast<unsigned>(std::countr_zero(page.free));
  page.free &= page.free - 1;
  ++classes_[size_class].used, ++used_;
  if (page.free == 0) unlink(id);
  const auto ref = ref_of(id, slot);
  set_tick(ref, Time::max());
  return ref;
}

void Pages::give_back(Ref ref) {
  const auto id = page_of(ref);
  auto& page = details_[id];
  const bool was_full = page.free == 0;
  page.free |= std::uint64_t{1} << slot_of(ref);
  --classes_[page.size_class].used, --used_;
  if (was_full) link(id);
  if (used_in(id) != 0) return;
  unlink(id);
  drop(id);
}

// Few slots while there are few of the class, so that few of them are empty; and
// not quite as many as there could be, if their block is better filled with less.
unsigned Pages::slots_for(std::size_t slot_size, std::size_t there) {
  if (slot_size > coarse) return 1;
  const auto most = static_cast<unsigned>(std::clamp<std::size_t>(there / 16, 4, std::min(most_slots, most_bytes / (slot_size + sizeof(Tick)))));
  const auto lost = [&](unsigned slots) {
    const auto bytes = Details{.slot_size = static_cast<std::uint32_t>(slot_size), .slots = static_cast<std::uint8_t>(slots)}.bytes();
    return (LargePages::size_for(bytes) - bytes) / slots;
  };
  auto best = most;
  for (auto slots = most - 1; slots > most - most / 4; --slots)
    if (lost(slots) < lost(best)) best = slots;
  return best;
}

// If it throws, nothing has changed but capacities.
std::uint32_t Pages::new_page(std::size_t size_class, std::size_t slot_size) {
  const Details page{.slot_size = static_cast<std::uint32_t>(slot_size),
                     .size_class = static_cast<std::uint16_t>(size_class),
                     .slots = static_cast<std::uint8_t>(slots_for(slot_size, classes_[size_class].slots))};
  const auto id = new_id();
  order_.add(id, Time::max());
  try {
    pages_[id] = memory_.take(page.bytes());
  } catch (...) {
    order_.remove(id);
    throw;
  }
  unused_ = details_[id].behind;
  bytes_ += LargePages::size_for(page.bytes());
  details_[id] = page;
  details_[id].free = all(page.slots);
  classes_[size_class].slots += page.slots;
  link(id);
  return id;
}

// One that is not used: of a page that is gone, or made now and left unused.
std::uint32_t Pages::new_id() {
  if (unused_ != none) return unused_;
  if (details_.size() == most_pages) throw StoreError(Trouble::full, "memory: there are too many sessions");
  make_room_for_one(pages_);
  make_room_for_one(details_);
  pages_.emplace_back();
  details_.emplace_back();
  return unused_ = static_cast<std::uint32_t>(details_.size() - 1);
}

void Pages::link(std::uint32_t id) {
  auto& page = details_[id];
  auto& first = classes_[page.size_class].first;
  page.before = none, page.behind = first;
  if (first != none) details_[first].before = id;
  first = id;
}

void Pages::unlink(std::uint32_t id) {
  const auto& page = details_[id];
  (page.before == none ? classes_[page.size_class].first : details_[page.before].behind) = page.behind;
  if (page.behind != none) details_[page.behind].before = page.before;
}

// An empty page that is in no list.
void Pages::drop(std::uint32_t id) {
  auto& page = details_[id];
  classes_[page.size_class].slots -= page.slots;
  bytes_ -= LargePages::size_for(page.bytes());
  memory_.give_back(std::exchange(pages_[id], nullptr), page.bytes());
  order_.remove(id);
  page = Details{};
  page.behind = unused_;
  unused_ = id;
}

// ## Moving together

// More than a fifth of the slots of the class are free, and a page's worth. Then
// a page with no more records than others is emptied; its free slots pay for it.
bool Pages::too_empty(std::uint32_t id) const {
  const auto& page = details_[id];
  if (page.slots <= 1) return false;  // also one that has gone
  const auto& its = classes_[page.size_class];
  const std::size_t free = its.slots - its.used, here = static_cast<std::size_t>(std::popcount(page.free));
  return free > its.used / 4 + most_slots && here * its.slots >= free * page.slots && free - here >= page.slots - here;
}

Ref Pages::move(Ref from) {
  const auto when = earliest(from);
  const auto to = take(slot_size(from));
  std::memcpy(at(to), at(from), slot_size(from));
  due(to, when);
  const auto id = page_of(from);
  details_[id].free |= std::uint64_t{1} << slot_of(from);
  --classes_[details_[id].size_class].used, --used_;
  return to;
}

// ## When
//
// For each slot the second in which it is due, about: 1024 ms a tick, in 16 bits
// from a base that the page has. The tick 0 is any moment, long ago maybe; the
// last one is late, and later.

namespace {
constexpr std::int64_t last_tick = std::numeric_limits<std::uint16_t>::max(), room_below = last_tick / 4;
constexpr std::int64_t furthest_base = std::int64_t{1} << 30;  // 30,000 years
std::int64_t second(Time t) { return t.time_since_epoch().count() >> 10; }
std::int32_t near(std::int64_t second) { return static_cast<std::int32_t>(std::clamp(second, -furthest_base, furthest_base)); }
}  // namespace

std::byte* Pages::tick_at(std::uint32_t id, unsigned slot) const {
  const auto& page = details_[id];
  return pages_[id] + page.slots * page.slot_size + slot * sizeof(Tick);
}

Pages::Tick Pages::tick(std::uint32_t id, unsigned slot) const {
  Tick tick;
  std::memcpy(&tick, tick_at(id, slot), sizeof tick);
  return tick;
}

void Pages::write_tick(std::uint32_t id, unsigned slot, Tick tick) { std::memcpy(tick_at(id, slot), &tick, sizeof tick); }

void Pages::set_tick(Ref ref, Time when) {
  const auto id = page_of(ref);
  const auto n = second(when) - std::int64_t{details_[id].base};
  write_tick(id, slot_of(ref), static_cast<Tick>(std::clamp<std::int64_t>(n, 0, last_tick)));
}

void Pages::due(Ref ref, Time when) {
  const auto id = page_of(ref);
  auto& page = details_[id];
  // What else may be in it has the last tick, wherever the base is.
  if (page.base == no_base) page.base = near(second(when) - room_below);
  set_tick(ref, when);
  if (when < order_.due(id)) order_.move(id, when);
}

// Not later than what was said.
Time Pages::earliest(Ref ref) const {
  const auto id = page_of(ref);
  const auto n = tick(id, slot_of(ref));
  return n == 0 ? Time::min() : Time{Duration{(std::int64_t{details_[id].base} + n) * 1024}};
}

// The base follows the clock.
void Pages::rebase(std::uint32_t id, Time now) {
  auto& page = details_[id];
  const auto by = near(second(now)) - std::int64_t{page.base};
  if (page.base == no_base || by < last_tick / 2) return;
  for (unsigned slot = 0; slot < page.slots; ++slot) {
    const auto n = tick(id, slot);
    write_tick(id, slot, static_cast<Tick>(n > by ? n - by : 0));
  }
  page.base = near(second(now));
}

}  // namespace sancho::memory
