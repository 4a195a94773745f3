// # Merging: what a request did, applied to what the record has become
#include "protocol/delta.hpp"

#include <gtest/gtest.h>

#include <ostream>

#include "values.hpp"

namespace sancho::protocol {
namespace {

const std::string absent;

SlotChange change(std::string base, std::string mine, MergeKind kind, std::size_t bound = 0) {
  return {"slot", std::move(base), std::move(mine), {kind, bound, {}}};
}

// ## One slot

struct Row {
  const char* what;
  MergeKind kind;
  std::string base, theirs, mine, merged;
  std::size_t bound = 0;
  friend void PrintTo(const Row& r, std::ostream* out) { *out << r.what; }
};

class MergeSlot : public testing::TestWithParam<Row> {};

TEST_P(MergeSlot, GivesTheOneValueOfBothChanges) {
  const auto& r = GetParam();
  EXPECT_EQ(merge_slot(change(r.base, r.mine, r.kind, r.bound), r.theirs), r.merged);
}

INSTANTIATE_TEST_SUITE_P(
    Policies, MergeSlot,
    testing::Values(
        Row{"TheLaterCommitWins", MergeKind::last_writer, text("0"), text("theirs"), text("mine"), text("mine")},
        Row{"AnErasureIsALaterCommitToo", MergeKind::last_writer, text("0"), text("theirs"), absent, absent},
        Row{"WrittenAfterTheyErased", MergeKind::last_writer, text("0"), absent, text("mine"), text("mine")},
        Row{"BothIncrementsCount", MergeKind::add, number(5), number(6), number(6), number(7)},
        Row{"BothDifferencesCount", MergeKind::add, number(5), number(2), number(15), number(12)},
        Row{"AnAbsentNumberIsZero", MergeKind::add, absent, absent, number(1), number(1)},
        Row{"AnErasedNumberBeginsAtMyDifference", MergeKind::add, number(5), absent, number(6), number(1)},
        Row{"CountingWrapsAround", MergeKind::add, number(0), number(INT64_MAX), number(1), number(INT64_MIN)},
        Row{"FractionsAddUp", MergeKind::add, real(1.5), number(2), real(2.0), real(2.5)},
        Row{"AnErasureIsNotAdded", MergeKind::add, number(5), number(6), absent, absent},
        Row{"TheirsIsGreater", MergeKind::max, number(1), number(9), number(3), number(9)},
        Row{"MineIsGreater", MergeKind::max, number(1), number(-9), number(-3), number(-3)},
        Row{"GreaterThanNothing", MergeKind::max, absent, absent, number(-3), number(-3)},
        Row{"AGreaterFraction", MergeKind::max, number(1), number(1), real(1.5), real(1.5)},
        Row{"BothAdditionsStay", MergeKind::set_union, list({1}), list({1, 2}), list({1, 3}), list({1, 2, 3})},
        Row{"MyRemovalCounts", MergeKind::set_union, list({1, 2}), list({1, 2, 3}), list({1}), list({1, 3})},
        Row{"TheirRemovalCounts", MergeKind::set_union, list({1, 2}), list({1}), list({1, 2, 3}), list({1, 3})},
        Row{"AddedTwiceIsThereOnce", MergeKind::set_union, absent, list({7}), list({7}), list({7})},
        Row{"BothAppend", MergeKind::append, list({1}), list({1, 2}), list({1, 3}), list({1, 2, 3})},
        Row{"TheNewestStayWithinTheBound", MergeKind::append, list({1, 2}), list({1, 2, 3}), list({1, 2, 4}), list({3, 4}), 2},
        Row{"MineHadDroppedTheOldest", MergeKind::append, list({1, 2, 3}), list({2, 3, 4}), list({2, 3, 5}), list({3, 4, 5}), 3},
        Row{"AppendToNothing", MergeKind::append, absent, absent, list({1}), list({1})}),
    [](const auto& row) { return std::string(row.param.what); });

TEST(MergeSlotCustom, IsGivenAllThreeAndDecidesErasuresToo) {
  SlotChange c = change("base", "", MergeKind::custom);
  c.merge.function = [](std::string_view base, std::string_view theirs, std::string_view mine) {
    return std::string(base) + "|" + std::string(theirs) + "|" + std::string(mine);
  };
  EXPECT_EQ(merge_slot(c, "theirs"), "base|theirs|");
}

TEST(MergeSlotWrongType, IsADecodeErrorAndChangesNothing) {
  Payload p;
  p.put("slot", text("no number"));
  const auto before = p;
  EXPECT_THROW(apply(p, {{change(number(1), number(2), MergeKind::add)}, {}, {}, {}}, 16), DecodeError);
  EXPECT_THROW(apply(p, {{change(absent, list({1}), MergeKind::set_union)}, {}, {}, {}}, 16), DecodeError);
  EXPECT_EQ(p, before);
}

// ## Slots of a payload

TEST(Apply, LeavesSlotsAloneThatTheRequestDidNotChange) {
  Payload p;
  p.put("theirs", text("t"));
  apply(p, {{change(absent, text("m"), MergeKind::last_writer)}, {}, {}, {}}, 16);
  ASSERT_EQ(p.slots.size(), 2u);
  EXPECT_EQ(p.find("theirs")->value, text("t"));
  EXPECT_EQ(p.find("slot")->value, text("m"));
}

TEST(Apply, ErasesASlotThatMergesToNothing) {
  Payload p;
  p.put("slot", text("t"));
  apply(p, {{change(text("t"), absent, MergeKind::last_writer)}, {}, {}, {}}, 16);
  EXPECT_TRUE(p.slots.empty());
}

TEST(Apply, TakesAnotherUserValueOnlyWhereThereIsOne) {
  Payload p;
  p.user = text("old");
  apply(p, {}, 16);
  EXPECT_EQ(p.user, text("old"));
  apply(p, {{}, {}, {}, {}, text("new")}, 16);
  EXPECT_EQ(p.user, text("new"));
}

// ## Form tokens

TokenDigest token(char c) {
  TokenDigest t{};
  t[0] = static_cast<std::byte>(c);
  return t;
}

TEST(ApplyTokens, ARemovalBeatsAUnion) {
  Payload p;
  p.tokens = {token('a'), token('b')};
  apply(p, {{}, {token('b'), token('c')}, {token('b')}, {}}, 16);
  EXPECT_EQ(p.tokens, (std::vector{token('a'), token('c')}));
}

TEST(ApplyTokens, ATokenMadeTwiceIsThereOnce) {
  Payload p;
  p.tokens = {token('a')};
  apply(p, {{}, {token('a')}, {}, {}}, 16);
  EXPECT_EQ(p.tokens, (std::vector{token('a')}));
}

TEST(ApplyTokens, TheOldestGiveWayInCommitOrder) {
  Payload p;
  p.tokens = {token('a'), token('b'), token('c')};
  apply(p, {{}, {token('d'), token('e')}, {}, {}}, 3);
  EXPECT_EQ(p.tokens, (std::vector{token('c'), token('d'), token('e')}));
}

// ## Whether a delta puts anything there

TEST(DeltaAdds, NothingWhereItOnlyTakesAway) {
  EXPECT_FALSE(Delta{}.adds());
  EXPECT_FALSE((Delta{{change(text("x"), absent, MergeKind::last_writer)}, {}, {token('a')}, {}}.adds()));
  EXPECT_FALSE((Delta{{}, {}, {token('a')}, {}}.empty()));
}

TEST(DeltaAdds, ASlotATokenOrAUser) {
  EXPECT_TRUE((Delta{{change(absent, text("x"), MergeKind::last_writer)}, {}, {}, {}}.adds()));
  EXPECT_TRUE((Delta{{}, {token('a')}, {}, {}}.adds()));
  EXPECT_TRUE((Delta{{}, {}, {}, {}, text("u")}.adds()));
}

}  // namespace
}  // namespace sancho::protocol
