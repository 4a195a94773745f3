// # A payload that is changed without being taken apart
//
// `amend` is `apply` and `seal` in one. It must give the same bytes, or nothing.
#include <gtest/gtest.h>

#include <random>

#include "protocol/delta.hpp"
#include "values.hpp"

namespace sancho::protocol {
namespace {

constexpr Time then{std::chrono::hours{400000}};
constexpr std::size_t keep_attempts = 4, max_tokens = 16;

Record columns() {
  Record r;
  r.version = {11, 7};
  r.state = State::live;
  r.created = r.accessed = r.ends = then;
  r.subject = "alice";
  r.handle = *Handle::parse("AAAABBBBCCCCDDDD");
  return r;
}

// The long way.
std::string sealed(const Record& columns, Payload payload, const Delta& delta, Attempt attempt) {
  apply(payload, delta, max_tokens);
  payload.attempts.push_back(attempt);
  while (payload.attempts.size() > keep_attempts) payload.attempts.erase(payload.attempts.begin());
  return seal(columns, payload);
}

std::optional<std::string> amended(const Payload& before, const Delta& delta, Attempt attempt, std::size_t tokens = max_tokens) {
  auto base = columns(), next = base;
  base.payload = seal(base, before);
  next.version = base.version.after(attempt);
  return amend(next, PayloadView(base), delta, attempt, keep_attempts, tokens);
}
std::string expected(const Payload& before, const Delta& delta, Attempt attempt) {
  auto next = columns();
  next.version = next.version.after(attempt);
  return sealed(next, before, delta, attempt);
}

class Chance {
 public:
  std::size_t operator()(std::size_t n) { return random_() % n; }
  bool once_in(std::size_t n) { return (*this)(n) == 0; }
  std::string name() {
    static const std::string names[] = {"a", "b", "count", "cart", "m", std::string(31, 'n'), std::string(32, 'n'), std::string(64, 'z'), "_flash"};
    return names[(*this)(std::size(names))];
  }
  std::string value() { return once_in(2) ? number(static_cast<std::int64_t>((*this)(100'000))) : text(std::string((*this)(400), 'v')); }

 private:
  std::mt19937_64 random_{1};  // NOLINT: the same cases each time
};

Payload some_payload(Chance& chance) {
  Payload p;
  p.issued = then;
  for (auto n = chance(keep_attempts + 2); n > 0; --n) p.attempts.push_back(chance(1'000'000));
  for (auto n = chance(3); n > 0; --n) p.spent.push_back({{std::byte{1}}, chance(1'000'000)});
  for (auto n = chance(3); n > 0; --n) p.tokens.push_back({std::byte{2}});
  if (chance.once_in(2)) p.predecessor = *SessionKey::from_bytes(std::string(32, 'p'));
  if (chance.once_in(4)) p.successor = *SessionKey::from_bytes(std::string(32, 's'), 0x010203);
  if (chance.once_in(2)) p.authenticated = then;
  if (chance.once_in(3)) p.used = Time{Duration{-5}};
  p.persistent = chance.once_in(2);
  if (chance.once_in(2)) p.remote_address = "192.0.2.1", p.user_agent = std::string(chance(200), 'u');
  if (chance.once_in(2)) p.user = text("alice");
  if (chance.once_in(2)) p.csrf.emplace();
  for (auto n = chance(7); n > 0; --n) p.put(chance.name(), chance.value());
  if (chance.once_in(4)) p.unknown = text("later") + number(5);
  return p;
}

Delta some_delta(Chance& chance, const Payload& p) {
  Delta delta;
  for (auto n = chance(4); n > 0; --n) {
    const auto name = chance.name();
    if (std::any_of(delta.slots.begin(), delta.slots.end(), [&](const SlotChange& c) { return c.name == name; })) continue;
    const auto* theirs = p.find(name);
    // Mostly it is what this request has seen too.
    std::string base = theirs && !chance.once_in(4) ? theirs->value : std::string();
    SlotChange change{name, std::move(base), chance.once_in(4) ? std::string() : chance.value(), {}};
    const auto number_or_none = [](std::string_view v) { return v.empty() || Unpacker(v).next() == Unpacker::Kind::integer; };
    if (number_or_none(change.base) && number_or_none(change.mine) && (!theirs || number_or_none(theirs->value)))
      change.merge.kind = chance.once_in(2) ? MergeKind::add : MergeKind::max;
    else if (chance.once_in(2))
      change.merge = {MergeKind::custom, 0, [](std::string_view b, std::string_view t, std::string_view m) { return text(std::string(b) + std::string(t) + std::string(m)); }};
    delta.slots.push_back(std::move(change));
  }
  if (chance.once_in(4)) delta.user = chance.once_in(2) ? text("alice, later") : std::string();
  return delta;
}

TEST(Amend, WritesWhatApplyAndSealWrite) {
  Chance chance;
  for (int i = 0; i < 20'000; ++i) {
    const auto before = some_payload(chance);
    const auto delta = some_delta(chance, before);
    const Attempt attempt = chance(1'000'000);
    const auto bytes = amended(before, delta, attempt);
    ASSERT_TRUE(bytes) << i;
    ASSERT_EQ(*bytes, expected(before, delta, attempt)) << i;
  }
}

Payload small() {
  Payload p;
  p.issued = then;
  p.put("a", number(1));
  p.put("c", number(3));
  return p;
}
SlotChange set(std::string name, std::string value) { return {std::move(name), {}, std::move(value), {}}; }

TEST(Amend, SlotsComeAndGoAtBothEndsAndBetween) {
  for (const auto* name : {"_", "a", "b", "c", "d"})
    for (const auto& value : {std::string(), number(9)}) {
      const Delta delta{.slots = {set(name, value)}};
      EXPECT_EQ(amended(small(), delta, 5), expected(small(), delta, 5)) << name;
    }
  const Delta none_left{.slots = {set("c", {}), set("a", {})}};
  EXPECT_EQ(amended(small(), none_left, 5), expected(small(), none_left, 5));
}

TEST(Amend, LeavesToApplyWhatConcernsTokens) {
  EXPECT_FALSE(amended(small(), {.tokens_made = {{}}}, 5));
  EXPECT_FALSE(amended(small(), {.tokens_removed = {{}}}, 5));
  EXPECT_FALSE(amended(small(), {.given_back = Spent{}}, 5));
  // More than there may be by now: the oldest give way.
  auto full = small();
  full.tokens.resize(3);
  EXPECT_TRUE(amended(full, {.slots = {set("a", number(2))}}, 5, 3));
  EXPECT_FALSE(amended(full, {.slots = {set("a", number(2))}}, 5, 2));
}

TEST(Amend, LeavesToApplyWhatItHasNoRoomFor) {
  Delta many;
  for (char c = 'a'; c < 'a' + 8; ++c) many.slots.push_back(set(std::string(1, c), number(c)));
  EXPECT_EQ(amended(small(), many, 5), expected(small(), many, 5));
  many.slots.push_back(set("z", number(1)));
  EXPECT_FALSE(amended(small(), many, 5));
  EXPECT_FALSE(amended(small(), {.slots = {set("a", number(2)), set("a", number(3))}}, 5));
}

// With slots that are spelt otherwise.
std::optional<std::string> amended_beside(std::string_view slots) {
  auto base = columns();
  base.payload = seal(base, small());
  PayloadView view(base);
  view.slots = slots;
  return amend(base, view, {.slots = {set("b", number(2))}}, 5, keep_attempts, max_tokens);
}

TEST(Amend, LeavesToApplyWhatOthersHaveWrittenInTheirOwnWay) {
  using namespace std::string_literals;
  EXPECT_TRUE(amended_beside("\x82\xa1" "a\x01\xa1" "c\x03"s));
  EXPECT_FALSE(amended_beside("\x82\xa1" "c\x01\xa1" "a\x03"s)) << "out of order";
  EXPECT_FALSE(amended_beside("\x82\xa1" "a\x01\xa1" "a\x03"s)) << "twice";
  EXPECT_FALSE(amended_beside("\x82\xd9\x01" "a\x01\xa1" "c\x03"s)) << "a longer head than it needs";
  EXPECT_FALSE(amended_beside("\x81\xa1" "a\x01\xa1" "c\x03"s)) << "more than it says";
}

TEST(Amend, ThrowsWhatApplyThrows) {
  const Delta delta{.slots = {{"a", number(1), text("no number"), {MergeKind::add, 0, {}}}}};
  EXPECT_THROW(amended(small(), delta, 5), DecodeError);
  auto payload = small();
  EXPECT_THROW(apply(payload, delta, max_tokens), DecodeError);
}

}  // namespace
}  // namespace sancho::protocol
