#include "sancho/stores/mysql.hpp"
#include "stores/kinds.hpp"

namespace sancho {

Opened open_mysql(const StoreUri& uri, const Clock&) {
  const auto authority = Authority::parse(uri, 3306);
  using Tls = MysqlOptions::Tls;
  using Order = MysqlOptions::Order;
  OptionReader options(uri);
  MysqlOptions o;
  for (const auto& endpoint : authority.endpoints) o.hosts.push_back({endpoint.host, endpoint.port});
  o.user = authority.user;
  o.password = authority.password;
  o.database = uri.path.empty() ? "" : uri.path.substr(1);
  o.name_space = options.name_space();
  o.socket = options.text("socket");
  o.order = options.word<Order>("hosts", {{"in_order", Order::in_order}, {"random", Order::random}}, o.order);
  o.tls = options.word<Tls>("tls", {{"off", Tls::off}, {"require", Tls::require}, {"verify", Tls::verify}}, o.tls);
  o.tls_ca = options.text("tls_ca");
  o.connections = static_cast<std::uint32_t>(options.number("connections", 1, 1000, o.connections));
  o.connect_timeout = options.duration("connect_timeout", Duration{10}, Duration{60000}, o.connect_timeout);
  options.finish();
  return open_mysql_store(o);
}

}  // namespace sancho
