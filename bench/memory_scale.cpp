// # sancho_bench_scale
//
// How the memory store bears more sessions: `sancho_bench_scale [SESSIONS ...]`, 1e3
// to 1e6 unless others are asked for (1e7 takes 7 GB). Prints one JSON object a line,
// which `bench/run` reads:
//
//     {"what": "load", "sessions": N, "ours_ns": .., "floor_ns": .., "ratio": .., "turns": ..}
//         one call of the store beside the map's read; "touch" and "write" alike. In
//         "load_alone" each key depends on the answer before, so that a processor
//         cannot begin with the next call: as in a server, where much else is between
//     {"what": "bytes", "sessions": N, "side": "ours", "bytes": ..}
//         resident memory a session; "anonymous" is ours without index of subjects
//     {"what": "growth", "sessions": N, "side": .., "calls": .., "longest_ns": .., "histogram_ns": ..}
//         each insertion on the way to N: the shortest of three times
//     {"what": "sweep", "sessions": N, "removed": .., "ns_each": .., "longest_ns": .., ..}
//         calls that remove up to 100, while 1 % expires every second: likewise
//     {"what": "scaling", "sessions": N, "clock": .., "ours": .., "nothing_shared": .., "ratio": ..}
//         reads a second of two threads, as a multiple of one's: in one store, and in
//         a store each with half the sessions. By the clock on the "wall", which wants a
//         machine with nothing else to do, and by the threads' own "cpu" time
//
// Times are CPU time of the calling thread, ratios medians of alternated turns.
// Each size, and each side's memory, is measured in a process of its own.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <thread>

#include "histogram.hpp"
#include "scale_sides.hpp"

namespace sancho::bench {

namespace {
constexpr int turns = 15;

double median(std::vector<double> v) {
  std::nth_element(v.begin(), v.begin() + static_cast<std::ptrdiff_t>(v.size() / 2), v.end());
  return v[v.size() / 2];
}

void print(const std::string& what, std::size_t n, const std::string& rest) {
  std::printf("{\"what\": \"%s\", \"sessions\": %zu, %s}\n", what.c_str(), n, rest.c_str());
  std::fflush(stdout);
}
std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", x);
  return text;
}

void fail(const char* what) {
  std::fprintf(stderr, "sancho_bench_scale: %s\n", what);
  std::exit(1);
}

// In a child process, whose memory is its own.
void apart(const std::function<void()>& work) {
  std::fflush(stdout);
  const auto child = fork();
  if (child == 0) {
    work();
    std::fflush(stdout);
    _exit(0);
  }
  int status = 1;
  if (child < 0 || waitpid(child, &status, 0) < 0 || status != 0) fail("a measurement did not end well");
}

double resident() {
  std::ifstream file("/proc/self/statm");
  double size = 0, pages = 0;
  file >> size >> pages;
  return pages * static_cast<double>(sysconf(_SC_PAGESIZE));
}

// ## What a call costs

struct Chance {
  std::uint64_t state;
  std::uint64_t operator()(std::size_t n) {
    state = state * 6364136223846793005 + 1442695040888963407;
    return (state >> 33) % n;
  }
};

// Nanoseconds a call, over so many of random sessions.
template <class Side, class Call>
double cost(std::size_t n, std::size_t calls, bool alone, Chance& chance, Call call) {
  std::int64_t spent = 0;
  std::vector<typename Side::Key> keys;
  std::size_t found = 0, asked = 0;
  for (; asked < calls; asked += batch) {
    keys.clear();
    for (std::size_t i = 0; i < batch; ++i) keys.push_back(Side::key(chance(n)));
    const auto begin = cpu_ns();
    if (alone)
      for (std::size_t i = 0, last = 1; i < batch; ++i) found += last = call(keys[i + 1 - last]);
    else
      for (const auto& key : keys) found += call(key);
    spent += cpu_ns() - begin;
  }
  if (found != asked) fail("a session was not there");
  return static_cast<double>(spent) / static_cast<double>(asked);
}

template <class Ours, class Floor>
void compare(const char* what, std::size_t n, Ours ours, Floor floor, bool alone = false) {
  constexpr std::size_t calls = 40 * batch;
  Chance chance{7};
  std::vector<double> a, b, ratio;
  for (int turn = -1; turn < turns; ++turn) {
    const auto x = cost<StoreSide>(n, calls, alone, chance, ours), y = cost<MapSide>(n, calls, alone, chance, floor);
    if (turn < 0) continue;  // everything was cold
    a.push_back(x), b.push_back(y), ratio.push_back(x / y);
  }
  print(what, n, "\"ours_ns\": " + number(median(a)) + ", \"floor_ns\": " + number(median(b)) + ", \"ratio\": " + number(median(ratio)) +
                     ", \"turns\": " + std::to_string(turns));
}

template <class Side>
void fill(Side& side, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) side.insert(Side::key(i));
}

