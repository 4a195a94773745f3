// # What a request changed
//
// A request does not save the session it has seen; it saves what it did to it.
// `apply` does that to whatever the record has become meanwhile, and is all
// there is to merging. It is pure and keeps no order but that of commits.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "protocol/payload.hpp"
#include "sancho/merge.hpp"

namespace sancho::protocol {

using sancho::Merge;
using sancho::MergeFunction;
using sancho::MergeKind;

struct SlotChange {
  std::string name;
  std::string base;  // as loaded; empty: was absent
  std::string mine;  // empty: erased
  Merge merge;
};

struct Delta {
  std::vector<SlotChange> slots = {};
  std::vector<TokenDigest> tokens_made = {};
  std::vector<TokenDigest> tokens_removed = {};
  // A consumption to be undone: only if nobody has consumed the token since.
  std::optional<Spent> given_back = {};
  std::optional<std::string> user = {};  // another value for the same subject

  bool empty() const { return slots.empty() && tokens_made.empty() && tokens_removed.empty() && !given_back && !user; }
  bool concerns_tokens() const { return !tokens_made.empty() || !tokens_removed.empty() || given_back; }
  // Does it put anything there, or only take away?
  bool adds() const;
};

// Applies `delta` to `payload`. Form tokens: removal beats union, and beyond
// `max_tokens` the oldest give way. Throws `DecodeError` where a slot that is
// to be added up is not a number, or the like.
void apply(Payload& payload, const Delta& delta, std::size_t max_tokens);

// `seal` of what `apply` makes of this payload, with `attempt` as the last of no
// more than `keep_attempts`: written from the bytes that are there, without taking
// them apart. Nothing, for deltas in which form tokens come or go, and in the rare
// cases in which it would be another way of doing the same.
std::optional<std::string> amend(const Record& sealed_for, const PayloadView& payload, const Delta& delta, Attempt attempt,
                                 std::size_t keep_attempts, std::size_t max_tokens);

// One slot; empty for absent or erased.
std::string merge_slot(const SlotChange& change, std::string_view theirs);

}  // namespace sancho::protocol
