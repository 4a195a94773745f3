#include "stores/memory/shard.hpp"

#include <algorithm>
#include <array>

namespace sancho::memory {

std::optional<Shard::Place> Shard::find(const SessionKey& key, Hash hash) const {
  const auto ref = table_.find(key, hash);
  return ref == no_ref ? std::nullopt : std::optional(Place{Packed(pages_.at(ref)), ref});
}

void Shard::write(Ref ref, const Shape& shape, const SessionKey& key, const Record& record, Time accessed, std::uint32_t entry) {
  pack(pages_.at(ref), shape, key, record, accessed, entry);
  pages_.due(ref, Packed(pages_.at(ref)).expires());
}

void Shard::insert(const SessionKey& key, Hash hash, const Record& record) {
  const Shape shape(key, record, record.accessed);
  const bool has_subject = !record.subject.empty();
  const auto entry = has_subject ? subjects_.add(record.subject, hash) : 0;
  Ref ref = no_ref;
  try {
    ref = pages_.take(shape.size);
    write(ref, shape, key, record, record.accessed, entry);
    table_.insert(hash, ref);
  } catch (...) {
    if (ref != no_ref) pages_.give_back(ref);
    if (has_subject) subjects_.remove(record.subject, entry);
    throw;
  }
}

void Shard::replace(const Place& there, const SessionKey& key, Hash hash, const Record& record, Time accessed) {
  const auto before = there.ref;
  const Shape shape(key, record, accessed);
  const auto entry = there.entry();
  if (pages_.slot_size(before) == Pages::slot_size_for(shape.size)) return write(before, shape, key, record, accessed, entry);
  const auto ref = pages_.take(shape.size);
  write(ref, shape, key, record, accessed, entry);
  table_.replace(hash, before, ref);
  pages_.give_back(before);
  thin_out(before);
}

void Shard::remove(const Place& there) {
  remove(there.ref);
  thin_out(there.ref);
}

void Shard::remove(Ref ref) {
  const Packed record(pages_.at(ref));
  if (const auto subject = record.subject(); !subject.empty()) subjects_.remove(subject, record.entry());
  table_.erase(record.hash(), ref);
  pages_.give_back(ref);
}

void Shard::thin_out(Ref ref) {
  pages_.thin_out(ref, [&](Ref from, Ref to) { table_.replace(Packed(pages_.at(to)).hash(), from, to); });
}

// ## Sweeping

void Shard::remove_all(const Ref* refs, std::size_t n, SweepAnswer& answer) {
  answer.handles.reserve(answer.handles.size() + n);  // here it may throw, and later not
  for (std::size_t i = 0; i < n; ++i) {
    const Packed record(pages_.at(refs[i]));
    ++answer.removed;
    if (record.state() == State::live) ++answer.sessions, answer.handles.push_back(record.handle());
    remove(refs[i]);
  }
}

std::size_t Shard::remove_expired(Time now, std::size_t most, SweepAnswer& answer) {
  constexpr std::size_t enough = Pages::most_slots;
  std::size_t looked = 0, left = most;
  std::array<Ref, Pages::most_slots> doomed;
  while (left > 0 && looked < enough && has_due(now)) {
    // Before anything is marked as gone.
    answer.handles.reserve(answer.handles.size() + doomed.size());
    std::size_t n = 0;
    pages_.look_at_first(now, [&](Ref ref) {
      ++looked;
      const auto expires = Packed(pages_.at(ref)).expires();
      if (expires > now || n == left) return expires;
      doomed[n++] = ref;
      return Time::max();
    });
    remove_all(doomed.data(), n, answer);
    left -= n;
    if (n > 0) thin_out(doomed.front());
    ++looked;  // a page is some work too
  }
  return looked;
}

bool Shard::remove_old(Hash from, Time accessed_before, std::size_t most, SweepAnswer& answer) {
  std::vector<Ref> refs;
  table_.segment(from, refs);
  std::erase_if(refs, [&](Ref ref) { return !is_old(Packed(pages_.at(ref)), accessed_before); });
  const auto n = std::min(refs.size(), most);
  remove_all(refs.data(), n, answer);
  for (std::size_t i = 0; i < n; ++i) thin_out(refs[i]);
  return n == refs.size();
}

}  // namespace sancho::memory
