// # sancho_hot_paths PATH
//
// A thousand requests of one kind (`read`, `write`, `log_in`, `stranger`) over a
// thousand sessions in `memory:`, for callgrind, which counts between the entry of
// `hot_requests` and its end:
//
//     valgrind --tool=callgrind --toggle-collect=hot_requests sancho_hot_paths read
//
// `bench/guards.py` runs it and holds the counts against what they were.
#include <cstdio>
#include <cstring>

#include "sancho/stores/memory.hpp"
#include "visits.hpp"

namespace sancho::bench {
namespace {

constexpr std::size_t requests = 1000;

const char* const paths[] = {"read", "write", "log_in", "stranger"};

struct Hot {
  Visits visits{[](const Clock& clock) -> std::shared_ptr<SessionStore> { return open_memory_store(clock); }};
  std::vector<std::string> cookies, users;
};

void request(Hot& hot, const char* path, std::size_t i) {
  if (std::strcmp(path, "read") == 0) hot.visits.read(hot.cookies[i]);
  else if (std::strcmp(path, "write") == 0) hot.visits.write(hot.cookies[i]);
  else if (std::strcmp(path, "log_in") == 0) hot.visits.log_in(hot.users[i]);
  else hot.visits.stranger();
}

}  // namespace
}  // namespace sancho::bench

// By its plain name callgrind finds it.
extern "C" [[gnu::noinline]] void hot_requests(sancho::bench::Hot& hot, const char* path) {
  for (std::size_t i = 0; i < sancho::bench::requests; ++i) sancho::bench::request(hot, path, i);
}

int main(int argc, char** argv) {
  using namespace sancho::bench;
  const char* path = nullptr;
  for (const char* known : paths)
    if (argc == 2 && std::strcmp(argv[1], known) == 0) path = known;
  if (!path) {
    for (const char* known : paths) std::puts(known);
    return argc == 1 ? 0 : 2;
  }
  Hot hot;
  for (std::size_t i = 0; i < requests; ++i) {
    hot.users.push_back("user" + std::to_string(i));
    hot.cookies.push_back(hot.visits.log_in(hot.users.back()));
  }
  // What is made once, on first use, is no part of a request.
  for (std::size_t i = 0; i < requests; i += 100) request(hot, path, i);
  hot_requests(hot, path);
}
