// A payload with a delta applied, written from its bytes.
#include <algorithm>

#include "protocol/delta.hpp"
#include "protocol/payload_reader.hpp"
#include "protocol/payload_writer.hpp"

namespace sancho::protocol {

namespace {

// The slots as they were, in their order, with what becomes of some of them.
class Slots {
 public:
  Slots() = default;
  Slots(const Slots&) = delete;  // it has views into itself
  Slots& operator=(const Slots&) = delete;

  // False if there is more to it than this can do.
  bool prepare(std::string_view map, const std::vector<SlotChange>& changes) {
    if (changes.size() > most) return false;
    for (const auto& change : changes) places_[count_++].change = &change;
    const auto by_name = [](const Place& a, const Place& b) { return a.change->name < b.change->name; };
    std::sort(places_.begin(), places_.begin() + static_cast<std::ptrdiff_t>(count_), by_name);
    for (std::size_t i = 1; i < count_; ++i)
      if (places_[i - 1].change->name == places_[i].change->name) return false;
    if (!look_for(map)) return false;
    merge();
    return true;
  }

  std::size_t pairs() const { return pairs_; }
  std::size_t room() const {
    std::size_t size = bytes_.size();
    for (std::size_t i = 0; i < count_; ++i) size += places_[i].change->name.size() + places_[i].value.size() + 5;
    return size;
  }
  void write(Writer& out) const {
    std::size_t from = 0;
    for (std::size_t i = 0; i < count_; ++i) {
      const auto& place = places_[i];
      out.raw(bytes_.substr(from, place.begin - from));
      if (!place.value.empty()) out.text(place.change->name), out.raw(place.value);
      from = place.end;
    }
    out.raw(bytes_.substr(from));
  }

 private:
  static constexpr std::size_t most = 8;
  struct Place {
    const SlotChange* change = nullptr;
    std::size_t begin = 0, end = 0;  // of the pair that is there; or where it would be
    std::string_view theirs, value;
  };

  // Names in their order, each once, and spelt as we spell them. What is broken
  // otherwise, the other way tells.
  bool look_for(std::string_view map) {
    if (map.empty()) return true;
    try {
      return look_into(map);
    } catch (const DecodeError&) {
      return false;
    }
  }
  bool look_into(std::string_view map) {
    Reader r(map);
    pairs_ = r.map();
    bytes_ = r.rest();
    const auto here = [&] { return bytes_.size() - r.rest().size(); };
    std::string_view before;
    std::size_t next = 0;
    for (auto pairs = pairs_; pairs > 0; --pairs) {
      const auto begin = here();
      const auto name = r.text();
      if (here() - begin != name.size() + head_of(name)) return false;
      if (pairs < pairs_ && before >= name) return false;
      before = name;
      const auto value = r.value();
      for (; next < count_ && places_[next].change->name < name; ++next) places_[next].begin = places_[next].end = begin;
      if (next == count_ || places_[next].change->name != name) continue;
      auto& place = places_[next++];
      place.begin = begin, place.end = here(), place.theirs = value;
    }
    for (; next < count_; ++next) places_[next].begin = places_[next].end = bytes_.size();
    return r.done();
  }
  static std::size_t head_of(std::string_view text) { return text.size() < 32 ? 1 : text.size() <= 0xff ? 2 : text.size() <= 0xffff ? 3 : 5; }

  void merge() {
    for (std::size_t i = 0; i < count_; ++i) {
      auto& place = places_[i];
      const auto& change = *place.change;
      if (change.merge.kind == MergeKind::last_writer) place.value = change.mine;
      else place.value = keep(merge_slot(change, place.theirs));
      pairs_ += place.theirs.empty();
      pairs_ -= place.value.empty();
    }
  }

  // No more than there are places, so that none moves.
  std::string_view keep(std::string value) {
    merged_.reserve(count_);
    return merged_.emplace_back(std::move(value));
  }

  std::string_view bytes_;  // of the pairs
  std::vector<std::string> merged_;
  std::array<Place, most> places_;
  std::size_t count_ = 0, pairs_ = 0;
};

class Amended {
 public:
  Amended(const PayloadView& p, const Slots& slots, std::string_view user, Attempt attempt, std::size_t keep_attempts)
      : p_(p), slots_(slots), user_(user), kept_(p.attempts), attempt_(attempt) {
    const auto room = 8 * (keep_attempts - 1);
    if (kept_.size() > room) kept_.remove_prefix(kept_.size() - room);
  }

  std::size_t pairs() const {
    return 1 + !p_.spent.empty() + !user_.empty() + !p_.tokens.empty() + (slots_.pairs() > 0) + p_.unknown().size();
  }
  std::size_t room() const {
    std::size_t size = kept_.size() + 8 + p_.spent.size() + p_.tokens.size() + user_.size() + slots_.room();
    for (const auto pair : p_.unknown()) size += pair.size();
    return size;
  }
  void attempts(Writer& out) const {
    out.text("attempts"), out.binary_head(kept_.size() + 8), out.raw(kept_), out.raw(EightBytes(attempt_));
  }
  void spent(Writer& out) const { list(out, "spent", p_.spent); }
  void user(Writer& out) const {
    if (!user_.empty()) out.text("user"), out.raw(user_);
  }
  void tokens(Writer& out) const { list(out, "tokens", p_.tokens); }
  void slots(Writer& out) const {
    if (slots_.pairs() > 0) out.text("slots"), out.map(slots_.pairs()), slots_.write(out);
  }
  void unknown(Writer& out) const {
    for (const auto pair : p_.unknown()) out.raw(pair);
  }

 private:
  static void list(Writer& out, std::string_view name, std::string_view packed) {
    if (!packed.empty()) out.text(name), out.binary(packed);
  }

  const PayloadView& p_;
  const Slots& slots_;
  std::string_view user_, kept_;
  Attempt attempt_;
};

}  // namespace

std::optional<std::string> amend(const Record& sealed_for, const PayloadView& payload, const Delta& delta, Attempt attempt,
                                 std::size_t keep_attempts, std::size_t max_tokens) {
  if (delta.concerns_tokens() || payload.token_count() > max_tokens || keep_attempts == 0) return std::nullopt;
  Slots slots;
  if (!slots.prepare(payload.slots, delta.slots)) return std::nullopt;
  const auto user = delta.user ? std::string_view(*delta.user) : payload.user;
  return write_sealed(sealed_for, payload, Amended(payload, slots, user, attempt, keep_attempts));
}

}  // namespace sancho::protocol
