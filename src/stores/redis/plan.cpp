#include "stores/redis/plan.hpp"

#include <algorithm>

#include "stores/redis/broken.hpp"
#include "stores/redis/judgement.hpp"

namespace sancho::redis {

std::string name_of(const RedisOptions& o) {
  using Kind = RedisOptions::Deployment;
  const bool unix_socket = !o.addresses.empty() && o.addresses[0].host.starts_with('/');
  std::string name = o.deployment == Kind::sentinel  ? "redis+sentinel://"
                     : o.deployment == Kind::cluster ? "redis-cluster://"
                     : unix_socket                   ? "redis+unix://"
                     : o.tls                         ? "rediss://"
                                                     : "redis://";
  for (std::size_t i = 0; i < o.addresses.size(); ++i) {
    const auto& each = o.addresses[i];
    name += (i ? "," : "") + (unix_socket ? each.host : to_string(Endpoint{each.host, each.port}));
  }
  if (o.deployment == Kind::sentinel)
    name += "/" + o.master_name;
  else if (o.database != 0 && !unix_socket)
    name += "/" + std::to_string(o.database);
  return name;
}

void require_sense(const RedisOptions& o) {
  const auto want = [](bool holds, const char* what) {
    if (!holds) throw ConfigError(std::string("redis: ") + what);
  };
  using Kind = RedisOptions::Deployment;
  const auto is_socket = [](const RedisAddress& a) { return a.host.starts_with('/'); };
  const bool sockets = std::any_of(o.addresses.begin(), o.addresses.end(), is_socket);
  want(!o.addresses.empty(), "an address is missing");
  want(o.deployment != Kind::server || o.addresses.size() == 1,
       "one server has one address; write redis-cluster:// or redis+sentinel://");
  want(!sockets || o.deployment == Kind::server, "only a single server can be reached by a unix socket");
  want(!sockets || !o.tls, "a unix socket has no TLS");
  want((o.deployment == Kind::sentinel) == !o.master_name.empty(),
       "Sentinel, and nothing else, needs the name of a master: .../mymaster");
  want(o.deployment != Kind::cluster || o.database == 0, "a cluster has no databases but 0");
  want(o.user.empty() || o.password, "a user needs a password");
  want(o.connections > 0, "option 'connections' must be at least 1");
  want(o.connect_timeout > Duration::zero() && o.open_timeout > Duration::zero(), "a timeout must be positive");
  want(o.report_expiry >= Duration::zero(), "option 'report_expiry' must not be negative");
  want(o.wait == 0 || o.wait_timeout > Duration::zero(), "option 'wait_timeout' must be positive");
  const auto fits = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  want(o.name_space.size() <= 32 && std::all_of(o.name_space.begin(), o.name_space.end(), fits),
       "a namespace has at most 32 letters a-z, digits and _");
  const auto plain = [](char c) { return c > ' ' && c < 127; };  // as CLIENT SETNAME wants it
  want(std::all_of(o.client_name.begin(), o.client_name.end(), plain),
       "option 'client_name' must have no spaces and be ASCII");
}

Deployment deployment_of(const RedisOptions& options) {
  switch (options.deployment) {
    case RedisOptions::Deployment::sentinel:
      return Deployment::sentinel;
    case RedisOptions::Deployment::cluster:
      return Deployment::cluster;
    case RedisOptions::Deployment::server:
      break;
  }
  return Deployment::server;
}

std::vector<Endpoint> endpoints_of(const RedisOptions& options) {
  std::vector<Endpoint> all;
  for (const auto& address : options.addresses)
    all.push_back({address.host, address.host.starts_with('/') ? std::uint16_t{0} : address.port});
  return all;
}

// ## Introductions

Introduction introduction_of(const RedisOptions& o) {
  return {o.user, o.password, o.database, o.client_name, deployment_of(o) == Deployment::sentinel};
}

Introduction introduction_to_sentinels(const RedisOptions& o) {
  return {o.sentinel_user, o.sentinel_password, 0, o.client_name, false};
}

namespace {

// Those that must be done, before those that may be.
std::vector<Command> needed_by(const Introduction& intro) {
  std::vector<Command> commands;
  if (intro.password) {
    commands.push_back({"AUTH"});
    if (!intro.user.empty()) commands.back().push_back(intro.user);
    commands.back().push_back(*intro.password);
  }
  if (intro.database != 0) commands.push_back({"SELECT", std::to_string(intro.database)});
  return commands;
}

void require_no_error(const Reply& reply) {
  if (!reply.is_error()) return;
  const auto verdict = judge(reply.text);
  throw StoreError(verdict.kind, verdict.text);
}

}  // namespace

Wire wire_of(const Introduction& intro) {
  Wire wire;
  for (const auto& command : needed_by(intro)) wire.add(command);
  if (!intro.client_name.empty()) wire.add({"CLIENT", "SETNAME", intro.client_name});
  if (intro.master_only) wire.add({"ROLE"});
  return wire;
}

void require_welcome(const Introduction& intro, const std::vector<Reply>& replies) {
  const auto needed = needed_by(intro).size();
  for (std::size_t i = 0; i < needed; ++i) require_no_error(replies[i]);
  if (!intro.master_only) return;
  const auto& role = replies.back();
  require_no_error(role);
  if (role.items.empty() || role.items[0].text != "master") throw Broken{"it is not the master"};
}

}  // namespace sancho::redis
