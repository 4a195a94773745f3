// The contract, clause by clause, on two servers that share the keys.
#include "sancho/conformance.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <random>

#include "sancho/open_store.hpp"
#include "support/skip.hpp"

namespace sancho {
namespace {

const char* servers() { return std::getenv("SANCHO_TEST_MEMCACHED"); }

// A namespace that nobody has used. It needs no removal: the servers end with
// the test, and what is left in them expires.
std::string fresh_name_space() {
  std::random_device chance;
  std::string name = "c";
  for (int i = 0; i < 4; ++i) name += std::to_string(chance());
  return name.substr(0, 32);
}

const int registered = servers() == nullptr ? 0 : conformance::register_store("Memcached", [] {
  const auto uri = std::string(servers()) + "?namespace=" + fresh_name_space();
  return conformance::Venue{.open = [uri](const Clock& clock) { return open_store(uri, clock); }};
});

TEST(MemcachedConformance, HasServersToRunOn) {
  if (registered == 0)
    SANCHO_SKIP("SANCHO_TEST_MEMCACHED names no servers: run it by tests/servers/with_server.py memcached");
  EXPECT_EQ(static_cast<std::size_t>(registered), conformance::facts().size());
}

}  // namespace
}  // namespace sancho
