#include "sancho/stores/memory.hpp"
#include "stores/kinds.hpp"

namespace sancho {

Opened open_memory(const StoreUri& uri, const Clock& clock) {
  want_no_host(uri);
  if (!uri.path.empty()) throw ConfigError("memory: has no path; write just memory:");
  OptionReader(uri).finish();
  return open_memory_store(clock);
}

}  // namespace sancho
