#include "protocol/delta.hpp"

#include <algorithm>
#include <unordered_set>

#include "sancho/msgpack.hpp"

namespace sancho::protocol {

namespace {

using Kind = Unpacker::Kind;

bool is_integer(std::string_view v) { return v.empty() || Unpacker(v).next() == Kind::integer; }
std::int64_t integer(std::string_view v) { return v.empty() ? 0 : Unpacker(v).integer(); }
double real(std::string_view v) { return v.empty() ? 0 : Unpacker(v).real(); }

std::string packed(std::int64_t v) {
  Packer p;
  p.integer(v);
  return std::move(p).take();
}
std::string packed(double v) {
  Packer p;
  p.real(v);
  return std::move(p).take();
}

// Counting wraps around rather than being undefined.
std::string add(std::string_view base, std::string_view theirs, std::string_view mine) {
  if (!is_integer(base) || !is_integer(theirs) || !is_integer(mine)) return packed(real(theirs) + (real(mine) - real(base)));
  const auto u = [](std::string_view v) { return static_cast<std::uint64_t>(integer(v)); };
  return packed(static_cast<std::int64_t>(u(theirs) + u(mine) - u(base)));
}

std::string greater(std::string_view theirs, std::string_view mine) {
  if (theirs.empty()) return std::string(mine);
  const bool more = is_integer(theirs) && is_integer(mine) ? integer(mine) > integer(theirs) : real(mine) > real(theirs);
  return std::string(more ? mine : theirs);
}

using Items = std::vector<std::string_view>;

Items items(std::string_view array) {
  Items all;
  if (array.empty()) return all;
  Unpacker u(array);
  for (auto n = u.array(); n > 0; --n) all.push_back(u.value());
  return all;
}

std::string packed(const Items& all) {
  Packer p;
  p.array(all.size());
  for (const auto item : all) p.raw(item);
  return std::move(p).take();
}

std::string set_union(const Items& base, const Items& theirs, const Items& mine) {
  using Set = std::unordered_set<std::string_view>;
  const Set in_base(base.begin(), base.end()), in_mine(mine.begin(), mine.end());
  Items out;
  Set in_out;
  for (const auto item : theirs)
    if ((!in_base.contains(item) || in_mine.contains(item)) && in_out.insert(item).second) out.push_back(item);
  for (const auto item : mine)
    if (!in_base.contains(item) && in_out.insert(item).second) out.push_back(item);
  return out.empty() ? std::string{} : packed(out);
}

// Mine minus the longest prefix that is the end of base: older items may have
// given way to the bound since.
std::string append(const Items& base, Items theirs, const Items& mine, std::size_t bound) {
  std::size_t kept = std::min(base.size(), mine.size());
  while (kept > 0 && !std::equal(mine.begin(), mine.begin() + static_cast<std::ptrdiff_t>(kept), base.end() - static_cast<std::ptrdiff_t>(kept)))
    --kept;
  theirs.insert(theirs.end(), mine.begin() + static_cast<std::ptrdiff_t>(kept), mine.end());
  if (bound > 0 && theirs.size() > bound) theirs.erase(theirs.begin(), theirs.end() - static_cast<std::ptrdiff_t>(bound));
  return packed(theirs);
}

}  // namespace

std::string merge_slot(const SlotChange& change, std::string_view theirs) {
  const auto& [name, base, mine, merge] = change;
  // Nobody else has changed it: there is nothing for the application to decide.
  if (merge.kind == MergeKind::custom) return theirs == base ? mine : merge.function(base, theirs, mine);
  // Erasing a set removes what was seen of it; erasing anything else, all.
  if (mine.empty() && merge.kind != MergeKind::set_union) return {};
  switch (merge.kind) {
    case MergeKind::add: return add(base, theirs, mine);
    case MergeKind::max: return greater(theirs, mine);
    case MergeKind::set_union: return set_union(items(base), items(theirs), items(mine));
    case MergeKind::append: return append(items(base), items(theirs), items(mine), merge.bound);
    case MergeKind::last_writer:
    case MergeKind::custom: break;
  }
  return mine;
}

bool Delta::adds() const {
  return !tokens_made.empty() || user || std::any_of(slots.begin(), slots.end(), [](const SlotChange& c) { return !c.mine.empty(); });
}

void apply(Payload& payload, const Delta& delta, std::size_t max_tokens) {
  for (const auto& change : delta.slots) {
    const auto* theirs = payload.find(change.name);
    auto merged = merge_slot(change, theirs ? std::string_view(theirs->value) : std::string_view{});
    if (merged.empty()) payload.drop(change.name);
    else payload.put(change.name, std::move(merged));
  }
  if (delta.user) payload.user = *delta.user;
  auto& tokens = payload.tokens;
  for (const auto& made : delta.tokens_made)
    if (std::find(tokens.begin(), tokens.end(), made) == tokens.end()) tokens.push_back(made);
  for (const auto& gone : delta.tokens_removed) std::erase(tokens, gone);
  if (tokens.size() > max_tokens) tokens.erase(tokens.begin(), tokens.end() - static_cast<std::ptrdiff_t>(max_tokens));
}

}  // namespace sancho::protocol
