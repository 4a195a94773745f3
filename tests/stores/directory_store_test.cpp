#include "sancho/stores/directory.hpp"

#include <gtest/gtest.h>

#include "fresh_directory.hpp"
#include "sancho/conformance.hpp"

namespace sancho {
namespace {

SANCHO_STORE_CONFORMANCE(Directory, [] {
  return conformance::Venue{.open = [place = FreshDirectory()](const Clock& clock) { return open_directory_store(place / "sessions", clock); }};
});

}  // namespace
}  // namespace sancho
