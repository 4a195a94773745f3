// The contract, clause by clause: with the settings that are the default, in a
// namespace beside another one that has sessions of its own, and in a database of
// the schema before this one.
#include "sancho/conformance.hpp"

#include <stdlib.h>

#include <filesystem>

#include "lmdb_fixture.hpp"

namespace sancho {
namespace {

struct Directory {
  Directory() {
    std::string pattern = std::filesystem::temp_directory_path() / "sancho-lmdb-XXXXXX";
    path = mkdtemp(pattern.data());
  }
  ~Directory() { std::filesystem::remove_all(path); }
  Directory(const Directory&) = delete;
  Directory& operator=(const Directory&) = delete;
  std::filesystem::path path;
};

SANCHO_STORE_CONFORMANCE(Lmdb, [] {
  const auto place = std::make_shared<Directory>();
  return conformance::Venue{
      .open = [place](const Clock& clock) { return open_lmdb_store(place->path / "sessions", {}, clock); }};
});

SANCHO_STORE_CONFORMANCE(LmdbNormalInANamespace, [] {
  const auto place = std::make_shared<Directory>();
  LmdbOptions options{.sync = LmdbOptions::Sync::normal, .name_space = "shop"};
  return conformance::Venue{.open = [place, options](const Clock& clock) {
    auto others = options;
    others.name_space = "other";
    const auto other = open_lmdb_store(place->path / "sessions", others, clock);
    const Record r{.version = {1, 1},
                   .created = clock.now(),
                   .accessed = clock.now(),
                   .idle = std::chrono::hours{1000},
                   .ends = clock.now() + std::chrono::hours{1000},
                   .subject = "amy"};
    for (int i = 0; i < 3; ++i)
      other->create(SessionKey::of_note("other", std::to_string(i)), r, Deadline::after(std::chrono::seconds{20}));
    return open_lmdb_store(place->path / "sessions", options, clock);
  }};
});

SANCHO_STORE_CONFORMANCE(LmdbOfManyTrees, [] {
  const auto place = std::make_shared<Directory>();
  lmdb_test::Raw(place->path / "sessions").put(nullptr, "sancho", "1");
  return conformance::Venue{
      .open = [place](const Clock& clock) { return open_lmdb_store(place->path / "sessions", {}, clock); }};
});

}  // namespace
}  // namespace sancho
