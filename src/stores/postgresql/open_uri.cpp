#include "sancho/stores/postgresql.hpp"
#include "stores/kinds.hpp"

namespace sancho {

namespace {
std::string percent_encoded(std::string_view text) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_';
    const auto byte = static_cast<unsigned char>(c);
    if (plain)
      out += c;
    else
      out.append({'%', digits[byte >> 4], digits[byte & 15]});
  }
  return out;
}
}  // namespace

// What is not ours goes to libpq as it came.
Opened open_postgresql(const StoreUri& uri, const Clock&) {
  OptionReader options(uri);
  PostgresqlOptions o;
  o.name_space = options.name_space();
  o.connections = options.number("pool", 1, 1000, o.connections);
  o.synchronous_commit = options.word<std::string>("synchronous_commit",
                                                   {{"on", "on"},
                                                    {"off", "off"},
                                                    {"local", "local"},
                                                    {"remote_write", "remote_write"},
                                                    {"remote_apply", "remote_apply"}},
                                                   o.synchronous_commit);
  o.standby_required = options.word<bool>("standby", {{"wanted", false}, {"required", true}}, o.standby_required);
  auto libpq = uri.scheme + "://" + uri.authority;
  if (uri.path.size() > 1) libpq += "/" + percent_encoded(uri.path.substr(1));
  char before = '?';
  for (const auto& [name, value] : options.rest()) {
    libpq += before + percent_encoded(name) + "=" + percent_encoded(value);
    before = '&';
  }
  return open_postgresql_store(libpq, o);
}

}  // namespace sancho
