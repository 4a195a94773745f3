// A decorator keeps the contract, clause by clause, and so does a pile of them.
#include <gtest/gtest.h>

#include "sancho/conformance.hpp"
#include "sancho/decorators/breaker.hpp"
#include "sancho/decorators/faulty.hpp"
#include "sancho/decorators/metered.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho {
namespace {

template <class Wrap>
conformance::Factory around_memory(Wrap wrap) {
  return [wrap] {
    return conformance::Venue{
        .open = [wrap](const Clock& clock) -> std::unique_ptr<SessionStore> { return wrap(open_memory_store(clock)); }};
  };
}

using Store = std::unique_ptr<SessionStore>;

SANCHO_STORE_CONFORMANCE(Breaker, around_memory([](Store store) { return with_breaker(std::move(store)); }));
SANCHO_STORE_CONFORMANCE(Metered, around_memory([](Store store) { return with_meter(std::move(store)); }));
SANCHO_STORE_CONFORMANCE(Faulty, around_memory([](Store store) { return with_faults(std::move(store)); }));
SANCHO_STORE_CONFORMANCE(Pile, around_memory([](Store store) {
                           return with_meter(with_breaker(with_faults(std::move(store)), {.max_calls = 2}));
                         }));

}  // namespace
}  // namespace sancho
