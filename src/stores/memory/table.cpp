#include "stores/memory/table.hpp"

#include <algorithm>

#include "sancho/error.hpp"
#include "stores/memory/make_room.hpp"

namespace sancho::memory {

namespace {
constexpr std::size_t key_size = 32, usual_size = 320;
}  // namespace

void Table::GiveBack::operator()(Bucket* buckets) const noexcept {
  memory->give_back(reinterpret_cast<std::byte*>(buckets), count * sizeof(Bucket));
}

Table::Segment::Segment(LargePages& memory, std::uint32_t n, unsigned d)
    : buckets(reinterpret_cast<Bucket*>(memory.take(n * sizeof(Bucket))), GiveBack{&memory, n}), bucket_count(n), depth(d) {
  std::uninitialized_value_construct_n(buckets.get(), n);
}

Ref Table::find(const SessionKey& key, Hash hash) const {
  return probe(hash, [&](Ref ref) {
    auto* at = pages_.at(ref);
    memory::fetch(at, usual_size);  // whatever it has
    return Packed(at).is(key);
  });
}

void Table::insert(Hash hash, Ref ref) {
  make_room(hash);
  add(segment_of(hash), hash, ref);
}

void Table::erase(Hash hash, Ref ref) {
  auto& s = segment_of(hash);
  for (auto at = home(s.bucket_count, hash);; at = at + 1 == s.bucket_count ? 0 : at + 1) {
    auto& bucket = s.buckets[at];
    for (auto hits = bucket.hits(fingerprint(hash)); hits != 0; hits &= hits - 1) {
      const auto i = static_cast<unsigned>(std::countr_zero(hits));
      if (bucket.refs[i] != ref) continue;
      bucket.used = static_cast<std::uint16_t>(bucket.used & ~(1u << i));
      --s.count;
      return;
    }
    if (bucket.passed != 255) --bucket.passed;
  }
}

void Table::replace(Hash hash, Ref from, Ref to) {
  auto& s = segment_of(hash);
  for (auto at = home(s.bucket_count, hash);; at = at + 1 == s.bucket_count ? 0 : at + 1)
    for (auto hits = s.buckets[at].hits(fingerprint(hash)); hits != 0; hits &= hits - 1) {
      auto& ref = s.buckets[at].refs[std::countr_zero(hits)];
      if (ref != from) continue;
      ref = to;
      return;
    }
}

// A segment that is not full has a free slot.
void Table::add(Segment& s, Hash hash, Ref ref) {
  constexpr unsigned all = (1u << Bucket::size) - 1;
  auto at = home(s.bucket_count, hash);
  for (; s.buckets[at].used == all; at = at + 1 == s.bucket_count ? 0 : at + 1)
    if (s.buckets[at].passed != 255) ++s.buckets[at].passed;
  auto& bucket = s.buckets[at];
  const auto i = std::min(static_cast<unsigned>(std::countr_one(bucket.used)), Bucket::size - 1);  // so that the compiler knows
  bucket.used = static_cast<std::uint16_t>(bucket.used | 1u << i);
  bucket.fingerprints[i] = fingerprint(hash);
  bucket.refs[i] = ref;
  ++s.count;
}

// ## Growing

// Calls `into(hash, ref)` for each of a segment. The keys are all over the place,
// so they are asked for some buckets ahead.
template <class Into>
void Table::pour(const Segment& from, Into into) const {
  constexpr std::uint32_t ahead = 4;
  for (std::uint32_t at = 0; at < from.bucket_count + ahead; ++at) {
    if (at < from.bucket_count)
      for (unsigned used = from.buckets[at].used; used != 0; used &= used - 1)
        memory::fetch(pages_.at(from.buckets[at].refs[std::countr_zero(used)]), key_size);
    if (at < ahead) continue;
    const auto& bucket = from.buckets[at - ahead];
    for (unsigned used = bucket.used; used != 0; used &= used - 1) {
      const auto ref = bucket.refs[std::countr_zero(used)];
      into(Packed(pages_.at(ref)).hash(), ref);
    }
  }
}

// So that one more fits where this hash belongs.
void Table::make_room(Hash hash) {
  if (directory_.empty()) {
    segments_.reserve(1);
    directory_.reserve(1);
    segments_.emplace_back(memory_, 1, 0);
    directory_.emplace_back();
    put_doors(hash);
  }
  for (auto* s = &segment_of(hash); is_full(*s); s = &segment_of(hash)) {
    if (s->bucket_count == most_buckets_) {
      split(hash);
      continue;
    }
    Segment larger(memory_, std::min(2 * s->bucket_count, most_buckets_), s->depth);
    pour(*s, [&](Hash h, Ref ref) { add(larger, h, ref); });
    *s = std::move(larger);
    put_doors(hash);
  }
}

// Two segments for one, each as large: so the next that is split finds its memory.
void Table::split(Hash hash) {
  make_room_for_one(segments_);
  auto& old = segment_of(hash);
  if (old.depth == deepest) throw StoreError(Trouble::full, "memory: too many keys have the same hash");
  const auto depth = old.depth + 1;
  const auto bit = Hash{1} << (64 - depth);
  Segment low(memory_, most_buckets_, depth), high(memory_, most_buckets_, depth);
  pour(old, [&](Hash h, Ref ref) { add(h & bit ? high : low, h, ref); });
  if (depth > depth_) {
    std::vector<Door> twice(directory_.size() * 2);
    for (std::size_t i = 0; i < twice.size(); ++i) twice[i] = directory_[i / 2];
    directory_.swap(twice);
    ++depth_;
  }
  // From here on nothing throws.
  old = std::move(low);
  put_doors(hash & ~bit);
  segments_.push_back(std::move(high));
  directory_[index(hash | bit)].segment = static_cast<std::uint32_t>(segments_.size() - 1);
  put_doors(hash | bit);
}

// The segment that this hash leads into is new, or another than it was: all who are
// led there learn it.
void Table::put_doors(Hash hash) {
  const auto number = directory_[index(hash)].segment;
  const auto& s = segments_[number];
  const auto span = std::size_t{1} << (depth_ - s.depth);
  const auto begin = index(hash) / span * span;
  std::fill_n(directory_.begin() + static_cast<std::ptrdiff_t>(begin), span, Door{s.buckets.get(), s.bucket_count, number});
}

// ## Going through

std::optional<Hash> Table::segment(Hash from, std::vector<Ref>& refs) const {
  refs.clear();
  if (directory_.empty()) return std::nullopt;
  const auto& s = segment_of(from);
  refs.reserve(s.count);
  for (std::uint32_t at = 0; at < s.bucket_count; ++at)
    for (unsigned used = s.buckets[at].used; used != 0; used &= used - 1) refs.push_back(s.buckets[at].refs[std::countr_zero(used)]);
  if (s.depth == 0) return std::nullopt;
  const auto next = ((from >> (64 - s.depth)) + 1) << (64 - s.depth);
  return next == 0 ? std::nullopt : std::optional(next);
}

}  // namespace sancho::memory
