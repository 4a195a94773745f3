// # The shortest way in
//
// A manager that has looked up what an id leads to goes in without `Begin` where
// `opens_at_once` says so. It must be where `Begin` would have come out.
#include <gtest/gtest.h>

#include "../support/counting_random.hpp"
#include "protocol/request.hpp"

namespace sancho::protocol {
namespace {

constexpr Time now{std::chrono::hours{400000}};

Record record_of(State state, bool predecessor, EndReason why) {
  Record r;
  r.version = {11, 7};
  r.state = state;
  r.created = r.accessed = r.ends = now;
  r.subject = "alice";
  r.handle = *Handle::parse("AAAABBBBCCCCDDDD");
  Payload p;
  p.attempts = {1, 2};
  p.issued = now;
  p.why = why;
  if (predecessor) p.predecessor = *SessionKey::from_bytes(std::string(32, 'p'));
  r.payload = seal(r, p);
  return r;
}

// What `Begin` comes to when it is told of this record and of nothing else;
// nothing: it asked for more.
std::optional<Seat> begun_with(const SessionId& id, const Record& record) {
  const Rules rules;
  test::CountingRandom random;
  Env env{.name_space = "", .rules = rules, .random = random, .now = now};
  Begin begin{id};
  Answer answer;
  const auto* op = begin.resume(env, answer);
  EXPECT_TRUE(op && std::holds_alternative<Load>(*op));
  answer = Found{record};
  if (begin.resume(env, answer)) return std::nullopt;
  EXPECT_FALSE(begin.replayed);
  return begin.seat;
}

TEST(OpensAtOnce, IsTrueExactlyWhereBeginAsksForNothingMoreAndHasASession) {
  test::CountingRandom random;
  const auto id = SessionId::draw(random);
  int at_once = 0;
  for (const auto state : {State::pending, State::live, State::ended, State::note})
    for (const bool predecessor : {false, true})
      for (const auto why : {EndReason::none, EndReason::logout, EndReason::empty}) {
        const auto record = record_of(state, predecessor, why);
        const auto seat = begun_with(id, record);
        const bool opens = opens_at_once(record, PayloadView(record));
        ASSERT_EQ(opens, seat && seat->hand) << to_string(state) << " " << predecessor;
        if (!opens) continue;
        ++at_once;
        EXPECT_EQ(seat->saw, Saw::session);
        EXPECT_TRUE(seat->alone);
        EXPECT_FALSE(seat->overtaken);
        EXPECT_TRUE(seat->presented && seat->presented->same_as(id));
        EXPECT_TRUE(seat->hand->id.same_as(id));
        EXPECT_EQ(seat->hand->key, SessionKey::of("", id));
        EXPECT_EQ(*seat->hand->record, record);
      }
  EXPECT_GT(at_once, 0);
}

// Its likes for a request's end: with nothing to do, `Finish` asks for nothing and
// comes out where it went in.
TEST(OpensAtOnce, AnIdleRequestFinishesWhereItBegan) {
  test::CountingRandom random;
  const auto id = SessionId::draw(random);
  const auto record = record_of(State::live, false, EndReason::none);
  const auto seat = begun_with(id, record);
  ASSERT_TRUE(seat && seat->hand);
  const Rules rules;
  Env env{.name_space = "", .rules = rules, .random = random, .now = now};
  Finish finish(*seat, Intent{});
  Answer answer;
  EXPECT_EQ(finish.resume(env, answer), nullptr);
  EXPECT_EQ(finish.outcome, Outcome::ok);
  EXPECT_FALSE(finish.cookie);
  EXPECT_FALSE(finish.delete_cookie || finish.created || finish.rotated || finish.touched || finish.merges);
  ASSERT_TRUE(finish.hand && finish.hand->record);
  EXPECT_EQ(*finish.hand->record, record);
  EXPECT_TRUE(finish.hand->id.same_as(id));
}

}  // namespace
}  // namespace sancho::protocol
