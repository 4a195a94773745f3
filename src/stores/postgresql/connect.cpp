#include "stores/postgresql/connect.hpp"

#include <poll.h>

#include <algorithm>

namespace sancho::postgresql {

// ## One host

namespace {
Established establish(const Settings& settings, Deadline deadline, Failure& failure) {
  auto c = start(settings);
  for (auto next = PQstatus(c.get()) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
       next != PGRES_POLLING_OK; next = PQconnectPoll(c.get())) {
    if (next == PGRES_POLLING_FAILED) {
      failure = failure_of(c.get());
      return {};
    }
    if (!wait_for(PQsocket(c.get()), next == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline)) {
      failure = {.sqlstate = {}, .what = "the deadline passed before the server had let us in", .late = true};
      return {};
    }
  }
  return c;
}
}  // namespace

std::unique_ptr<Connection> Connector::try_host(std::size_t host, Deadline deadline, Failure& failure) {
  auto established = establish(place_.hosts[host], deadline, failure);
  if (!established) return {};
  auto connection = std::make_unique<Connection>(std::move(established), statements_);
  if (auto trouble = carry_out_on(*connection, admittance_.settle(connection->server_version()), deadline)) {
    failure = *trouble;
    return {};
  }
  return connection;
}

// ## All hosts
//
// The one that was good is tried first. One that is silent takes only its share
// of the time, so that there is some left for the others.
std::unique_ptr<Connection> Connector::open(Deadline deadline) {
  const auto count = place_.hosts.size();
  const auto first = good_host_.load();
  Failure worst;
  for (std::size_t i = 0; i < count; ++i) {
    const auto host = (first + i) % count;
    auto share = deadline.left() / static_cast<Duration::rep>(count - i);
    if (place_.patience) share = std::min(share, *place_.patience);
    Failure failure;
    if (auto connection =
            try_host(host, i + 1 == count && !place_.patience ? deadline : Deadline::after(share), failure)) {
      good_host_ = host;
      return connection;
    }
    keep_worst(worst, std::move(failure));
  }
  raise(place_.name, "connecting", worst, false);
}

}  // namespace sancho::postgresql