// The same calls several times, and each one's shortest: what takes long is the
// same each time, and what the machine does meanwhile is not.
class Shortest {
 public:
  static constexpr int rounds = 3;

  // Room for so many calls, before memory is looked at.
  explicit Shortest(std::size_t calls = 0) : times_(calls, most) {}

  void begin_round() { at_ = 0; }
  template <class Call>
  auto time(Call call) {
    const auto begin = cpu_ns();
    auto answer = call();
    const auto ns = static_cast<std::uint32_t>(std::min<std::int64_t>(cpu_ns() - begin, most));
    if (at_ == times_.size()) times_.push_back(most);
    times_[at_] = std::min(times_[at_], ns);
    ++at_;
    return answer;
  }
  Histogram times() const {
    if (at_ != times_.size()) fail("the rounds were not alike");
    Histogram all;
    for (const auto ns : times_) all.add(ns);
    return all;
  }

 private:
  static constexpr auto most = ~std::uint32_t{0};
  std::vector<std::uint32_t> times_;
  std::size_t at_ = 0;
};

// ## Growing

template <class Make>
void measure_room(const char* name, std::size_t n, Make make) {
  Shortest shortest(n);
  const auto before = resident();
  double bytes = 0;
  for (int round = 0; round < Shortest::rounds; ++round) {
    auto side = make();
    shortest.begin_round();
    for (std::size_t i = 0; i < n; ++i) {
      const auto key = decltype(side)::element_type::key(i);
      shortest.time([&] { return side->insert(key), true; });
    }
    if (round == 0) bytes = (resident() - before) / static_cast<double>(n);
  }
  const auto times = shortest.times();
  print("bytes", n, std::string("\"side\": \"") + name + "\", \"bytes\": " + number(bytes));
  print("growth", n, std::string("\"side\": \"") + name + "\", " + times.json());
}

// ## Sweeping
void measure_sweep(std::size_t n) {
  Shortest shortest;
  std::size_t removed = 0;
  for (int round = 0; round < Shortest::rounds; ++round) {
    StoreSide side;
    fill(side, n);
    side.clock.set(side.begin);
    shortest.begin_round();
    removed = 0;
    for (int second = 0; second < 10; ++second, side.clock.advance(std::chrono::seconds{1}))
      for (bool more = true; more;) {
        const auto answer = shortest.time([&] { return side.store->sweep({.budget = 100}, side.soon); });
        removed += answer.removed, more = answer.more;
      }
  }
  const auto times = shortest.times();
  print("sweep", n, "\"removed\": " + std::to_string(removed) + ", \"ns_each\": " +
                        number(static_cast<double>(times.total()) / static_cast<double>(std::max<std::size_t>(removed, 1))) + ", " + times.json());
}

// ## Two threads

