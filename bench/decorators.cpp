// What a breaker and a meter add to one call of the memory store, where a call
// is cheapest: `sancho_bench_decorators`, alone and on two threads.
#include <benchmark/benchmark.h>

#include "sancho/decorators/breaker.hpp"
#include "sancho/decorators/metered.hpp"
#include "sancho/stores/memory.hpp"

namespace {

using namespace sancho;

std::unique_ptr<SessionStore> bare() { return open_memory_store(); }
std::unique_ptr<SessionStore> metered() { return with_meter(open_memory_store()); }
std::unique_ptr<SessionStore> broken() { return with_breaker(open_memory_store()); }
std::unique_ptr<SessionStore> both() { return with_meter(with_breaker(open_memory_store())); }

void load(benchmark::State& state, std::unique_ptr<SessionStore> (*open)()) {
  static std::unique_ptr<SessionStore> store;
  static std::vector<SessionKey> keys;
  if (state.thread_index() == 0) {
    store = open();
    keys.clear();
    const auto now = system_clock().now();
    for (int i = 0; i < 1000; ++i) {
      keys.push_back(SessionKey::of("", SessionId::draw(system_random())));
      store->create(keys.back(),
                    {.version = {1, 1},
                     .created = now,
                     .accessed = now,
                     .idle = std::chrono::hours(1),
                     .ends = now + std::chrono::hours(1),
                     .payload = std::string(600, 'x')},
                    Deadline::after(std::chrono::hours(1)));
    }
  }
  const auto deadline = Deadline::after(std::chrono::hours(1));
  std::size_t i = 0;
  for (auto _ : state) benchmark::DoNotOptimize(store->load(keys[i++ % keys.size()], deadline));
}

#define LOAD(kind) BENCHMARK_CAPTURE(load, kind, kind)->ThreadRange(1, 2)->UseRealTime()
LOAD(bare);
LOAD(metered);
LOAD(broken);
LOAD(both);

}  // namespace

BENCHMARK_MAIN();
