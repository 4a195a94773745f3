// # sancho_bench_opening SCHEME SESSIONS TURNS
//
// How long it takes to open a store with nothing in it and one with so many
// sessions, in turn: a JSON line for each turn, in microseconds. `SCHEME` is one of
// `sqlite`, `lmdb` and `dir`. All is in the page cache and, where there is one, on
// a file system in memory: what is compared is what a store does, and not the disk.
#include <cstdio>
#include <filesystem>
#include <stdexcept>

#include "sancho/open_store.hpp"

namespace sancho::bench {
namespace {

namespace fs = std::filesystem;

struct Temporary {
  Temporary() {
    auto pattern = ((fs::exists("/dev/shm") ? fs::path("/dev/shm") : fs::temp_directory_path()) / "sancho-opening-XXXXXX").string();
    if (!mkdtemp(pattern.data())) throw std::runtime_error("no temporary directory");
    path = pattern;
  }
  ~Temporary() {
    std::error_code ignored;
    fs::remove_all(path, ignored);
  }
  fs::path path;
};

std::string uri(const std::string& scheme, const fs::path& place) {
  fs::create_directories(place);
  return scheme + ":" + (place / "sessions").string() + (scheme == "lmdb" ? "?map_size=8589934592&sync=normal" : "");
}

void fill(const std::string& uri, std::size_t sessions) {
  const auto store = open_store(uri);
  const auto now = system_clock().now();
  const auto deadline = Deadline::after(std::chrono::hours(1));
  for (std::size_t i = 0; i < sessions; ++i) {
    const Record record{.version = {i + 1, 1},
                        .created = now,
                        .accessed = now,
                        .idle = std::chrono::hours(1),
                        .ends = now + std::chrono::hours(1),
                        .payload = std::string(200, 'x')};
    if (!std::holds_alternative<Done>(store->create(SessionKey::of("", SessionId::draw(system_random())), record, deadline)))
      throw std::runtime_error("a session could not be made");
  }
}

double microseconds_to_open(const std::string& uri) {
  const auto begin = std::chrono::steady_clock::now();
  const auto store = open_store(uri);
  return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - begin).count();
}

void measure(const std::string& scheme, std::size_t sessions, int turns) {
  const Temporary place;
  const auto empty = uri(scheme, place.path / "empty"), full = uri(scheme, place.path / "full");
  fill(empty, 0), fill(full, sessions);
  microseconds_to_open(empty), microseconds_to_open(full);
  for (int i = 0; i < turns; ++i) {
    const auto none = microseconds_to_open(empty), all = microseconds_to_open(full);
    std::printf("{\"empty\": %.1f, \"full\": %.1f}\n", none, all);
  }
}

}  // namespace
}  // namespace sancho::bench

int main(int argc, char** argv) try {
  if (argc != 4) throw std::runtime_error("sancho_bench_opening SCHEME SESSIONS TURNS");
  sancho::bench::measure(argv[1], std::stoul(argv[2]), std::stoi(argv[3]));
} catch (const std::exception& e) {
  std::fprintf(stderr, "%s\n", e.what());
  return 2;
}
