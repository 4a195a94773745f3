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

// ## The shortest way to save

std::string spelt(const Op& op) {
  const auto kind = std::to_string(op.index());
  const auto* commit = std::get_if<Commit>(&op);
  if (!commit) return kind;
  return kind + " " + std::string(commit->key.bytes()) + std::to_string(commit->expected.counter) + encode_record(commit->record);
}

// What `Finish` comes to over these answers, and what it asks for.
struct Course {
  std::vector<std::string> asked;
  Outcome outcome{};
  std::optional<Record> record;
  bool cookie = false;
  std::size_t merges = 0;
};

// `short_way`: its first question is asked without it.
Course course(const Seat& seat, const Intent& wanted, const std::vector<Answer>& answers, bool short_way) {
  const Rules rules;
  test::CountingRandom random;
  Env env{.name_space = "", .rules = rules, .random = random, .now = now};
  Course course;
  Intent intent = wanted;
  std::optional<Amendment> first;
  if (short_way) {
    first = first_commit(env, seat, PayloadView(*seat.hand->record), intent);
    if (!first) return course;
    course.asked.push_back(spelt(Commit{seat.hand->key, seat.hand->record->version, first->record}));
    if (std::holds_alternative<Done>(answers.front())) {
      course.outcome = Outcome::kept;
      course.record = first->record;
      return course;
    }
  }
  Finish finish(seat, std::move(intent), std::move(first));
  Answer answer;
  for (std::size_t i = 0; const auto* op = finish.resume(env, answer); ++i) {
    if (!short_way || i > 0) course.asked.push_back(spelt(*op));
    answer = i < answers.size() ? answers[i] : throw std::out_of_range("more is asked than the script answers");
  }
  course.outcome = finish.outcome;
  if (finish.hand) course.record = finish.hand->record;
  course.cookie = finish.cookie.has_value();
  course.merges = finish.merges;
  return course;
}

Record written_by_another(Record record, Attempt attempt) {
  Payload p;
  p.attempts = {1, attempt};
  p.put("b", "\x07");
  record.version = {11, 8};
  record.payload = seal(record, p);
  return record;
}

TEST(FirstCommit, ComesToWhatFinishComesToWhateverIsAnswered) {
  test::CountingRandom random;
  const auto id = SessionId::draw(random);
  const auto record = record_of(State::live, false, EndReason::none);
  const auto seat = begun_with(id, record);
  ASSERT_TRUE(seat && seat->hand);
  Intent intent;
  intent.delta.slots.push_back({"a", {}, "\x05", {}});
  const Attempt mine = test::CountingRandom().draw_u64();
  const Answer lost = Lost{}, done = Done{}, gone = Gone{};
  const Answer theirs = Conflict{written_by_another(record, 99)}, mine_after_all = Conflict{written_by_another(record, mine)};
  const std::vector<std::vector<Answer>> scripts = {
      {done}, {gone}, {theirs, done}, {theirs, gone}, {theirs, theirs, done}, {mine_after_all},
      {lost, done}, {lost, gone}, {lost, theirs, done}, {lost, mine_after_all}, {lost, lost, done},
      {Conflict{record_of(State::ended, false, EndReason::logout)}}, {Conflict{record_of(State::ended, false, EndReason::empty)}, done}};
  for (std::size_t i = 0; i < scripts.size(); ++i) {
    SCOPED_TRACE(i);
    const auto by_finish = course(*seat, intent, scripts[i], false), by_short_way = course(*seat, intent, scripts[i], true);
    EXPECT_EQ(by_short_way.asked, by_finish.asked) << i;
    EXPECT_EQ(by_short_way.outcome, by_finish.outcome) << i;
    EXPECT_EQ(by_short_way.record, by_finish.record) << i;
    EXPECT_EQ(by_short_way.cookie, by_finish.cookie) << i;
    EXPECT_EQ(by_short_way.merges, by_finish.merges) << i;
  }
}

TEST(FirstCommit, IsOnlyForOneThatWritesSlots) {
  test::CountingRandom random;
  const auto seat = begun_with(SessionId::draw(random), record_of(State::live, false, EndReason::none));
  const auto is_short = [&](auto change) {
    Intent intent;
    intent.delta.slots.push_back({"a", {}, "\x05", {}});
    change(intent);
    return !course(*seat, intent, {Done{}}, true).asked.empty();
  };
  EXPECT_TRUE(is_short([](Intent&) {}));
  EXPECT_TRUE(is_short([](Intent& i) { i.touch = true; }));
  EXPECT_FALSE(is_short([](Intent& i) { i.rotate = true; }));
  EXPECT_FALSE(is_short([](Intent& i) { i.has_info = false; }));
  EXPECT_FALSE(is_short([](Intent& i) { i.replace = EndReason::login; }));
  EXPECT_FALSE(is_short([](Intent& i) { i.delta = {}; }));
  EXPECT_FALSE(is_short([](Intent& i) { i.delta.tokens_made.emplace_back(); }));
}

}  // namespace
}  // namespace sancho::protocol
