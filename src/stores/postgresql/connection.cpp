#include "stores/postgresql/connection.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

namespace sancho::postgresql {

bool wait_for(int socket, short events, Deadline deadline) {
  for (;;) {
    // Not less than is left: else it would turn idly in the last millisecond.
    const auto left = std::min<Duration>(deadline.left(), std::chrono::hours{1});
    pollfd ready{socket, events, 0};
    const int n = poll(&ready, 1, deadline.passed() ? 0 : static_cast<int>(left.count()) + 1);
    if (n > 0) return true;
    if (n < 0 && errno != EINTR) return true;  // whoever reads next finds out
    if (deadline.passed()) return false;
  }
}

Reply Connection::run(std::span<const Step> steps, Deadline deadline) {
  sound_ = false;  // until the whole answer is read
  if (auto failure = pipeline_.put(steps)) return {.results = {}, .failure = std::move(failure)};
  return receive(deadline);
}

Reply Connection::script(const std::string& sql, Deadline deadline) {
  sound_ = false;
  if (auto failure = pipeline_.put_script(sql)) return {.results = {}, .failure = std::move(failure)};
  return receive(deadline);
}

Reply Connection::receive(Deadline deadline) {
  bool sent = pipeline_.flush();
  for (;;) {
    if (auto reply = pipeline_.next()) {
      sound_ = pipeline_.sound();
      return *std::move(reply);
    }
    const short events = sent ? POLLIN : POLLIN | POLLOUT;
    if (!wait_for(pipeline_.socket(), events, deadline)) {
      // PQfinish would send what is left, and with it the mark that commits.
      if (!sent) ::shutdown(pipeline_.socket(), SHUT_RDWR);
      return {.results = {},
              .failure =
                  Failure{.what = "the deadline passed before the server answered", .late = true, .maybe_done = sent}};
    }
    pipeline_.consume();
    if (!sent) sent = pipeline_.flush();
  }
}

}  // namespace sancho::postgresql
