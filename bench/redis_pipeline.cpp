// # sancho_bench_redis URI
//
// Sixteen coroutines on one thread over the asynchronous store on Redis, beside
// sixteen commands that are pipelined by hand with hiredis: what a load, a commit
// and a whole request that reads cost more than the engine asked by hand. Both take
// turns in one run; the figures are medians.
//
//     tests/servers/with_server.py --fast redis -- sh -c 'build/release/bench/sancho_bench_redis $SANCHO_TEST_REDIS'
#include <hiredis/hiredis.h>
#include <sys/resource.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <vector>

#include "sancho/async/manager.hpp"
#include "sancho/async/redis.hpp"
#include "stores/redis/calls.hpp"
#include "stores/redis/uri_options.hpp"

namespace sancho::bench {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

constexpr int concurrent = 16;
constexpr std::size_t sessions_there = 1000;
constexpr int calls_a_turn = 16 * 250;
constexpr int turns = 41;

Deadline in_time() { return Deadline::after(std::chrono::seconds{60}); }

Record record_of_now(std::size_t i) {
  const auto now = system_clock().now();
  return {.version = {i + 1, 1},
          .created = now,
          .accessed = now,
          .idle = std::chrono::hours(1),
          .ends = now + std::chrono::hours(1),
          .payload = std::string(200, 'x')};
}

// ## Ours

class Ours {
 public:
  Ours(asio::io_context& loop, const RedisOptions& options) : loop_(loop) {
    run([this, options]() -> awaitable<void> { store_ = co_await open_async_redis_store(options); });
    Policy policy;
    policy.access_time_resolution = policy.limits.idle / 2;  // no touch and no renewal falls due
    policy.renewal.reset();
    sessions_ = std::make_unique<AsyncSessionManager<>>(store_, policy);
    run([this]() -> awaitable<void> {
      for (std::size_t i = 0; i < sessions_there; ++i) {
        keys_.push_back(SessionKey::of("", SessionId::draw(system_random())));
        records_.push_back(record_of_now(i));
        co_await store_->create(keys_.back(), records_.back(), in_time());
        auto scope = co_await sessions_->start_request({});
        const std::string user = "user" + std::to_string(i);
        scope->set_user(user);
        const auto lines = co_await scope.finish();
        cookies_.push_back(lines.front().value.substr(0, lines.front().value.find(';')));
      }
    });
  }

  void load() { all(&Ours::load_some); }
  void commit() { all(&Ours::commit_some); }
  void request() { all(&Ours::read_some); }

 private:
  void run(const std::function<awaitable<void>()>& what) {
    asio::co_spawn(loop_, what(), [](std::exception_ptr trouble) {
      if (trouble) std::rethrow_exception(trouble);
    });
    loop_.restart();
    loop_.run();
  }
  // So many coroutines at once, each for its share of the sessions.
  void all(awaitable<void> (Ours::*what)(std::size_t)) {
    for (std::size_t i = 0; i < concurrent; ++i) asio::co_spawn(loop_, (this->*what)(i), asio::detached);
    loop_.restart();
    loop_.run();
  }
  static std::size_t next(std::size_t i) { return (i + concurrent) % (sessions_there / concurrent * concurrent); }

  awaitable<void> load_some(std::size_t i) {
    for (int n = 0; n < calls_a_turn / concurrent; ++n, i = next(i)) {
      const auto found = co_await store_->load(keys_[i], in_time());
      if (!found) throw std::runtime_error("a session is gone");
    }
  }
  awaitable<void> commit_some(std::size_t i) {
    for (int n = 0; n < calls_a_turn / concurrent; ++n, i = next(i)) {
      auto& record = records_[i];
      const auto seen = record.version;
      ++record.version.counter;
      const auto answer = co_await store_->commit(keys_[i], seen, record, in_time());
      if (!std::holds_alternative<Done>(answer)) throw std::runtime_error("a commit was not done");
    }
  }
  awaitable<void> read_some(std::size_t i) {
    for (int n = 0; n < calls_a_turn / concurrent; ++n, i = next(i)) {
      const std::string_view line = cookies_[i];
      Request request;
      request.cookies = {&line, 1};
      auto scope = co_await sessions_->start_request(request);
      if (!scope->get_user()) throw std::runtime_error("a session is gone");
      (void)co_await scope.finish();
    }
  }

  asio::io_context& loop_;
  std::shared_ptr<AsyncSessionStore> store_;
  std::unique_ptr<AsyncSessionManager<>> sessions_;
  std::vector<SessionKey> keys_;
  std::vector<Record> records_;
  std::vector<std::string> cookies_;
};

// ## The floor
//
// The same commands: so the server has the same to do. Replies are looked at for
// errors, and not taken apart.

class Floor {
 public:
  explicit Floor(const RedisOptions& o)
      : context_(redisConnect(o.addresses.at(0).host.c_str(), o.addresses.at(0).port)),
        calls_("the floor", o.name_space + "f", Duration::zero()) {
    if (!context_ || context_->err != 0) throw std::runtime_error("the floor cannot connect");
    if (o.password) {
      redisAppendCommand(context_, "AUTH %s %s", o.user.empty() ? "default" : o.user.c_str(), o.password->c_str());
      take();
    }
    for (std::size_t i = 0; i < sessions_there; ++i) {
      keys_.push_back(SessionKey::of("", SessionId::draw(system_random())));
      records_.push_back(record_of_now(i));
      send(command(calls_.create(keys_[i], records_[i], nullptr, nullptr, {}), true));
      take();
    }
  }
  ~Floor() { redisFree(context_); }
  Floor(const Floor&) = delete;
  Floor& operator=(const Floor&) = delete;

