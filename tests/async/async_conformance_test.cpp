// A blocking store keeps the contract as a coroutine store that is waited for, on
// an executor's threads or where it is asked; and so does the way there and back.
#include <gtest/gtest.h>

#include <boost/asio/thread_pool.hpp>

#include "sancho/async/blocking.hpp"
#include "sancho/async/on_executor.hpp"
#include "sancho/conformance.hpp"
#include "waiting_store.hpp"

namespace sancho {
namespace {

std::unique_ptr<SessionStore> there_and_back(std::shared_ptr<SessionStore> store) {
  static boost::asio::thread_pool loop(1), threads(2);
  return blocking(on_executor(std::move(store), threads.get_executor()), loop.get_executor());
}

SANCHO_STORE_CONFORMANCE(OnExecutor, [] {
  return conformance::Venue{.open = [](const Clock& clock) {
    return there_and_back(std::make_shared<test::WaitingStore>(clock));
  }};
});

SANCHO_STORE_CONFORMANCE(OnExecutorInPlace, [] {
  return conformance::Venue{.open = [](const Clock& clock) { return there_and_back(open_memory_store(clock)); }};
});

}  // namespace
}  // namespace sancho
