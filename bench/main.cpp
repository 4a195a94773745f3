// # sancho_bench
//
// `sancho_bench WORLD [Google Benchmark's options]` registers, for one store with
// one number of sessions, what is read by `bench/run`: `read`, `write` and
// `log_in`, by 1 and 2 threads, `ours` and the `floor`; on `memory` also `read_apart`,
// of which none begins before the last has ended, and `log_in_in_place`, where as many
// sessions end meanwhile. On what is no memory also `load`, the store's part of a read.
// Without a world it lists them.
// `sancho_bench costs` counts what a request asks of store and heap.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <random>

#include "contender.hpp"

namespace sancho::bench {

int costs();

namespace {

namespace fs = std::filesystem;

struct World {
  const char* name;
  std::size_t sessions;
  std::function<std::unique_ptr<Contender>(const Setting&)> ours, floor;
  // On `memory:` only.
  std::function<std::unique_ptr<Contender>(const Setting&)> turning_over = {};
};

const World worlds[] = {
#define SANCHO_BENCH_TWICE(name, ours, floor)                                                   \
  {name "/1e3", 1'000, [](const Setting& s) { return ours; }, [](const Setting& s) { return floor; }}, \
  {name "/1e4", 10'000, [](const Setting& s) { return ours; }, [](const Setting& s) { return floor; }}, \
  {name "/1e5", 100'000, [](const Setting& s) { return ours; }, [](const Setting& s) { return floor; }}
#define SANCHO_BENCH_MEMORY(exponent, sessions)                                                     \
  {"memory/1e" #exponent, sessions, [](const Setting& s) { return sancho_on("memory", "", "", s); }, \
   [](const Setting& s) { return map_floor(s); }, sancho_turning_over}
    SANCHO_BENCH_MEMORY(3, 1'000),
    SANCHO_BENCH_MEMORY(4, 10'000),
    SANCHO_BENCH_MEMORY(5, 100'000),
    SANCHO_BENCH_MEMORY(6, 1'000'000),
    SANCHO_BENCH_MEMORY(7, 10'000'000),
#undef SANCHO_BENCH_MEMORY
    SANCHO_BENCH_TWICE("sqlite-normal", sancho_on("sqlite", "s.db", "?synchronous=normal", s), sqlite_floor(s, false)),
    SANCHO_BENCH_TWICE("sqlite-full", sancho_on("sqlite", "s.db", "", s), sqlite_floor(s, true)),
#ifdef SANCHO_HAVE_LMDB
    SANCHO_BENCH_TWICE("lmdb-normal", sancho_on("lmdb", "s", "?sync=normal&map_size=4294967296", s), lmdb_floor(s, false)),
    SANCHO_BENCH_TWICE("lmdb-full", sancho_on("lmdb", "s", "?map_size=4294967296", s), lmdb_floor(s, true)),
#endif
#undef SANCHO_BENCH_TWICE
    {"dir/1e4", 10'000, [](const Setting& s) { return sancho_on("dir", "sessions", "", s); }, [](const Setting& s) { return files_floor(s); }},
};

// A directory that goes with the program.
struct Temporary {
  explicit Temporary(const fs::path& parent) {
    auto pattern = (parent / "sancho-bench-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary directory under " + parent.string());
    path = pattern;
  }
  ~Temporary() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  std::string fresh() {
    const auto inner = path / std::to_string(count++);
    fs::create_directory(inner);
    return inner.string();
  }
  fs::path path;
  int count = 0;
};

// With more there is no room for stores that grow beside those that are visited: nobody
// logs in.
constexpr std::size_t most_with_growth = 1'000'000;

// Logging in has places of its own: one that it makes grow, and one of which as many are lost.
struct Side {
  std::unique_ptr<Contender> visited, grown, turned_over;
  std::size_t come = 0;  // since those who are lost next
};

// What comes to one thread, in this order, and then from the beginning.
std::vector<Visit> visits(const Contender& to, unsigned thread, std::size_t sessions, bool loads) {
  constexpr std::size_t most = 1 << 17;  // with what they open more than any cache holds
  std::minstd_rand chance(thread + 1);
  std::vector<Visit> all(std::min(sessions, most));
  for (auto& visit : all) {
    visit.session = (std::size_t{chance()} << 8 ^ chance()) % sessions;
    visit.brought = loads ? to.brings_to_load(visit.session) : to.brings(visit.session);
  }
  return all;
}

// Nothing behind this begins before all that is before it has ended.
inline void stop() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_lfence();
#elif defined(__aarch64__)
  __asm__ __volatile__("dsb sy\n\tisb" : : : "memory");
#endif
}

// As it is when everybody who was there in the beginning has left.
std::unique_ptr<Contender> turned_over(std::unique_ptr<Contender> contender, std::size_t sessions) {
  const auto part = a_part(sessions);
  for (std::size_t come = 0; come < sessions;) {
    contender->log_in(0);
    if (++come % part == 0) contender->lose_a_part();
  }
  return contender;
}

void request(benchmark::State& state, Side& side, const std::string& what, std::size_t sessions) {
  const auto thread = static_cast<unsigned>(state.thread_index());
  if (what == "log_in") {
    for (auto _ : state) side.grown->log_in(thread);
    return;
  }
  if (what == "log_in_in_place") {
    for (auto _ : state) {
      side.turned_over->log_in(thread);
      if (++side.come < a_part(sessions)) continue;
      state.PauseTiming();
      side.come = 0;
      side.turned_over->lose_a_part();
      state.ResumeTiming();
    }
    return;
  }
  const bool writes = what == "write", loads = what == "load", apart = what == "read_apart";
  const auto all = visits(*side.visited, thread, sessions, loads);
  std::size_t at = 0;
  for (auto _ : state) {
    if (apart) stop();
    if (writes) side.visited->write(thread, all[at]);
    else if (loads) side.visited->load(thread, all[at]);
    else side.visited->read(thread, all[at]);
    if (++at == all.size()) at = 0;
  }
}

int measure(const World& world, int argc, char** argv) {
  Temporary disk(fs::temp_directory_path()), nursery(fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path());
  const auto setting = [&] { return Setting{world.sessions, disk.fresh(), nursery.fresh()}; };
  const bool all = world.sessions <= most_with_growth, memory = bool(world.turning_over);
  const auto side_of = [&](const auto& make, const auto& turning_over) {
    return Side{make(setting()), all ? make(setting()) : nullptr, all && memory ? turned_over(turning_over(setting()), world.sessions) : nullptr};
  };
  Side ours = side_of(world.ours, world.turning_over), floor = side_of(world.floor, world.floor);
  const std::initializer_list<std::pair<const char*, Side*>> sides{{"/ours", &ours}, {"/floor", &floor}};
  const auto most = [&](const std::string& what) {
    if (what == "log_in") return all ? most_threads : 0;
    if (what == "log_in_in_place") return all && memory ? 1u : 0u;
    if (what == "load") return memory ? 0u : 1u;
    return what != "read_apart" ? most_threads : memory ? 1u : 0u;
  };
  for (const std::string what : {"load", "read", "read_apart", "write", "log_in", "log_in_in_place"})
    for (unsigned threads = 1; threads <= most(what); ++threads)
      for (const auto& [name, side] : sides) {
        auto* const one = benchmark::RegisterBenchmark((std::string(world.name) + "/" + what + name).c_str(),
                                                       [what, side = side, n = world.sessions](benchmark::State& state) { request(state, *side, what, n); });
        one->Threads(static_cast<int>(threads))->UseRealTime();
        if (what == "log_in_in_place") one->MinTime(0.3);  // of a large store some parts
      }
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}

}  // namespace
}  // namespace sancho::bench

int main(int argc, char** argv) {
  using namespace sancho::bench;
  if (argc > 1 && std::strcmp(argv[1], "costs") == 0) return costs();
  for (const auto& world : worlds) {
    if (argc < 2) std::puts(world.name);
    else if (std::strcmp(argv[1], world.name) == 0) return measure(world, argc - 1, argv + 1);
  }
  return argc < 2 ? 0 : 2;
}
