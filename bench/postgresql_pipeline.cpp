// # sancho_bench_postgresql URI
//
// Sixteen coroutines on one thread over the asynchronous store on PostgreSQL,
// beside sixteen statements that are pipelined by hand with libpq: what a load, a
// commit and a whole request that reads cost more than the engine asked by hand.
// Both have one connection and ask the same prepared statements of the same rows,
// each with a mark of its own behind it. Both take turns in one run; the figures
// are medians.
//
//     tests/servers/with_server.py --fast postgresql -- sh -c 'build/release/bench/sancho_bench_postgresql
//     $SANCHO_TEST_POSTGRESQL_UNIX'
#include <poll.h>
#include <sys/resource.h>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <stdexcept>
#include <vector>

#include "sancho/async/manager.hpp"
#include "sancho/async/postgresql.hpp"
#include "stores/postgresql/pipeline.hpp"
#include "stores/postgresql/row.hpp"

namespace sancho::bench {
namespace {

namespace asio = boost::asio;
using asio::awaitable;

constexpr int concurrent = 16;
constexpr std::size_t sessions_there = 992;  // sixteen times sixty-two
constexpr int calls_a_turn = concurrent * 125;
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
  Ours(asio::io_context& loop, const std::string& uri, const PostgresqlOptions& options) : loop_(loop) {
    run([this, uri, options]() -> awaitable<void> { store_ = co_await open_async_postgresql_store(uri, options); });
    Policy policy;
    policy.access_time_resolution = policy.limits.idle / 2;  // no touch and no renewal falls due
    policy.renewal.reset();
    sessions_ = std::make_unique<AsyncSessionManager<>>(store_, policy);
    run([this]() -> awaitable<void> {
      for (std::size_t i = 0; i < sessions_there; ++i) {
        keys_.push_back(SessionKey::of("", SessionId::draw(system_random())));
        records_.push_back(record_of_now(i));
        co_await store_->create(keys_.back(), records_.back(), in_time());
        const Request nobody;
        auto scope = co_await sessions_->start_request(nobody);
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
  static void fail(std::exception_ptr trouble) {
    if (trouble) std::rethrow_exception(trouble);
  }
  void run(const std::function<awaitable<void>()>& what) {
    asio::co_spawn(loop_, what(), fail);
    loop_.restart();
    loop_.run();
  }
  // So many coroutines at once, each for its share of the sessions.
  void all(awaitable<void> (Ours::*what)(std::size_t)) {
    for (std::size_t i = 0; i < concurrent; ++i) asio::co_spawn(loop_, (this->*what)(i), fail);
    loop_.restart();
    loop_.run();
  }
  static std::size_t next(std::size_t i) { return (i + concurrent) % sessions_there; }

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
// Results are looked at for errors, and not taken apart. A commit needs a checksum,
// which is made as ours is.

class Floor {
 public:
  Floor(const std::string& uri, const std::string& name_space)
      : statements_(postgresql::Tables(name_space)), c_(PQconnectdb(uri.c_str())) {
    if (PQstatus(c_) != CONNECTION_OK) throw std::runtime_error(PQerrorMessage(c_));
    PQclear(PQexec(c_, "SET enable_seqscan = off; SET jit = off"));
    for (const auto sql : {Sql::load, Sql::create, Sql::commit})
      PQclear(PQprepare(c_, Statements::name(sql).c_str(), statements_.text(sql).c_str(), 0, nullptr));
    PQsetnonblocking(c_, 1);
    PQenterPipelineMode(c_);
    for (std::size_t i = 0; i < sessions_there; ++i) {
      keys_.push_back(SessionKey::of("floor", SessionId::draw(system_random())));
      records_.push_back(record_of_now(i));
      Values values;
      row(values, i);
      values.number(postgresql::milliseconds(records_[i].expires()));
      send(Sql::create, values);
      take(1);
    }
  }
  ~Floor() { PQfinish(c_); }
  Floor(const Floor&) = delete;
  Floor& operator=(const Floor&) = delete;

  void load() {
    for (int n = 0; n < calls_a_turn; n += concurrent) {
      for (int i = 0; i < concurrent; ++i) {
        Values values;
        values.bytes(keys_[at(n + i)].bytes());
        send(Sql::load, values);
      }
      take(concurrent);
    }
  }
  void commit() {
    for (int n = 0; n < calls_a_turn; n += concurrent) {
      for (int i = 0; i < concurrent; ++i) {
        const auto which = at(n + i);
        auto& record = records_[which];
        const auto seen = record.version;
        ++record.version.counter;
        Values values;
        row(values, which);
        values.number(postgresql::as_signed(seen.incarnation)).number(postgresql::as_signed(seen.counter));
        send(Sql::commit, values);
      }
      take(concurrent);
    }
  }

 private:
  using Sql = postgresql::Sql;
  using Statements = postgresql::Statements;

  struct Values {
    const char* texts[20];
    int lengths[20], formats[20], size = 0;
    char numbers[20][8];
    std::string checksum;
    Values& bytes(std::string_view text) {
      texts[size] = text.empty() ? "" : text.data();
      lengths[size] = static_cast<int>(text.size());
      formats[size++] = 1;
      return *this;
    }
    Values& number(std::int64_t value) {
      const auto bits = static_cast<std::uint64_t>(value);
      for (std::size_t i = 0; i < 8; ++i) numbers[size][i] = static_cast<char>(bits >> (56 - 8 * i) & 0xff);
      return bytes({numbers[size], 8});
    }
  };

  // As row.cpp has it.
  void row(Values& v, std::size_t i) const {
    const auto& r = records_[i];
    v.checksum = postgresql::checksum_of(r);
    v.bytes(keys_[i].bytes());
    v.number(postgresql::as_signed(r.version.incarnation)).number(postgresql::as_signed(r.version.counter));
    v.number(static_cast<std::int64_t>(r.state)).number(postgresql::milliseconds(r.created));
    v.number(postgresql::milliseconds(r.accessed)).number(r.idle.count()).number(postgresql::milliseconds(r.ends));
    v.bytes(v.checksum).bytes(r.subject).bytes(r.handle.text()).bytes(r.payload);
  }

  static std::size_t at(int n) { return static_cast<std::size_t>(n) % sessions_there; }
  void send(Sql sql, const Values& v) {
    if (!PQsendQueryPrepared(c_, Statements::name(sql).c_str(), v.size, v.texts, v.lengths, v.formats, 1) ||
        !PQpipelineSync(c_))
      throw std::runtime_error(PQerrorMessage(c_));
  }
  // Answers to so many statements: of each the rows, an end, and a mark.
  void take(int many) {
    for (int marks = 0; marks < many;) {
      while (PQisBusy(c_)) {
        pollfd ready{PQsocket(c_), static_cast<short>(PQflush(c_) ? POLLIN | POLLOUT : POLLIN), 0};
        ::poll(&ready, 1, -1);
        if (!PQconsumeInput(c_)) throw std::runtime_error(PQerrorMessage(c_));
      }
      PGresult* result = PQgetResult(c_);
      if (!result) continue;
      const auto status = PQresultStatus(result);
      marks += status == PGRES_PIPELINE_SYNC;
      const bool one = status != PGRES_TUPLES_OK || PQntuples(result) == 1;
      PQclear(result);
      if ((status != PGRES_TUPLES_OK && status != PGRES_PIPELINE_SYNC) || !one)
        throw std::runtime_error(std::string("the floor was answered with an error: ") + PQerrorMessage(c_));
    }
  }

  Statements statements_;
  PGconn* c_;
  std::vector<SessionKey> keys_;
  std::vector<Record> records_;
};

// ## Measuring

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
  PostgresqlOptions options;
  options.name_space = "bench" + std::to_string(system_random().draw_u64() % 1000000);
  options.connections = 1;
  asio::io_context loop(1);
  Ours ours(loop, uri, options);
  Floor floor(uri, options.name_space);
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
    std::fputs("sancho_bench_postgresql URI\n", stderr);
    return 2;
  }
  try {
    sancho::bench::measure_all(argv[1]);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
