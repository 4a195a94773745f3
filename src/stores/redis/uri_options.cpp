#include "stores/redis/uri_options.hpp"

#include "stores/authority.hpp"

namespace sancho::redis {

namespace {

using Kind = RedisOptions::Deployment;

// "/7" is database 7.
unsigned database_in(const StoreUri& uri) {
  if (uri.path.empty() || uri.path == "/") return 0;
  const auto digits = uri.path.substr(1);
  const bool number = digits.size() <= 4 && digits.find_first_not_of("0123456789") == digits.npos;
  if (!number) throw ConfigError(uri.scheme + ": behind the host stands a database's number, such as /0");
  return static_cast<unsigned>(std::stoul(digits));
}

// redis+unix://user:password@/path/of/socket
void take_socket(const StoreUri& uri, RedisOptions& o) {
  StoreUri with_host = uri;
  with_host.authority += "localhost";  // none stands there, and the rest is as elsewhere
  if (!uri.authority.empty() && !uri.authority.ends_with('@'))
    throw ConfigError(uri.scheme + ": has no host; write " + uri.scheme + "://user:password@/PATH or " + uri.scheme +
                      ":///PATH");
  const auto who = Authority::parse(with_host, 1);
  o.user = who.user, o.password = who.password;
  if (!uri.path.starts_with('/') || uri.path.size() < 2)
    throw ConfigError(uri.scheme + ": needs the path of a socket, such as " + uri.scheme + ":///run/redis/redis.sock");
  o.addresses = {{uri.path, 0}};
}

void take_hosts(const StoreUri& uri, RedisOptions& o) {
  const auto who = Authority::parse(uri, o.deployment == Kind::sentinel ? 26379 : 6379);
  o.user = who.user, o.password = who.password;
  for (const auto& each : who.endpoints) o.addresses.push_back({each.host, each.port});
  if (o.deployment != Kind::sentinel) {
    o.database = database_in(uri);
    return;
  }
  o.master_name = uri.path.empty() ? "" : uri.path.substr(1);
  if (o.master_name.empty())
    throw ConfigError(uri.scheme + ": needs the name of the master, such as " + uri.scheme + "://s1,s2,s3/mymaster");
}

}  // namespace

RedisOptions options_of(const StoreUri& uri) {
  RedisOptions o;
  if (uri.scheme == "redis+sentinel") o.deployment = Kind::sentinel;
  if (uri.scheme == "redis-cluster") o.deployment = Kind::cluster;
  const bool socket = uri.scheme == "redis+unix";
  if (socket)
    take_socket(uri, o);
  else
    take_hosts(uri, o);

  OptionReader options(uri);
  if (o.deployment != Kind::cluster && o.database == 0)
    o.database = static_cast<unsigned>(options.number("db", 0, 9999, 0));
  bool tls = uri.scheme == "rediss";
  if (o.deployment != Kind::server) tls = options.word<bool>("tls", {{"on", true}, {"off", false}}, false);
  if (tls) o.tls = RedisTls{options.text("ca"), options.text("cert"), options.text("key"), options.text("tls_name")};
  if (o.deployment == Kind::sentinel) {
    o.sentinel_user = options.text("sentinel_user");
    const auto password = options.text("sentinel_password");
    if (!password.empty()) o.sentinel_password = password;
  }
  using Durability = RedisOptions::Durability;
  o.durability = options.word<Durability>("durability",
                                          {{"ask", Durability::ask},
                                           {"none", Durability::none},
                                           {"process", Durability::process},
                                           {"power", Durability::power}},
                                          o.durability);
  o.name_space = options.name_space();
  o.wait = static_cast<unsigned>(options.number("wait", 0, 100, o.wait));
  const Duration day = std::chrono::hours{24};
  o.wait_timeout = options.duration("wait_timeout", Duration{1}, day, o.wait_timeout);
  o.report_expiry = options.duration("report_expiry", Duration{0}, 366 * day, o.report_expiry);
  o.connect_timeout = options.duration("connect_timeout", Duration{1}, day, o.connect_timeout);
  o.connections = static_cast<std::size_t>(options.number("connections", 1, 10000, o.connections));
  o.client_name = options.text("client_name", o.client_name);
  options.finish();
  return o;
}

}  // namespace sancho::redis
