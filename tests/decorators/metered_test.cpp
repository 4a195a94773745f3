// What a meter counts.
#include "sancho/decorators/metered.hpp"

#include <algorithm>
#include <numeric>
#include <sstream>
#include <thread>
#include <vector>

#include "sancho/decorators/faulty.hpp"
#include "support.hpp"

namespace sancho::test {
namespace {

class MeteredTest : public testing::Test {
 protected:
  ManualSteadyClock clock;
  FaultyOptions slow{.delay = [this](StoreVerb, Deadline) { clock.advance(took); }};
  std::chrono::nanoseconds took{};
  std::shared_ptr<Faulty> faulty = with_faults(open_memory_store(), slow);
  std::unique_ptr<Metered> store = with_meter(faulty, clock);
};

TEST_F(MeteredTest, CountsEachVerbByWhatCameOfIt) {
  const auto key = key_of("a");
  store->load(key, soon());
  store->create(key, record_of(), soon());
  store->create(key, record_of(), soon());
  store->load(key, soon());
  store->commit(key, {1, 1}, record_of(), soon());
  store->commit(key, {7, 1}, record_of("p", 2), soon());
  store->commit(key_of("b"), {7, 1}, record_of(), soon());
  store->touch(key, 7, system_clock().now(), soon());
  store->touch(key, 8, system_clock().now(), soon());
  store->erase(key, Version{1, 1}, soon());
  store->erase(key, std::nullopt, soon());
  store->erase(key, std::nullopt, soon());
  store->scan()->count(soon());
  const auto seen = store->snapshot();
  using enum StoreVerb;
  using enum CallOutcome;
  const std::pair<StoreVerb, CallOutcome> once[] = {
      {load, absent},    {load, done},    {create, done}, {create, taken}, {commit, conflict},
      {commit, done},    {commit, gone},  {touch, done},  {touch, gone},   {erase, done},
      {erase, conflict}, {erase, absent}, {count, done}};
  for (const auto& [verb, outcome] : once)
    EXPECT_EQ(seen.calls(verb, outcome), 1u) << to_string(verb) << ' ' << to_string(outcome);
  std::uint64_t all = 0;
  for (const auto& verb : seen.verbs) all += std::accumulate(verb.calls.begin(), verb.calls.end(), std::uint64_t{0});
  EXPECT_EQ(all, std::size(once));
  EXPECT_EQ(seen.store, "memory:");
}

TEST_F(MeteredTest, CountsTroubleByItsKind) {
  for (const auto kind : {Trouble::unavailable, Trouble::corrupt, Trouble::full, Trouble::refused, Trouble::contention,
                          Trouble::in_doubt}) {
    faulty->heal();
    faulty->plan({.what = Fault::What::fail_before, .kind = kind});
    EXPECT_EQ(trouble([&] { store->load(key_of("a"), soon()); }), kind);
  }
  const auto seen = store->snapshot();
  using enum CallOutcome;
  for (const auto outcome :
       {trouble_unavailable, trouble_corrupt, trouble_full, trouble_refused, trouble_contention, trouble_in_doubt})
    EXPECT_EQ(seen.calls(StoreVerb::load, outcome), 1u) << to_string(outcome);
}

TEST_F(MeteredTest, MeasuresHowLongACallTookInItsBucket) {
  faulty->plan({.what = Fault::What::delay});
  for (const auto t : {1us, 2us, 4us, 5us, 20'000'000us}) {
    took = t;
    store->load(key_of("a"), soon());
  }
  const auto load = store->snapshot().of(StoreVerb::load);
  EXPECT_EQ(load.latency.buckets[0], 1u);
  EXPECT_EQ(load.latency.buckets[1], 2u);
  EXPECT_EQ(load.latency.buckets[2], 1u);
  EXPECT_EQ(load.latency.buckets.back(), 1u);
  EXPECT_EQ(load.latency.sum, 20'000'012'000u);
  EXPECT_EQ(load.nanoseconds[static_cast<std::size_t>(CallOutcome::absent)], 20'000'012'000u);
}

TEST_F(MeteredTest, KnowsTheSizesOfPayloadsReadAndWritten) {
  store->create(key_of("a"), record_of(std::string(64, 'x')), soon());
  store->commit(key_of("a"), {7, 1}, record_of(std::string(65, 'x'), 2), soon());
  store->load(key_of("a"), soon());
  store->load(key_of("b"), soon());
  const auto seen = store->snapshot();
  EXPECT_EQ(seen.payload_written.buckets[0], 1u);
  EXPECT_EQ(seen.payload_written.buckets[1], 1u);
  EXPECT_EQ(seen.payload_written.sum, 129u);
  EXPECT_EQ(seen.payload_read.count(), 1u);
  EXPECT_EQ(seen.payload_read.sum, 65u);
}

TEST_F(MeteredTest, SeesWhatIsInFlight) {
  std::uint64_t during = 0;
  FaultyOptions look;
  look.delay = [&](StoreVerb, Deadline) { during = store->snapshot().in_flight; };
  const std::shared_ptr<Faulty> inner = with_faults(open_memory_store(), look);
  inner->plan({.what = Fault::What::delay});
  store = with_meter(inner);
  store->load(key_of("a"), soon());
  EXPECT_EQ(during, 1u);
  EXPECT_EQ(store->snapshot().in_flight, 0u);
}

TEST_F(MeteredTest, MissesNoCallOfManyThreads) {
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 8; ++t)
      threads.emplace_back([&] {
        for (int i = 0; i < 1000; ++i) store->load(key_of("a"), soon());
      });
  }
  EXPECT_EQ(store->snapshot().calls(StoreVerb::load, CallOutcome::absent), 8000u);
  EXPECT_EQ(store->snapshot().of(StoreVerb::load).latency.count(), 8000u);
}

// ## Prometheus

TEST_F(MeteredTest, ThePrometheusTextHasEachFamilyOnceAndBucketsThatAddUp) {
  store->create(key_of("a"), record_of(), soon());
  store->load(key_of("a"), soon());
  auto first = store->snapshot(), second = first;
  second.store = "odd \"name\"\\\n";
  const std::vector both{first, second};
  const auto text = prometheus_text(both);
  std::istringstream lines(text);
  std::vector<std::string> typed;
  for (std::string line; std::getline(lines, line);) {
    ASSERT_FALSE(line.empty());
    if (line.starts_with("# TYPE "))
      typed.push_back(line.substr(7, line.find(' ', 7) - 7));
    else if (line[0] != '#') {
      // A sample belongs to the family whose type came last.
      ASSERT_FALSE(typed.empty());
      EXPECT_TRUE(line.starts_with(typed.back())) << line;
      EXPECT_NE(line.find("store=\""), std::string::npos) << line;
    }
  }
  EXPECT_EQ(typed.size(), 5u);
  std::sort(typed.begin(), typed.end());
  EXPECT_EQ(std::unique(typed.begin(), typed.end()), typed.end());
  for (const auto* line :
       {"sancho_store_calls_total{store=\"memory:\",verb=\"create\",outcome=\"done\"} 1\n",
        "sancho_store_calls_total{store=\"odd \\\"name\\\"\\\\\\n\",verb=\"load\",outcome=\"done\"} 1\n",
        "sancho_store_call_duration_seconds_bucket{store=\"memory:\",verb=\"load\",le=\"1e-06\"} 1\n",
        "sancho_store_call_duration_seconds_bucket{store=\"memory:\",verb=\"load\",le=\"+Inf\"} 1\n",
        "sancho_store_call_duration_seconds_count{store=\"memory:\",verb=\"load\"} 1\n",
        "sancho_store_payload_bytes_bucket{store=\"memory:\",direction=\"read\",le=\"64\"} 1\n",
        "sancho_store_payload_bytes_sum{store=\"memory:\",direction=\"written\"} 7\n",
        "sancho_store_calls_in_flight{store=\"memory:\"} 0\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST_F(MeteredTest, APrometheusBucketCountsAllThatIsBelowItsBound) {
  faulty->plan({.what = Fault::What::delay});
  for (const auto t : {1us, 3us, 10us, 10'000'000us}) {
    took = t;
    store->load(key_of("a"), soon());
  }
  const auto text = prometheus_text(store->snapshot());
  for (const auto* tail :
       {"le=\"1e-06\"} 1\n", "le=\"4e-06\"} 2\n", "le=\"1.6e-05\"} 3\n", "le=\"4.194304\"} 3\n", "le=\"+Inf\"} 4\n"})
    EXPECT_NE(text.find(std::string("{store=\"memory:\",verb=\"load\",") + tail), std::string::npos) << tail << text;
}

}  // namespace
}  // namespace sancho::test