// Reads a second, of all threads together, each in its store.
struct Rate {
  double wall = 0, cpu = 0;
};
Rate rate(const std::vector<StoreSide*>& stores, std::size_t n) {
  using Steady = std::chrono::steady_clock;
  constexpr auto length = std::chrono::milliseconds{100};
  std::atomic<std::size_t> ready = 0, reads = 0;
  std::atomic<double> cpu = 0;
  std::vector<std::jthread> threads;
  for (std::size_t t = 0; t < stores.size(); ++t)
    threads.emplace_back([&, t] {
      Chance chance{t + 1};
      std::vector<SessionKey> keys;
      for (std::size_t i = 0; i < 4 * batch; ++i) keys.push_back(StoreSide::key(chance(n)));
      ++ready;
      while (ready < stores.size()) {}
      std::size_t mine = 0, found = 0;
      const auto begin = cpu_ns();
      for (const auto end = Steady::now() + length; Steady::now() < end; mine += batch)
        for (std::size_t i = 0; i < batch; ++i) found += stores[t]->read(keys[(mine + i) % keys.size()]);
      if (found != mine) fail("a session was not there");
      reads += mine;
      cpu += static_cast<double>(mine) / static_cast<double>(cpu_ns() - begin);
    });
  threads.clear();
  return {static_cast<double>(reads), cpu};
}

void measure_scaling(std::size_t n, StoreSide& whole) {
  StoreSide left, right;
  for (std::size_t i = 0; i < n / 2; ++i) left.insert(StoreSide::key(i)), right.insert(StoreSide::key(i));
  struct Clocked {
    const char* clock;
    double Rate::* rate;
    std::vector<double> shared, apart, ratio;
  };
  Clocked clocks[] = {{"wall", &Rate::wall, {}, {}, {}}, {"cpu", &Rate::cpu, {}, {}, {}}};
  for (int turn = -1; turn < turns; ++turn) {
    const auto one = rate({&whole}, n), two = rate({&whole, &whole}, n);
    const auto one_apart = rate({&left}, n / 2), two_apart = rate({&left, &right}, n / 2);
    if (turn < 0) continue;
    for (auto& c : clocks) {
      c.shared.push_back(two.*c.rate / (one.*c.rate)), c.apart.push_back(two_apart.*c.rate / (one_apart.*c.rate));
      c.ratio.push_back(c.shared.back() / c.apart.back());
    }
  }
  for (const auto& c : clocks)
    print("scaling", n, std::string("\"clock\": \"") + c.clock + "\", \"ours\": " + number(median(c.shared)) + ", \"nothing_shared\": " +
                            number(median(c.apart)) + ", \"ratio\": " + number(median(c.ratio)) + ", \"turns\": " + std::to_string(turns));
}

void measure(std::size_t n) {
  if (n >= 100'000) {  // fewer are lost among what a process has anyway
    apart([&] { measure_room("anonymous", n, [] { return std::make_unique<StoreSide>(false); }); });
    apart([&] { measure_room("ours", n, [] { return std::make_unique<StoreSide>(); }); });
    apart([&] { measure_room("floor", n, [] { return std::make_unique<MapSide>(); }); });
  }
  apart([&] {
    StoreSide ours;
    MapSide floor;
    fill(ours, n), fill(floor, n);
    const auto load = [&](auto& key) { return ours.read(key); };
    const auto read = [&](auto& key) { return floor.read(key); };
    compare("load", n, load, read);
    compare("load_alone", n, load, read, true);
    compare("touch", n, [&](auto& key) { return ours.touch(key); }, [&](auto& key) { return floor.write(key); });
    compare("write", n, [&](auto& key) { return ours.write(key); }, [&](auto& key) { return floor.write(key); });
  });
  apart([&] {
    StoreSide ours;
    fill(ours, n);
    measure_scaling(n, ours);
  });
  apart([&] { measure_sweep(n); });
}
}  // namespace

}  // namespace sancho::bench

int main(int argc, char** argv) {
  std::vector<std::string> sizes(argv + 1, argv + argc);
  if (sizes.empty()) sizes = {"1e3", "1e4", "1e5", "1e6"};
  for (const auto& size : sizes) {
    const auto n = std::strtod(size.c_str(), nullptr);
    if (n < sancho::bench::batch) return std::fputs("sancho_bench_scale [SESSIONS ...], no less than 256\n", stderr), 2;
    sancho::bench::measure(static_cast<std::size_t>(n));
  }
  return 0;
}
