// Faults, as they were planned.
#include "sancho/decorators/faulty.hpp"

#include <vector>

#include "support.hpp"

namespace sancho::test {
namespace {

using What = Fault::What;

class FaultyTest : public testing::Test {
 protected:
  void create(const char* name) { store->create(key_of(name), record_of(), soon()); }
  bool is_there(const char* name) { return memory->load(key_of(name), soon()).has_value(); }

  std::shared_ptr<SessionStore> memory = open_memory_store();
  std::unique_ptr<Faulty> store = with_faults(memory);
};

TEST_F(FaultyTest, TheNthCallFailsBeforeItDoesAnything) {
  store->plan({.what = What::fail_before, .at = 2});
  create("a");
  bool maybe_done = true;
  EXPECT_EQ(trouble([&] { create("b"); }, &maybe_done), Trouble::unavailable);
  EXPECT_FALSE(maybe_done);
  create("c");
  EXPECT_TRUE(is_there("a") && !is_there("b") && is_there("c"));
  EXPECT_EQ(store->injected(), 1u);
  EXPECT_EQ(store->calls(), 3u);
}

TEST_F(FaultyTest, ADroppedAnswerIsOfSomethingThatWasDone) {
  store->plan({.what = What::drop_answer, .verb = StoreVerb::create, .at = 1});
  bool maybe_done = false;
  EXPECT_EQ(trouble([&] { create("a"); }, &maybe_done), Trouble::unavailable);
  EXPECT_TRUE(maybe_done);
  EXPECT_TRUE(is_there("a"));
}

TEST_F(FaultyTest, AVerbIsCountedByItself) {
  store->plan({.what = What::fail_before, .verb = StoreVerb::load, .at = 2, .times = 2, .kind = Trouble::full});
  std::vector<std::optional<Trouble>> seen;
  for (int i = 0; i < 5; ++i) {
    create("a");
    seen.push_back(trouble([&] { store->load(key_of("a"), soon()); }));
  }
  EXPECT_EQ(seen, (std::vector<std::optional<Trouble>>{{}, Trouble::full, Trouble::full, {}, {}}));
  EXPECT_EQ(store->calls(StoreVerb::load), 5u);
  EXPECT_EQ(store->calls(StoreVerb::create), 5u);
  EXPECT_EQ(store->calls(StoreVerb::touch), 0u);
}

TEST_F(FaultyTest, ACorruptAnswerDiffersByOneBitAndTheRecordStays) {
  create("a");
  store->plan({.what = What::corrupt_answer});
  const auto good = memory->load(key_of("a"), soon());
  const auto bad = store->load(key_of("a"), soon());
  ASSERT_TRUE(bad);
  EXPECT_NE(bad->payload, good->payload);
  EXPECT_EQ(bad->payload.size(), good->payload.size());
  EXPECT_EQ(std::get<Taken>(store->create(key_of("a"), record_of(), soon())).current.payload, bad->payload);
  EXPECT_EQ(std::get<Conflict>(store->commit(key_of("a"), {1, 1}, record_of(), soon())).current.payload, bad->payload);
  EXPECT_EQ(memory->load(key_of("a"), soon()), good);
}

TEST_F(FaultyTest, ADelayIsTheTests) {
  std::vector<StoreVerb> delayed;
  FaultyOptions options;
  options.delay = [&](StoreVerb verb, Deadline) { delayed.push_back(verb); };
  store = with_faults(memory, options);
  store->plan({.what = What::delay, .at = 2});
  create("a");
  store->load(key_of("a"), soon());
  store->load(key_of("a"), soon());
  EXPECT_EQ(delayed, std::vector{StoreVerb::load});
}

TEST_F(FaultyTest, TheSameSeedGivesTheSameFaultsAndAboutAsManyAsAskedFor) {
  const auto faults = [&](std::uint64_t seed) {
    const auto fresh = with_faults(memory, {.seed = seed});
    fresh->plan({.what = What::fail_before, .probability = 0.25});
    std::vector<bool> failed;
    for (int i = 0; i < 4000; ++i) failed.push_back(trouble([&] { fresh->load(key_of("a"), soon()); }).has_value());
    return failed;
  };
  const auto one = faults(1);
  EXPECT_EQ(one, faults(1));
  EXPECT_NE(one, faults(2));
  const auto many = std::count(one.begin(), one.end(), true);
  EXPECT_GT(many, 800);
  EXPECT_LT(many, 1200);
}

TEST_F(FaultyTest, HealedItForgetsEverything) {
  store->plan({.what = What::fail_before});
  EXPECT_TRUE(trouble([&] { create("a"); }));
  store->heal();
  create("a");
  EXPECT_EQ(store->calls(), 1u);
  EXPECT_EQ(store->injected(), 0u);
}

TEST_F(FaultyTest, ThePowersFailAsWell) {
  store->plan({.what = What::fail_before});
  EXPECT_TRUE(trouble([&] { store->scan()->count(soon()); }));
  EXPECT_TRUE(trouble([&] { store->scan()->walk([](const KeyedRecord&) { return true; }, soon()); }));
  EXPECT_TRUE(trouble([&] { store->subjects()->find_by_subject("ada", soon()); }));
  EXPECT_TRUE(trouble([&] { store->sweep({}, soon()); }));
  EXPECT_TRUE(trouble([&] { store->setup(); }));
}

}  // namespace
}  // namespace sancho::test
