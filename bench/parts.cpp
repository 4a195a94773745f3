// # sancho_bench_parts
//
// What a read on `memory:` with a thousand sessions is made of: its parts each by
// itself, and the whole of it, of requests in an order that no processor can guess.
// The caches have all of it, so this is what the instructions take. And what a login
// takes for the operating system's randomness, which is drawn in batches.
#include <benchmark/benchmark.h>

#include <array>
#include <mutex>
#include <random>
#include <shared_mutex>
#include <unordered_map>
#include <vector>

#include "protocol/payload.hpp"
#include "sancho/cookie.hpp"
#include "sancho/manager.hpp"
#include "sancho/stores/memory.hpp"

namespace sancho::bench {
namespace {

constexpr std::size_t sessions_there = 1'000;

Policy steady() {
  Policy policy;
  // No touch and no renewal falls due.
  policy.access_time_resolution = policy.limits.idle / 2;
  policy.renewal.reset();
  return policy;
}

struct Scene {
  Scene() {
    for (std::size_t i = 0; i < sessions_there; ++i) {
      auto scope = sessions.start_request({});
      scope->set_user("user" + std::to_string(i));
      scope->set("cart", std::string(60, 'x'));
      const auto lines = scope.finish();
      const auto& value = lines.front().value;
      cookies.push_back(value.substr(0, value.find(';')));
      ids.push_back(*SessionId::parse(cookies.back().substr(cookies.back().find('=') + 1)));
      keys.push_back(SessionKey::of({}, ids.back()));
      users["key" + cookies.back()] = "user" + std::to_string(i);
      names.push_back("key" + cookies.back());
    }
    std::minstd_rand chance;
    for (auto& i : order) i = chance() % sessions_there;
  }
  std::size_t next() { return order[at++ % order.size()]; }

  std::shared_ptr<SessionStore> store = open_memory_store();
  SessionManager<> sessions{store, steady()};
  std::vector<std::string> cookies, names;
  std::vector<SessionId> ids;
  std::vector<SessionKey> keys;
  std::shared_mutex mutex;
  std::unordered_map<std::string, std::string> users;
  std::vector<std::size_t> order = std::vector<std::size_t>(1 << 14);
  std::size_t at = 0;
};

Scene& scene() {
  static Scene s;
  return s;
}

template <class Part>
void part(benchmark::State& state, Part part) {
  auto& s = scene();
  for (auto _ : state) part(s);
}

void visit(Scene& s, std::string_view cookie) {
  Request request;
  if (!cookie.empty()) request.cookies = {&cookie, 1};
  auto scope = s.sessions.start_request(request);
  auto user = scope->get_user();
  benchmark::DoNotOptimize(user);
  auto lines = scope.finish();
  benchmark::DoNotOptimize(lines);
}

void id(Scene& s) {
  const std::string_view cookie = s.cookies[s.next()];
  const auto found = find_cookie(cookie, cookie.substr(0, cookie.find('=')));
  auto parsed = SessionId::parse(found.value);
  benchmark::DoNotOptimize(parsed);
}

void key(Scene& s) {
  auto made = SessionKey::of({}, s.ids[s.next()]);
  benchmark::DoNotOptimize(made);
}

void load(Scene& s) {
  static Record record;
  auto found = s.store->load_into(s.keys[s.next()], record, Deadline(Deadline::Steady::time_point::max()));
  benchmark::DoNotOptimize(found);
}

void payload(Scene& s) {
  static const auto record = s.store->load(s.keys.front(), Deadline(Deadline::Steady::time_point::max()));
  protocol::PayloadView view(*record);
  benchmark::DoNotOptimize(view);
}

// What a login draws: an id, a handle, a secret against forged requests, and the number of its attempt.
void chance(Scene&) {
  std::array<std::byte, 32> id, secret;
  std::array<std::byte, 12> handle;
  auto& random = system_random();
  random.fill(id), random.fill(handle), random.fill(secret);
  auto attempt = random.draw_u64();
  benchmark::DoNotOptimize(id), benchmark::DoNotOptimize(handle), benchmark::DoNotOptimize(secret), benchmark::DoNotOptimize(attempt);
}

void table(Scene& s) {
  std::string user;
  {
    const std::shared_lock lock(s.mutex);
    if (const auto found = s.users.find(s.names[s.next()]); found != s.users.end()) user = found->second;
  }
  benchmark::DoNotOptimize(user);
}

const struct {
  const char* name;
  void (*run)(Scene&);
} parts[] = {{"id", id}, {"key", key}, {"load", load}, {"payload", payload}, {"scope", [](Scene& s) { visit(s, {}); }},
             {"read", [](Scene& s) { visit(s, s.cookies[s.next()]); }}, {"table", table}, {"chance", chance}};

}  // namespace
}  // namespace sancho::bench

int main(int argc, char** argv) {
  using namespace sancho::bench;
  scene();
  for (const auto& [name, run] : parts)
    benchmark::RegisterBenchmark(name, [run = run](benchmark::State& state) { part(state, run); });
  benchmark::Initialize(&argc, argv);
  benchmark::RunSpecifiedBenchmarks();
}
