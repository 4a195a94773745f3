// The contract, clause by clause, with each setting.
#include "sancho/conformance.hpp"

#include <stdlib.h>

#include <filesystem>

#include "sancho/stores/sqlite.hpp"

namespace sancho {
namespace {

struct Directory {
  Directory() {
    std::string pattern = std::filesystem::temp_directory_path() / "sancho-sqlite-XXXXXX";
    path = mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::filesystem::path path;
};

conformance::Venue venue(SqliteOptions::Synchronous synchronous) {
  const auto place = std::make_shared<Directory>();
  return {.open = [=](const Clock& clock) { return open_sqlite_store(place->path / "sessions.db", {.synchronous = synchronous}, clock); }};
}

SANCHO_STORE_CONFORMANCE(Sqlite, [] { return venue(SqliteOptions::Synchronous::full); });
SANCHO_STORE_CONFORMANCE(SqliteNormal, [] { return venue(SqliteOptions::Synchronous::normal); });

}  // namespace
}  // namespace sancho
