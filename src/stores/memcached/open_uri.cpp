#include "sancho/stores/memcached.hpp"
#include "stores/kinds.hpp"

namespace sancho {

Opened open_memcached(const StoreUri& uri, const Clock& clock) {
  const auto authority = Authority::parse(uri, 11211);
  if (!authority.user.empty() || authority.password)
    throw ConfigError("memcached: has no users and no passwords; write memcached://host:port,host:port");
  if (!uri.path.empty() && uri.path != "/")
    throw ConfigError("memcached: has no path; write memcached://host:port?namespace=NAME to keep applications apart");
  std::vector<MemcachedServer> servers;
  for (const auto& each : authority.endpoints) servers.push_back({each.host, each.port});
  OptionReader options(uri);
  MemcachedOptions o;
  o.name_space = options.name_space();
  o.connections = options.number("connections", 1, 1024, o.connections);
  options.finish();
  return open_memcached_store(servers, o, clock);
}

}  // namespace sancho
