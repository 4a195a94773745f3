// The contract, clause by clause, with the settings that are the default.
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

SANCHO_STORE_CONFORMANCE(Sqlite, [] {
  const auto place = std::make_shared<Directory>();
  return conformance::Venue{.open = [place](const Clock& clock) { return open_sqlite_store(place->path / "sessions.db", {}, clock); }};
});

}  // namespace
}  // namespace sancho
