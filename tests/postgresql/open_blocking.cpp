#include "database.hpp"
#include "sancho/open_store.hpp"

namespace sancho::postgresql_test {

std::unique_ptr<SessionStore> open_under_test(const std::string& uri) { return open_store(uri); }
std::unique_ptr<SessionStore> open_under_test(const std::string& uri, const PostgresqlOptions& options) {
  return open_postgresql_store(uri, options);
}

}  // namespace sancho::postgresql_test
