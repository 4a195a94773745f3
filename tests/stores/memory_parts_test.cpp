// What the memory store is made of, each part against a naive model of it.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstring>
#include <map>
#include <set>

#include "sancho/store.hpp"
#include "stores/memory/due_heap.hpp"
#include "stores/memory/packed.hpp"
#include "stores/memory/pages.hpp"
#include "stores/memory/subjects.hpp"
#include "stores/memory/table.hpp"

namespace sancho::memory {
namespace {

Time at(std::int64_t ms) { return Time{Duration{ms}}; }

SessionKey numbered_key(std::uint64_t n) {
  std::string bytes(32, '\0');
  std::memcpy(bytes.data() + 8, &n, sizeof n);
  return *SessionKey::from_bytes(bytes);
}

// ## Packed records

rc::Gen<Time> moments() {
  using Ms = std::int64_t;
  return rc::gen::map(rc::gen::oneOf(rc::gen::inRange<Ms>(0, 1000), rc::gen::inRange<Ms>(1'600'000'000'000, 1'900'000'000'000),
                                     rc::gen::inRange<Ms>((Ms{1} << 42) - 3, (Ms{1} << 42) + 3),
                                     rc::gen::inRange<Ms>(-5, 5), rc::gen::element(Ms{1} << 60, -(Ms{1} << 60))),
                      [](Ms ms) { return at(ms); });
}

Record any_record() {
  Record record;
  record.version = {*rc::gen::arbitrary<std::uint64_t>(), *rc::gen::arbitrary<std::uint64_t>()};
  record.state = static_cast<State>(*rc::gen::inRange(0, 5));
  record.created = *moments(), record.accessed = *moments(), record.ends = *moments();
  record.idle = Duration{*rc::gen::element<std::int64_t>(0, 60'000, (std::int64_t{1} << 34) - 1, std::int64_t{1} << 34, -1)};
  record.subject = *rc::gen::oneOf(rc::gen::just(std::string()), rc::gen::arbitrary<std::string>());
  if (*rc::gen::arbitrary<bool>()) record.handle = Handle::draw(system_random());
  const auto size = *rc::gen::element<std::size_t>(0, 1, 200, 65535, 65536, 70000);
  record.payload.assign(size, *rc::gen::arbitrary<char>());
  return record;
}

RC_GTEST_PROP(PackedRecord, IsWhatItWasMadeOf, ()) {
  const auto record = any_record();
  const auto tag = *rc::gen::arbitrary<bool>() ? std::optional<std::uint32_t>(0xabcdef) : std::nullopt;
  const auto key = *SessionKey::from_bytes(numbered_key(*rc::gen::arbitrary<std::uint64_t>()).bytes(), tag);
  const Shape shape(key, record, record.accessed);
  std::vector<std::byte> bytes(shape.size + 1, std::byte{0x5a});
  pack(bytes.data(), shape, key, record, record.accessed, 4711);
  RC_ASSERT(bytes.back() == std::byte{0x5a});
  Packed packed(bytes.data());
  Record back;
  packed.read(back);
  RC_ASSERT(back == record);
  RC_ASSERT(packed.key() == key && packed.key().tag() == key.tag() && packed.is(key));
  RC_ASSERT(packed.hash() == hash_of(key));
  RC_ASSERT(packed.expires() == record.expires() && packed.accessed() == record.accessed);
  RC_ASSERT(packed.state() == record.state && packed.version() == record.version && packed.handle() == record.handle);
  RC_ASSERT(packed.subject() == record.subject && packed.entry() == (record.subject.empty() ? 0u : 4711u));
}

RC_GTEST_PROP(PackedRecord, IsTouchedInItsPlaceOrSaysThatThereIsNoRoom, ()) {
  auto record = any_record();
  const auto key = numbered_key(1);
  const Shape shape(key, record, record.accessed);
  std::vector<std::byte> bytes(shape.size);
  pack(bytes.data(), shape, key, record, record.accessed, 1);
  Packed packed(bytes.data());
  const auto accessed = *moments();
  const bool raised = packed.raise(accessed);
  if (raised) record.accessed = std::max(record.accessed, accessed);
  Record back;
  packed.read(back);
  RC_ASSERT(back == record);
  const bool narrow = accessed >= at(0) && accessed < at(std::int64_t{1} << 42);
  RC_ASSERT(raised || !narrow);
}

TEST(PackedRecord, TakesLittleMoreThanItsPayload) {
  Record record;
  record.created = record.accessed = at(1'700'000'000'000);
  record.ends = record.created + std::chrono::hours{24 * 30};
  record.idle = std::chrono::hours{24 * 14};
  record.handle = Handle::draw(system_random());
  record.payload.assign(200, 'x');
  EXPECT_EQ(Shape(numbered_key(1), record, record.accessed).size, 283u);
}

// ## What is due first

RC_GTEST_PROP(DueHeap, HasTheEarliestInFrontWhateverIsMovedAndRemoved, ()) {
  DueHeap heap;
  std::map<std::uint32_t, Time> model;
  for (int step = *rc::gen::inRange(1, 400); step > 0; --step) {
    const auto id = *rc::gen::inRange<std::uint32_t>(0, 40);
    const auto due = at(*rc::gen::inRange(0, 100));
    if (!model.contains(id)) heap.add(id, due), model[id] = due;
    else if (*rc::gen::inRange(0, 3) == 0) heap.remove(id), model.erase(id);
    else heap.move(id, due), model[id] = due;
    RC_ASSERT(heap.empty() == model.empty());
    for (const auto& [i, d] : model) RC_ASSERT(heap.due(i) == d);
    if (model.empty()) continue;
    const auto first = std::min_element(model.begin(), model.end(), [](auto& a, auto& b) { return a.second < b.second; });
    RC_ASSERT(heap.first().due == first->second && model.at(heap.first().id) == first->second);
  }
}

// ## Pages

// Slots with something in them, each due at a moment.
class PagesModel {
 public:
  struct Slot {
    std::size_t size;
    Time due;
    std::byte fill;
  };

  void take() {
    const auto size = *rc::gen::element<std::size_t>(84, 100, 284, 513, 2048, 2049, 5000);
    const Slot slot{size, *some_time(), static_cast<std::byte>(*rc::gen::inRange(0, 256))};
    const auto ref = pages.take(size);
    RC_ASSERT(!slots.contains(ref));
    RC_ASSERT(pages.slot_size(ref) >= size && pages.slot_size(ref) == Pages::slot_size_for(size));
    std::memset(pages.at(ref), std::to_integer<int>(slot.fill), pages.slot_size(ref));
    pages.due(ref, slot.due);
    slots[ref] = slot;
  }
  void give_back() {
    const auto ref = any();
    slots.erase(ref);
    pages.give_back(ref);
    pages.thin_out(ref, [&](Ref from, Ref to) {
      RC_ASSERT(slots.contains(from) && !slots.contains(to));
      slots[to] = slots.at(from);
      slots.erase(from);
    });
  }
  void change() {
    auto& [ref, slot] = *slots.find(any());
    slot.due = *some_time();
    pages.due(ref, slot.due);
  }
  // As a touch: its page is not told.
  void put_off() {
    auto& slot = slots.at(any());
    slot.due = std::max(slot.due, *some_time());
  }
  void look() {
    std::set<Ref> expected, seen;
    for (const auto& [ref, slot] : slots)
      if (slot.due <= now) expected.insert(ref);
    std::size_t pages_looked_at = 0;
    while (pages.next_due() <= now) {
      RC_ASSERT(++pages_looked_at <= slots.size());
      pages.look_at_first(now, [&](Ref ref) {
        auto& slot = slots.at(ref);
        if (slot.due > now) return slot.due;
        seen.insert(ref);
        return slot.due = now + Duration{1} + *some_span();
      });
    }
    RC_ASSERT(seen == expected);
  }
  void check() const {
    RC_ASSERT(pages.used() == slots.size());
    for (const auto& [ref, slot] : slots)
      RC_ASSERT(std::all_of(pages.at(ref), pages.at(ref) + slot.size, [&](std::byte b) { return b == slot.fill; }));
    RC_ASSERT(slots.empty() == (pages.bytes() == 0));
  }
  rc::Gen<Duration> some_span() const {
    return rc::gen::map(rc::gen::oneOf(rc::gen::inRange<std::int64_t>(0, 3000), rc::gen::inRange<std::int64_t>(0, 400'000'000)),
                        [](std::int64_t ms) { return Duration{ms}; });
  }
  rc::Gen<Time> some_time() const {
    return rc::gen::map(some_span(), [this](Duration d) { return now - std::chrono::hours{1} + d; });
  }

  LargePages memory;
  Pages pages{memory};
  std::map<Ref, Slot> slots;
  Time now = at(1'700'000'000'000);

 private:
  Ref any() const { return std::next(slots.begin(), *rc::gen::inRange<std::ptrdiff_t>(0, std::ssize(slots)))->first; }
};

RC_GTEST_PROP(Pages, KeepWhatIsInThemAndLookAtAllThatIsDueHoweverTheClockGoes, ()) {
  PagesModel model;
  for (int step = *rc::gen::inRange(1, 600); step > 0; --step) {
    const auto what = *rc::gen::inRange(0, 12);
    if (model.slots.empty() || what < 5) model.take();
    else if (what < 8) model.give_back();
    else if (what == 8) model.change();
    else if (what == 9) model.put_off();
    else if (what == 10) model.look();
    else model.now += *model.some_span() - *rc::gen::element(Duration{0}, Duration{0}, Duration{100'000'000});
  }
  model.look();
  model.check();
}

TEST(Pages, SlotsThatGotFewAreMovedTogether) {
  LargePages memory;
  Pages pages(memory);
  std::vector<Ref> refs;
  for (int i = 0; i < 20'000; ++i) refs.push_back(pages.take(284)), pages.due(refs.back(), at(i));
  std::map<Ref, std::size_t> place;
  for (std::size_t i = 0; i < refs.size(); ++i) place[refs[i]] = i;
  std::size_t moved = 0, gone = 0;
  for (std::size_t i = 0; i < refs.size(); ++i) {
    if (i % 50 == 0) continue;  // a few stay, in all pages
    const auto ref = refs[i];
    place.erase(ref);
    pages.give_back(ref);
    moved += pages.thin_out(ref, [&](Ref from, Ref to) {
      refs[place.at(from)] = to;
      place[to] = place.at(from);
      place.erase(from);
    });
    ++gone;
  }
  EXPECT_EQ(pages.used(), 400u);
  EXPECT_LT(pages.bytes(), 400u * 286 * 5 / 4 + 3 * 64 * 286);
  EXPECT_LT(moved, gone * 5);  // each removal pays for a few moves
  // And what was moved is still due when it was.
  std::size_t seen = 0;
  for (auto now = Time{}; now < at(21'000); now += Duration{1000})
    while (pages.next_due() <= now)
      pages.look_at_first(now, [&](Ref ref) {
        const auto due = at(static_cast<std::int64_t>(place.at(ref)));
        if (due > now) return due;
        ++seen;
        return Time::max();
      });
  EXPECT_EQ(seen, 400u);
}

// ## The table

struct Rows {
  explicit Rows(std::uint32_t most_buckets) : table(memory, pages, most_buckets) {}
  void put(std::uint64_t n) {
    Record record;
    record.version.counter = n;
    const auto key = numbered_key(n);
    const Shape shape(key, record, record.accessed);
    const auto ref = pages.take(shape.size);
    pack(pages.at(ref), shape, key, record, Time{}, 0);
    table.insert(hash_of(key), ref);
    refs[n] = ref;
  }
  void take_away(std::uint64_t n) {
    table.erase(hash_of(numbered_key(n)), refs.at(n));
    pages.give_back(refs.at(n));
    refs.erase(n);
  }
  Ref find(std::uint64_t n) const { return table.find(numbered_key(n), hash_of(numbered_key(n))); }
  std::multiset<std::uint64_t> all() const {
    std::multiset<std::uint64_t> seen;
    std::vector<Ref> part;
    for (std::optional<Hash> from = 0; from;) {
      from = table.segment(*from, part);
      for (const auto ref : part) seen.insert(Packed(pages.at(ref)).version().counter);
    }
    return seen;
  }
  LargePages memory;
  Pages pages{memory};
  Table table;
  std::map<std::uint64_t, Ref> refs;
};

RC_GTEST_PROP(Table, FindsWhatIsInItAndNothingElseHoweverItGrows, ()) {
  Rows rows(*rc::gen::element(1u, 2u, 3u, 5u, 8u));
  for (int step = *rc::gen::inRange(1, 2000); step > 0; --step) {
    const auto n = *rc::gen::inRange<std::uint64_t>(0, 800);
    if (!rows.refs.contains(n)) rows.put(n);
    else if (*rc::gen::inRange(0, 3) == 0) rows.take_away(n);
    else {
      const auto from = rows.refs.at(n), to = rows.pages.take(rows.pages.slot_size(from));
      std::memcpy(rows.pages.at(to), rows.pages.at(from), rows.pages.slot_size(from));
      rows.table.replace(hash_of(numbered_key(n)), from, to);
      rows.pages.give_back(from);
      rows.refs.at(n) = to;
    }
  }
  std::multiset<std::uint64_t> expected;
  for (std::uint64_t n = 0; n < 800; ++n) {
    RC_ASSERT(rows.find(n) == (rows.refs.contains(n) ? rows.refs.at(n) : no_ref));
    if (rows.refs.contains(n)) expected.insert(n);
  }
  RC_ASSERT(rows.all() == expected);
}

TEST(Table, GrowsToAHundredThousandAndIsGoneThroughWhileItGrows) {
  constexpr std::uint64_t n = 100'000;
  Rows rows(64);
  std::uint64_t next = 0;
  for (; next < n / 2; ++next) rows.put(next);
  std::multiset<std::uint64_t> seen;
  std::vector<Ref> part;
  for (std::optional<Hash> from = 0; from;) {
    from = rows.table.segment(*from, part);
    for (const auto ref : part) seen.insert(Packed(rows.pages.at(ref)).version().counter);
    for (int i = 0; i < 700 && next < n; ++i) rows.put(next++);
  }
  for (std::uint64_t i = 0; i < n / 2; ++i) ASSERT_EQ(seen.count(i), 1u) << i;
  for (; next < n; ++next) rows.put(next);
  for (std::uint64_t i = 0; i < n; ++i) ASSERT_EQ(rows.find(i), rows.refs.at(i));
  EXPECT_EQ(rows.find(n), no_ref);
  for (std::uint64_t i = 0; i < n; ++i) rows.take_away(i);
  EXPECT_TRUE(rows.all().empty());
}

// ## Subjects

RC_GTEST_PROP(Subjects, KnowWhoHasWhich, ()) {
  LargePages memory;
  Subjects subjects(memory);
  std::map<std::string, std::multimap<Hash, std::uint32_t>> model;
  for (int step = *rc::gen::inRange(1, 1500); step > 0; --step) {
    const auto subject = "user" + std::to_string(*rc::gen::inRange(0, 300));
    auto& its = model[subject];
    if (its.empty() || *rc::gen::inRange(0, 3) > 0) {
      const Hash key = *rc::gen::inRange<Hash>(0, 50);
      its.emplace(key, subjects.add(subject, key));
    } else {
      subjects.remove(subject, its.begin()->second);
      its.erase(its.begin());
    }
  }
  for (const auto& [subject, its] : model) {
    std::set<Hash> keys;
    for (const auto& [key, entry] : its) keys.insert(key);
    const auto found = subjects.of(subject);
    // A hint: whose hashes agree in part may be in it too.
    RC_ASSERT(std::includes(found.begin(), found.end(), keys.begin(), keys.end()));
    RC_ASSERT(found.size() == keys.size());
  }
  RC_ASSERT(subjects.of("nobody").empty());
}

}  // namespace
}  // namespace sancho::memory
