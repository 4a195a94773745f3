// # A client that does not fall asleep
//
// Loaded in front of `wrk`, this has it look for answers again and again instead
// of waiting for them. One that sleeps is woken by who sends it an answer, and the
// kernel's work for that is counted as the server's: microseconds each time, and
// the more often, the longer `wrk` had to wait. No client on another machine costs
// a server that.
#include <sys/epoll.h>

#include <chrono>

extern "C" int epoll_wait(int poll, epoll_event* events, int most, int milliseconds) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::milliseconds(milliseconds);
  while (true) {
    const int n = ::epoll_pwait(poll, events, most, 0, nullptr);
    if (n != 0 || (milliseconds >= 0 && Clock::now() >= until)) return n;
  }
}
