#include "sancho/stores/sqlite.hpp"
#include "stores/kinds.hpp"

namespace sancho {

Opened open_sqlite(const StoreUri& uri, const Clock& clock) {
  want_no_host(uri);
  using Synchronous = SqliteOptions::Synchronous;
  OptionReader options(uri);
  SqliteOptions o;
  o.synchronous = options.word<Synchronous>(
      "synchronous", {{"full", Synchronous::full}, {"normal", Synchronous::normal}}, o.synchronous);
  o.read_only = options.word<bool>("mode", {{"ro", true}, {"rw", false}}, o.read_only);
  o.max_pages = static_cast<std::uint32_t>(options.number("max_pages", 16, 0xfffffffe, o.max_pages));
  options.finish();
  return open_sqlite_store(uri.path, o, clock);
}

}  // namespace sancho