  void load() {
    for (int n = 0; n < calls_a_turn; n += concurrent) {
      for (int i = 0; i < concurrent; ++i) send(command(calls_.load(calls_.keys().record(keys_[at(n + i)])), false));
      for (int i = 0; i < concurrent; ++i) sum_ += take().size();
    }
  }
  void commit() {
    for (int n = 0; n < calls_a_turn; n += concurrent) {
      for (int i = 0; i < concurrent; ++i) {
        auto& record = records_[at(n + i)];
        const auto seen = record.version;
        ++record.version.counter;
        send(command(calls_.commit(keys_[at(n + i)], seen, record, nullptr), false));
      }
      for (int i = 0; i < concurrent; ++i) sum_ += take().size();
    }
  }

 private:
  // Its words, by a list of them, as hiredis takes it.
  static redis::Command command(const redis::Call& call, bool by_text) {
    if (!call.script) return call.words;
    redis::Command words{by_text ? "EVAL" : "EVALSHA", by_text ? call.script->text : call.script->sha,
                         std::to_string(call.keys)};
    words.insert(words.end(), call.words.begin(), call.words.end());
    return words;
  }
  static std::size_t at(int n) { return static_cast<std::size_t>(n) % sessions_there; }
  void send(const redis::Command& command) {
    std::vector<const char*> words;
    std::vector<std::size_t> sizes;
    for (const auto& word : command) words.push_back(word.data()), sizes.push_back(word.size());
    redisAppendCommandArgv(context_, static_cast<int>(words.size()), words.data(), sizes.data());
  }
  std::string take() {
    void* raw = nullptr;
    if (redisGetReply(context_, &raw) != REDIS_OK) throw std::runtime_error("the floor's connection broke");
    auto* reply = static_cast<redisReply*>(raw);
    std::string text = reply->type == REDIS_REPLY_STRING ? std::string(reply->str, reply->len) : std::string();
    const bool bad = reply->type == REDIS_REPLY_ERROR;
    freeReplyObject(reply);
    if (bad) throw std::runtime_error("the floor was answered with an error");
    return text;
  }

  redisContext* context_;
  redis::Calls calls_;
  std::vector<SessionKey> keys_;
  std::vector<Record> records_;
  std::size_t sum_ = 0;
};

struct Cost {
  double time = 0, cpu = 0;  // microseconds a call
};

double cpu_now() {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto micros = [](const timeval& t) {
    return 1e6 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec);
  };
  return micros(used.ru_utime) + micros(used.ru_stime);
}

Cost measure(const std::function<void()>& turn) {
  const auto cpu = cpu_now();
  const auto begin = std::chrono::steady_clock::now();
  turn();
  const std::chrono::duration<double, std::micro> took = std::chrono::steady_clock::now() - begin;
  return {took.count() / calls_a_turn, (cpu_now() - cpu) / calls_a_turn};
}

double median(std::vector<double> all) {
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(all.size() / 2), all.end());
  return all[all.size() / 2];
}

void compare(const char* what, const std::function<void()>& ours, const std::function<void()>& floor) {
  std::vector<double> our_time, our_cpu, floor_time, floor_cpu, ratio;
  ours(), floor();
  for (int i = 0; i < turns; ++i) {
    const auto a = measure(ours), b = measure(floor);
    our_time.push_back(a.time), our_cpu.push_back(a.cpu), floor_time.push_back(b.time), floor_cpu.push_back(b.cpu);
    ratio.push_back(b.time / a.time);
  }
  std::printf("%-8s  ours %6.2f us (CPU %5.2f)   by hand %6.2f us (CPU %5.2f)   throughput, ours to by hand: %.2f\n",
              what, median(our_time), median(our_cpu), median(floor_time), median(floor_cpu), median(ratio));
}

}  // namespace

void measure_all(const std::string& uri) {
  auto options = redis::options_of(StoreUri::parse(uri));
  options.name_space = "bench" + std::to_string(system_random().draw_u64() % 1000000);
  asio::io_context loop(1);
  Ours ours(loop, options);
  Floor floor(options);
  compare(
      "load", [&] { ours.load(); }, [&] { floor.load(); });
  compare(
      "commit", [&] { ours.commit(); }, [&] { floor.commit(); });
  compare(
      "request", [&] { ours.request(); }, [&] { floor.load(); });
}

}  // namespace sancho::bench

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fputs("sancho_bench_redis URI\n", stderr);
    return 2;
  }
  try {
    sancho::bench::measure_all(argv[1]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
