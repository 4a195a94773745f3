#include "sancho/stores/directory.hpp"
#include "stores/kinds.hpp"

namespace sancho {

Opened open_directory(const StoreUri& uri, const Clock& clock) {
  want_no_host(uri);
  OptionReader(uri).finish();
  return open_directory_store(uri.path, clock);
}

}  // namespace sancho
