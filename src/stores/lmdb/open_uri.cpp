#include "sancho/stores/lmdb.hpp"

#include "stores/kinds.hpp"

namespace sancho {

Opened open_lmdb(const StoreUri& uri, const Clock& clock) {
  want_no_host(uri);
  using Sync = LmdbOptions::Sync;
  OptionReader options(uri);
  LmdbOptions o;
  o.map_size = options.number("map_size", std::uint64_t{4} << 20, std::uint64_t{1} << 46, o.map_size);
  o.sync = options.word<Sync>("sync", {{"full", Sync::full}, {"normal", Sync::normal}}, o.sync);
  o.read_only = options.word<bool>("mode", {{"ro", true}, {"rw", false}}, o.read_only);
  o.name_space = options.name_space();
  options.finish();
  return open_lmdb_store(uri.path, o, clock);
}

}  // namespace sancho
