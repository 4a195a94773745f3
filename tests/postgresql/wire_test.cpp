// What goes over the wire, and what happens when it is cut.
#include "wire.hpp"

#include "fixture.hpp"

namespace sancho::postgresql_test {
namespace {

class PostgresqlWireTest : public PostgresqlTest {
 protected:
  void SetUp() override {
    PostgresqlTest::SetUp();
    if (IsSkipped()) return;
    wire = std::make_unique<Wire>(port_of(server()));
    store = open_under_test(over(*wire, place->uri()));
  }
  int round_trips(const std::function<void()>& act) {
    const int before = wire->round_trips();
    act();
    return wire->round_trips() - before;
  }
  std::unique_ptr<Wire> wire;
  std::unique_ptr<SessionStore> store;
};

TEST_F(PostgresqlWireTest, EveryVerbIsOneRoundTripFromItsFirstUseOn) {
  auto record = record_of_now();
  record.subject = "ada";
  auto next = record;
  ++next.version.counter;
  const Admission admission{.seen = {}, .cap = 3};
  for (int times = 0; times < 2; ++times) {
    const int prepared = wire->prepares();
    EXPECT_EQ(
        round_trips([&] { EXPECT_TRUE(std::holds_alternative<Done>(store->create(key_of("a"), record, soon()))); }), 1);
    EXPECT_EQ(
        round_trips([&] { EXPECT_TRUE(std::holds_alternative<Taken>(store->create(key_of("a"), record, soon()))); }),
        1);
    EXPECT_EQ(round_trips([&] { EXPECT_TRUE(store->load(key_of("a"), soon())); }), 1);
    EXPECT_EQ(round_trips([&] {
                EXPECT_TRUE(std::holds_alternative<Done>(store->touch(key_of("a"), 7, record.accessed + 1s, soon())));
              }),
              1);
    EXPECT_EQ(round_trips([&] {
                EXPECT_TRUE(std::holds_alternative<Done>(store->commit(key_of("a"), record.version, next, soon())));
              }),
              1);
    EXPECT_EQ(round_trips([&] {
                EXPECT_TRUE(std::holds_alternative<Conflict>(store->commit(key_of("a"), record.version, next, soon())));
              }),
              1);
    EXPECT_EQ(round_trips([&] { store->epochs()->epochs("ada", soon()); }), 1);
    EXPECT_EQ(round_trips([&] {
                EXPECT_TRUE(std::holds_alternative<Done>(store->create(key_of("b"), record, soon(), &admission)));
              }),
              1);
    EXPECT_EQ(round_trips([&] { EXPECT_EQ(store->subjects()->find_by_subject("ada", soon()).size(), 2u); }), 1);
    EXPECT_EQ(round_trips([&] { store->epochs()->set_epoch("eve", 5, record.ends, soon()); }), 1);
    EXPECT_EQ(round_trips([&] { EXPECT_TRUE(std::holds_alternative<Removed>(store->erase(key_of("a"), {}, soon()))); }),
              1);
    EXPECT_EQ(round_trips([&] {
                EXPECT_TRUE(std::holds_alternative<Removed>(store->erase(key_of("b"), record.version, soon())));
              }),
              1);
    EXPECT_EQ(round_trips([&] { EXPECT_FALSE(store->sweep({}, soon()).more); }), 1);
    EXPECT_EQ(round_trips([&] { EXPECT_EQ(store->scan()->count(soon()), 0u); }), 1);
    if (times > 0) {
      EXPECT_EQ(wire->prepares(), prepared) << "statements are prepared once";
    }
  }
  EXPECT_EQ(wire->connections(), 1);
}

TEST_F(PostgresqlWireTest, AWriteWhoseAnswerIsLostMayHaveBeenDone) {
  auto record = record_of_now();
  const auto direct = open();
  wire->lose_answers(true);
  bool maybe_done = false;
  EXPECT_EQ(trouble_of([&] { store->create(key_of("a"), record, soon()); }, nullptr, &maybe_done),
            Trouble::unavailable);
  EXPECT_TRUE(maybe_done);
  for (const auto until = soon(); !direct->load(key_of("a"), soon()) && !until.passed();) {
  }
  EXPECT_EQ(direct->load(key_of("a"), soon()), record);
  wire->lose_answers(false);
  EXPECT_EQ(store->load(key_of("a"), soon()), record) << "and the store goes on";
}

TEST_F(PostgresqlWireTest, AReadWhoseAnswerIsLostIsAskedAgain) {
  const auto record = record_of_now();
  put(*store, key_of("a"), record);
  wire->lose_questions(true);
  bool maybe_done = true;
  EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), soon()); }, nullptr, &maybe_done), Trouble::unavailable);
  EXPECT_FALSE(maybe_done);
  EXPECT_EQ(wire->connections(), 2) << "another connection was tried, once";
  wire->lose_questions(false);
  EXPECT_EQ(store->load(key_of("a"), soon()), record);
}

TEST_F(PostgresqlWireTest, ASilentNetworkHoldsNobodyBeyondTheDeadline) {
  put(*store, key_of("a"), record_of_now());
  wire->hold(true);
  for (int i = 0; i < 3; ++i) {
    const auto begin = Deadline::Steady::now();
    bool maybe_done = i == 0;
    EXPECT_EQ(trouble_of([&] { store->load(key_of("a"), Deadline::after(200ms)); }, nullptr, &maybe_done),
              Trouble::unavailable);
    EXPECT_FALSE(maybe_done);
    EXPECT_LT(Deadline::Steady::now() - begin, 2s);
  }
  bool maybe_done = true;
  EXPECT_EQ(trouble_of([&] { store->touch(key_of("a"), 7, system_clock().now() + 1s, Deadline::after(200ms)); },
                       nullptr, &maybe_done),
            Trouble::unavailable);
  EXPECT_FALSE(maybe_done) << "it had no connection to ask on";
  wire->hold(false);
  EXPECT_TRUE(store->load(key_of("a"), soon()));
}

TEST_F(PostgresqlWireTest, ASilentHostLeavesTimeForTheNext) {
  wire->hold(true);
  const auto at = place->uri().find('@') + 1;
  const auto both =
      place->uri().substr(0, at) + "127.0.0.1:" + std::to_string(wire->port()) + "," + place->uri().substr(at);
  const auto other = open_under_test(both, {.open_timeout = 4s});
  const auto begin = Deadline::Steady::now();
  put(*other, key_of("b"), record_of_now());
  EXPECT_LT(Deadline::Steady::now() - begin, 2s) << "who was good is asked first";
}

}  // namespace
}  // namespace sancho::postgresql_test
