// Where a command goes: played without a server.
#include "stores/redis/route.hpp"

#include <gtest/gtest.h>

namespace sancho::redis {
namespace {

using Send = Route::Send;
using Learn = Route::Learn;
using Pause = Route::Pause;
using Finished = Route::Finished;
using Failed = Route::Failed;

constexpr Slot slot = 100;
const Endpoint a{"a", 1}, b{"b", 2}, c{"c", 3};

Reply error(const std::string& text) { return {.kind = Reply::Kind::error, .text = text}; }
Reply status() { return {.kind = Reply::Kind::status, .text = "OK"}; }
Reply text(const std::string& t) { return {.kind = Reply::Kind::text, .text = t}; }
Reply number(std::int64_t n) { return {.kind = Reply::Kind::number, .number = n}; }
Reply list(std::vector<Reply> items) { return {.kind = Reply::Kind::list, .items = std::move(items)}; }

Reply slots_of(const Endpoint& master) {
  return list({list({number(0), number(16383), list({text(master.host), number(master.port), text("id")})})});
}

Topology cluster_at(const Endpoint& master) {
  Topology t(Deployment::cluster, {a, b, c});
  EXPECT_TRUE(t.learn_slots(slots_of(master), a));
  return t;
}

template <class T>
T expect(const Route::Step& step) {
  EXPECT_TRUE(std::holds_alternative<T>(step)) << "it is step " << step.index();
  if (const auto* found = std::get_if<T>(&step)) return *found;
  return T{};
}

TEST(RedisRoute, GoesToTheOwnerOfTheSlot) {
  auto t = cluster_at(b);
  Route route(slot, true, false);
  EXPECT_EQ(expect<Send>(route.next(t)).to, b);
  route.answered(status(), t);
  EXPECT_EQ(expect<Finished>(route.next(t)).reply, status());
}

TEST(RedisRoute, LearnsFirstWhereItKnowsNothing) {
  Topology t(Deployment::cluster, {a});
  Route route(slot, true, false);
  expect<Learn>(route.next(t));
  ASSERT_TRUE(t.learn_slots(slots_of(c), a));
  EXPECT_EQ(expect<Send>(route.next(t)).to, c);
}

TEST(RedisRoute, WaitsForASlotThatNobodyHas) {
  Topology t(Deployment::cluster, {a});
  ASSERT_TRUE(t.learn_slots(list({list({number(0), number(99), list({text("b"), number(2)})})}), a));
  Route route(slot, true, false);
  for (int times = 0; times < 3; ++times) {
    expect<Learn>(route.next(t));
    expect<Pause>(route.next(t));
  }
  EXPECT_NE(route.timed_out().why.find("no master has the key's slot"), std::string::npos);
}

TEST(RedisRoute, MovedIsFollowedAndRemembered) {
  auto t = cluster_at(b);
  Route route(slot, true, false);
  expect<Send>(route.next(t));
  route.answered(error("MOVED 100 c:3"), t);
  const auto send = expect<Send>(route.next(t));
  EXPECT_EQ(send.to, c);
  EXPECT_FALSE(send.asking);
  EXPECT_EQ(t.owner(slot), c);
  EXPECT_EQ(t.owner(slot + 1), b);
}

TEST(RedisRoute, MovedWithoutAHostMeansTheSame) {
  auto t = cluster_at(b);
  Route route(slot, true, false);
  expect<Send>(route.next(t));
  route.answered(error("MOVED 100 :7"), t);
  EXPECT_EQ(expect<Send>(route.next(t)).to, (Endpoint{"b", 7}));
}

TEST(RedisRoute, AskIsFollowedAndNotRemembered) {
  auto t = cluster_at(b);
  Route route(slot, true, false);
  expect<Send>(route.next(t));
  route.answered(error("ASK 100 c:3"), t);
  const auto send = expect<Send>(route.next(t));
  EXPECT_EQ(send.to, c);
  EXPECT_TRUE(send.asking);
  EXPECT_EQ(t.owner(slot), b);
}

TEST(RedisRoute, AfterTryagainItBeginsAtTheOwnerAgain) {
  auto t = cluster_at(b);
  Route route(slot, true, false);
  expect<Send>(route.next(t));
  route.answered(error("ASK 100 c:3"), t);
  expect<Send>(route.next(t));
  route.answered(error("TRYAGAIN Multiple keys request during rehashing of slot"), t);
  expect<Pause>(route.next(t));
  EXPECT_EQ(expect<Send>(route.next(t)).to, b);
}

TEST(RedisRoute, RedirectionsInACircleCometoRest) {
  auto t = cluster_at(a);
  Route route(slot, true, false);
  int pauses = 0;
  for (int times = 0; times < 50 && pauses == 0; ++times) {
    const auto step = route.next(t);
    if (const auto* send = std::get_if<Send>(&step))
      route.answered(error(send->to == b ? "MOVED 100 c:3" : "MOVED 100 b:2"), t);
    pauses += std::holds_alternative<Pause>(step);
  }
  EXPECT_EQ(pauses, 1);
  expect<Learn>(route.next(t));
}

TEST(RedisRoute, AnUnknownScriptIsSentAsText) {
  auto t = cluster_at(b);
  Route route(slot, true, false);
  EXPECT_FALSE(expect<Send>(route.next(t)).by_text);
  route.answered(error("NOSCRIPT No matching script. Please use EVAL."), t);
  const auto send = expect<Send>(route.next(t));
  EXPECT_TRUE(send.by_text);
  EXPECT_EQ(send.to, b);
}

TEST(RedisRoute, WhatPassesIsWaitedForLongerAndLonger) {
  for (const auto* word : {"TRYAGAIN x", "LOADING Redis is loading the dataset in memory", "BUSY Redis is busy",
                           "NOREPLICAS Not enough"}) {
    Topology t(Deployment::server, {a});
    Route route(slot, true, false);
    Duration before{0};
    for (int times = 0; times < 5; ++times) {
      expect<Send>(route.next(t));
      route.answered(error(word), t);
      const auto length = expect<Pause>(route.next(t)).length;
      EXPECT_GT(length, before);
      before = length;
    }
    const auto failed = route.timed_out();
    EXPECT_FALSE(failed.maybe_done);
    EXPECT_NE(failed.why.find(std::string(word).substr(0, 4)), std::string::npos);
  }
}

TEST(RedisRoute, ADemotedMasterOrADownClusterIsLearntAnew) {
  for (const auto* word : {"READONLY You can't write against a read only replica.", "CLUSTERDOWN The cluster is down",
                           "MASTERDOWN Link"}) {
    auto t = cluster_at(b);
    Route route(slot, true, false);
    expect<Send>(route.next(t));
    route.answered(error(word), t);
    expect<Pause>(route.next(t));
    expect<Learn>(route.next(t));
  }
}

TEST(RedisRoute, ASingleReplicaIsToldAtOnce) {
  Topology t(Deployment::server, {a});
  Route route(slot, true, false);
  expect<Send>(route.next(t));
  route.answered(error("READONLY You can't write against a read only replica."), t);
  const auto failed = expect<Failed>(route.next(t));
  EXPECT_EQ(failed.kind, Trouble::unavailable);
  EXPECT_FALSE(failed.maybe_done);
}

TEST(RedisRoute, TroubleHasItsKind) {
  const struct {
    const char* error;
    Trouble kind;
  } rows[] = {
      {"OOM command not allowed when used memory > 'maxmemory'.", Trouble::full},
      {"MISCONF Errors writing to the AOF file: No space left on device", Trouble::full},
      {"MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
       Trouble::unavailable},
      {"NOAUTH Authentication required.", Trouble::refused},
      {"WRONGPASS invalid username-password pair or user is disabled.", Trouble::refused},
      {"NOPERM this user has no permissions to run the 'set' command", Trouble::refused},
      {"WRONGTYPE Operation against a key holding the wrong kind of value", Trouble::corrupt},
      {"ERR unknown command 'EVALSHA', with args beginning with: 'abc' '1' 'key'", Trouble::refused},
      {"ERR max number of clients reached", Trouble::unavailable},
      {"MOVED nonsense", Trouble::unavailable},
  };
  for (const auto& row : rows) {
    auto t = cluster_at(b);
    Route route(slot, true, false);
    expect<Send>(route.next(t));
    route.answered(error(row.error), t);
    const auto failed = expect<Failed>(route.next(t));
    EXPECT_EQ(failed.kind, row.kind) << row.error;
    EXPECT_FALSE(failed.maybe_done) << row.error;
    EXPECT_EQ(failed.why.find("key'"), std::string::npos) << "a message shows arguments";
  }
}

TEST(RedisRoute, AWriteWhoseAnswerIsLostIsInDoubtAndNotRepeated) {
  for (const auto kind : {Deployment::server, Deployment::cluster}) {
    auto t = kind == Deployment::cluster ? cluster_at(a) : Topology(kind, {a});
    Route route(slot, true, false);
    expect<Send>(route.next(t));
    route.broke("gone", true, true, false, t);
    EXPECT_TRUE(expect<Failed>(route.next(t)).maybe_done);
  }
}

TEST(RedisRoute, WhatDidNotGoOutIsSentAgain) {
  Topology t(Deployment::server, {a});
  Route route(slot, true, false);
  expect<Send>(route.next(t));
  route.broke("gone", false, true, false, t);
  expect<Send>(route.next(t));
  route.answered(status(), t);
  expect<Finished>(route.next(t));
}

TEST(RedisRoute, ANewConnectionToASingleServerThatBreaksIsTrouble) {
  Topology t(Deployment::server, {a});
  Route route(slot, false, true);
  expect<Send>(route.next(t));
  route.broke("gone", true, false, false, t);
  EXPECT_FALSE(expect<Failed>(route.next(t)).maybe_done);
}

TEST(RedisRoute, ARepeatedWriteStaysInDoubtWhateverComes) {
  Topology t(Deployment::server, {a});
  Route route(slot, true, true);
  expect<Send>(route.next(t));
  route.broke("gone", true, true, false, t);
  expect<Send>(route.next(t));
  route.not_connected("refused", false, t);
  EXPECT_TRUE(expect<Failed>(route.next(t)).maybe_done);
  EXPECT_TRUE(route.timed_out().maybe_done);
}

TEST(RedisRoute, ANodeOfManyThatIsAwayIsLearntAround) {
  auto t = cluster_at(b);
  Route route(slot, true, false);
  expect<Send>(route.next(t));
  route.not_connected("refused", false, t);
  expect<Pause>(route.next(t));
  expect<Learn>(route.next(t));
  ASSERT_TRUE(t.learn_slots(slots_of(c), a));
  EXPECT_EQ(expect<Send>(route.next(t)).to, c);
}

TEST(RedisRoute, WantOfTimeDoesNotHideTheReason) {
  auto t = cluster_at(b);
  Route route(slot, true, false);
  expect<Send>(route.next(t));
  route.answered(error("CLUSTERDOWN Hash slot not served"), t);
  expect<Pause>(route.next(t));
  expect<Learn>(route.next(t));
  route.not_learnt("no answer came in time", true);
  EXPECT_NE(route.timed_out().why.find("CLUSTERDOWN"), std::string::npos);
}

TEST(RedisTopology, ANodeThatDoesNotKnowItsAddressIsTheOneAsked) {
  Topology t(Deployment::cluster, {a});
  ASSERT_TRUE(t.learn_slots(list({list({number(0), number(16383), list({text(""), number(9), text("id")})})}), a));
  EXPECT_EQ(t.owner(1), (Endpoint{"a", 9}));
}

TEST(RedisTopology, NonsenseIsNotLearnt) {
  Topology t(Deployment::cluster, {a});
  EXPECT_FALSE(t.learn_slots(list({}), a));
  EXPECT_FALSE(t.learn_slots(status(), a));
  EXPECT_FALSE(t.learn_slots(list({list({number(0), number(99999), list({text("b"), number(2)})})}), a));
  EXPECT_FALSE(t.learn_slots(list({list({number(-1), number(5), list({text("b"), number(2)})})}), a));
  EXPECT_FALSE(t.owner(1));
}

TEST(RedisTopology, SlotsOnTheMoveAreNotAtRest) {
  const auto rest = slots_at_rest(
      text("07c37df 127.0.0.1:30004@31004 slave e7d1eec 0 1426238317239 4 connected\n"
           "e7d1eec 127.0.0.1:30001@31001 myself,master - 0 0 1 connected 0-5 7 [5->-292f8b3] [93-<-67ed38d]\n"
           "292f8b3 127.0.0.1:30003@31003 master - 0 1426238318243 3 connected 10923-16383\n"));
  for (const std::size_t own : {0u, 4u, 7u}) EXPECT_TRUE(rest[own]) << own;
  for (const std::size_t other : {5u, 6u, 8u, 93u, 10923u}) EXPECT_FALSE(rest[other]) << other;
}

TEST(RedisTopology, ASentinelNamesTheMasterOrNobody) {
  EXPECT_EQ(master_in(list({text("10.0.0.1"), text("6380")})), (Endpoint{"10.0.0.1", 6380}));
  EXPECT_FALSE(master_in(Reply{}));
  EXPECT_FALSE(master_in(list({text("10.0.0.1"), text("many")})));
}

}  // namespace
}  // namespace sancho::redis
