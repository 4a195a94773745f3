// A blocking store on an executor's threads keeps the contract, as a coroutine
// store that is waited for; and so does the way there and back.
#include <gtest/gtest.h>

#include <boost/asio/thread_pool.hpp>

#include "sancho/async/blocking.hpp"
#include "sancho/async/on_executor.hpp"
#include "sancho/conformance.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho {
namespace {

SANCHO_STORE_CONFORMANCE(OnExecutor, [] {
  return conformance::Venue{.open = [](const Clock& clock) {
    static boost::asio::thread_pool loop(1), threads(2);
    return blocking(on_executor(open_memory_store(clock), threads.get_executor()), loop.get_executor());
  }};
});

}  // namespace
}  // namespace sancho
