#include "load.hpp"

#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <map>
#include <thread>

#include "worker.hpp"

namespace sancho::history {
namespace {

using Monotonic = std::chrono::steady_clock;

// Whom SIGTERM stops: the load ends, and the audit begins.
Jars* stoppable = nullptr;
void stop_running(int) {
  if (stoppable) stoppable->stop();
}

// When a run is over, for all of its processes.
struct End {
  Monotonic::time_point at = Monotonic::time_point::max();
  std::uint64_t operations = 0;
};

struct Process {
  const Options& options;
  const Open& open_store;
  Jars& jars;
  History& history;
  races::Ear ear{};

  std::unique_ptr<races::Manager> open() {
    return std::make_unique<races::Manager>(open_store(options.store), load_policy(options),
                                            ManagerOptions{.observer = &ear});
  }

  void load(races::Manager& sessions, unsigned number, const End& end) {
    history.note(fmt::format(R"("op":"process","p":{},"pid":{},"began":{})", number, getpid(), now()));
    std::vector<std::jthread> threads;
    for (unsigned t = 0; t < options.threads; ++t)
      threads.emplace_back([&, t] {
        Worker worker(sessions, jars, history, options, number, t);
        const auto begin = Monotonic::now();
        for (std::uint64_t n = 0; Monotonic::now() < end.at && !jars.stopped(); ++n) {
          if (end.operations && jars.next_turn() > end.operations) break;
          if (options.rate > 0)
            std::this_thread::sleep_until(std::min(end.at, begin + std::chrono::microseconds(static_cast<std::int64_t>(
                                                                       static_cast<double>(n) * 1e6 / options.rate))));
          worker.play_one();
        }
      });
  }

  // Every session, until the store has said what is in it.
  bool audit(races::Manager& sessions) {
    Worker worker(sessions, jars, history, options, 0, 0);
    const auto until = Monotonic::now() + options.patience;
    bool all = true;
    jars.each([&](int session, const std::string& cookie) {
      bool said = false;
      while (!(said = worker.look(session, cookie)) && Monotonic::now() < until) std::this_thread::sleep_for(Duration(50));
      all = all && said;
    });
    census(sessions);
    return all;
  }

  // How many live sessions each user has.
  void census(races::Manager& sessions) {
    auto* scan = sessions.store().scan();
    if (!scan) return;
    std::map<std::string, int> alive;
    const auto began = now();
    const auto count = [&](const KeyedRecord& k) { return ++alive[k.record.subject], true; };
    scan->iter_sessions(count, Deadline::after(options.patience));
    std::string users;
    for (const auto& [user, n] : alive) users += fmt::format("{}{}:{}", users.empty() ? "" : ",", quoted(user), n);
    history.note(fmt::format(R"("op":"census","began":{},"ended":{},"alive":{{{}}})", began, now(), users));
  }
};

// Children that open the store for themselves; true if none failed by itself.
bool load_in_processes(Process& process, const End& end) {
  std::map<pid_t, unsigned> running;
  unsigned next = 0;
  const auto start = [&] {
    const auto number = next++;
    const auto child = fork();
    if (child < 0) throw std::runtime_error("no process for the load");
    if (child != 0) return void(running[child] = number);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    try {
      process.load(*process.open(), number, end);
      _exit(0);
    } catch (const std::exception& e) {
      fmt::print(stderr, "process {}: {}\n", number, e.what());
      _exit(1);
    }
  };
  while (next < process.options.processes) start();
  bool well = true;
  while (!running.empty()) {
    int status = 0;
    const auto child = waitpid(-1, &status, 0);
    if (child < 0 && errno == EINTR) continue;  // told to stop
    if (child < 0) throw std::runtime_error("nobody to wait for");
    process.history.note(
        fmt::format(R"("op":"process_ended","p":{},"status":{},"began":{})", running[child], status, now()));
    running.erase(child);
    const bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    if (!killed && status != 0) well = false;
    if (killed && process.options.respawn && !process.jars.stopped() && Monotonic::now() < end.at) start();
  }
  return well;
}

}  // namespace

bool run(const Options& options, const Open& open) {
  Jars jars(options.history + ".jars");
  History history(options.history);
  Process process{options, open, jars, history};
  stoppable = &jars;
  std::signal(SIGTERM, stop_running);
  bool well = true;
  std::unique_ptr<races::Manager> sessions;
  if (options.load) {
    jars.open_again();
    history.note(
        fmt::format(R"("op":"run","began":{},"seed":{},"processes":{},"threads":{},"sessions":{},"timeout":{})", now(),
                    options.seed, options.processes, options.threads, options.sessions, options.timeout.count()));
    End end{.operations = options.operations};
    if (options.time) end.at = Monotonic::now() + *options.time;
    if (options.processes == 1) {
      sessions = process.open();
      process.load(*sessions, 0, end);
    } else {
      well = load_in_processes(process, end);
    }
    history.note(fmt::format(R"("op":"over","began":{})", now()));
  }
  if (options.audit) {
    if (!sessions) sessions = process.open();
    well = process.audit(*sessions) && well;
  }
  stoppable = nullptr;
  return well;
}

int main_with(const Open& open, int count, char** words) {
  try {
    return run(parse(count, words), open) ? 0 : 1;
  } catch (const ConfigError& e) {
    fmt::print(stderr, "{}\n", e.what());
  } catch (const std::invalid_argument& e) {
    fmt::print(stderr, "{}\n\n{}", e.what(), usage);
  } catch (const std::exception& e) {
    fmt::print(stderr, "{}\n", e.what());
    return 1;
  }
  return 2;
}

}  // namespace sancho::history
