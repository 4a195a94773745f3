#include "crew.hpp"

#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <stdexcept>

namespace sancho::races {

namespace {
struct Pipe {
  Pipe() {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe for a player");
    out = ends[0], in = ends[1];
  }
  int out, in;
};

// Messages are far smaller than what a pipe takes at once.
template <class Message>
bool receive(int from, Message& message) {
  return read(from, &message, sizeof message) == static_cast<ssize_t>(sizeof message);
}
template <class Message>
bool send(int to, const Message& message) {
  return write(to, &message, sizeof message) == static_cast<ssize_t>(sizeof message);
}

// A player's life: until there are no more jobs.
void serve(int jobs, int reports, Manager& sessions, ManualClock& clock, Gate& gate) {
  for (Job job; receive(jobs, job);) {
    clock.set(Time{Duration{job.now}});
    if (!send(reports, play(sessions, job, gate))) break;
  }
  close(jobs);
  close(reports);
}

// Exits, and never returns: what the parent has is not the child's to tear down.
[[noreturn]] void be_a_process(int jobs, int reports, const OpenStore& open, Gate& gate) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    ManualClock clock(system_clock().now());
    Ear ear;
    Manager sessions(open(clock), race_policy(), {.clock = clock, .observer = &ear});
    serve(jobs, reports, sessions, clock, gate);
    _exit(0);
  } catch (const std::exception& e) {
    fprintf(stderr, "player: %s\n", e.what());
    _exit(1);
  }
}
}  // namespace

std::unique_ptr<Crew> Crew::of_processes(unsigned players, const OpenStore& open) {
  std::signal(SIGPIPE, SIG_IGN);  // a dead player is an error here, not the end
  std::unique_ptr<Crew> crew(new Crew(players));
  for (unsigned i = 0; i < players; ++i) {
    const Pipe jobs, reports;
    const auto child = fork();
    if (child < 0) throw std::runtime_error("no process for a player");
    if (child == 0) {
      close(jobs.in), close(reports.out);
      for (const auto& line : crew->lines_) close(line.jobs), close(line.reports);
      be_a_process(jobs.out, reports.in, open, *crew->gate_);
    }
    close(jobs.out), close(reports.in);
    crew->lines_.push_back({jobs.in, reports.out, child, {}});
  }
  return crew;
}

std::unique_ptr<Crew> Crew::of_threads(unsigned players, Manager& sessions, ManualClock& clock) {
  std::unique_ptr<Crew> crew(new Crew(players));
  for (unsigned i = 0; i < players; ++i) {
    const Pipe jobs, reports;
    std::thread thread([=, &sessions, &clock, gate = crew->gate_] { serve(jobs.out, reports.in, sessions, clock, *gate); });
    crew->lines_.push_back({jobs.in, reports.out, 0, std::move(thread)});
  }
  return crew;
}

Crew::~Crew() {
  for (auto& line : lines_) close(line.jobs);
  for (auto& line : lines_) {
    if (line.thread.joinable()) line.thread.join();
    if (line.process) {
      // One that waits at the gate for a dead one would wait for ever.
      pollfd hung{line.reports, POLLIN, 0};
      if (poll(&hung, 1, 10'000) <= 0) kill(line.process, SIGKILL);
      waitpid(line.process, nullptr, 0);
    }
    close(line.reports);
  }
}

std::vector<Report> Crew::play(std::span<const Job> jobs) {
  for (std::size_t i = 0; i < lines_.size(); ++i)
    if (!send(lines_[i].jobs, jobs[i])) throw std::runtime_error("a player is no more");
  std::vector<Report> reports(lines_.size());
  std::vector<pollfd> waiting;
  for (const auto& line : lines_) waiting.push_back({line.reports, POLLIN, 0});
  for (auto left = lines_.size(); left > 0;) {
    if (poll(waiting.data(), waiting.size(), 60'000) <= 0) throw std::runtime_error("a player has not answered for a minute");
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      if (waiting[i].revents == 0) continue;
      if (!receive(lines_[i].reports, reports[i])) throw std::runtime_error("a player is no more");
      waiting[i] = {-1, 0, 0};  // poll passes it over
      --left;
    }
  }
  return reports;
}

}  // namespace sancho::races
