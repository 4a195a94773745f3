// Whether it keeps the contract: one test for each clause, `OwnStore.CreateNeverOverwrites`
// and so on. A clause that it does not claim is skipped.
#include "own_store.hpp"

#include <gtest/gtest.h>

#include "sancho/conformance.hpp"
#include "sancho/stores/memory.hpp"

SANCHO_STORE_CONFORMANCE(OwnStore, [] {
  return sancho::conformance::Venue{
      .open = [](const sancho::Clock& clock) { return std::make_unique<OwnStore>(sancho::open_memory_store(clock)); }};
});

// What it adds, it is asked for like anything else.
TEST(OwnStoreCounts, EveryLoad) {
  OwnStore store(sancho::open_memory_store());
  const auto key = sancho::SessionKey::of("example", sancho::SessionId::draw(sancho::system_random()));
  const auto soon = sancho::Deadline::after(std::chrono::seconds{5});
  EXPECT_FALSE(store.load(key, soon));
  EXPECT_FALSE(store.load(key, soon));
  EXPECT_EQ(store.loads(), 2U);
}
