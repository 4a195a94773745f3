#include "sancho/open_store.hpp"

#include <algorithm>
#include <string>

#include "sancho/stores/directory.hpp"
#include "sancho/stores/memory.hpp"
#include "stores/uri.hpp"
#ifdef SANCHO_HAVE_SQLITE
#include "sancho/stores/sqlite.hpp"
#endif

namespace sancho {

namespace {

using Opened = std::unique_ptr<SessionStore>;

void want_no_host(const StoreUri& uri) {
  if (!uri.authority.empty())
    throw ConfigError(uri.scheme + ": has no host; write " + uri.scheme + ":PATH, or " + uri.scheme + ":///PATH for an absolute one");
}

Opened open_memory(const StoreUri& uri, const Clock& clock) {
  want_no_host(uri);
  if (!uri.path.empty()) throw ConfigError("memory: has no path; write just memory:");
  OptionReader(uri).finish();
  return open_memory_store(clock);
}

Opened open_directory(const StoreUri& uri, const Clock& clock) {
  want_no_host(uri);
  OptionReader(uri).finish();
  return open_directory_store(uri.path, clock);
}

Opened open_sqlite([[maybe_unused]] const StoreUri& uri, [[maybe_unused]] const Clock& clock) {
#ifdef SANCHO_HAVE_SQLITE
  want_no_host(uri);
  using Synchronous = SqliteOptions::Synchronous;
  OptionReader options(uri);
  SqliteOptions o;
  o.synchronous = options.word<Synchronous>("synchronous", {{"full", Synchronous::full}, {"normal", Synchronous::normal}}, o.synchronous);
  o.read_only = options.word<bool>("mode", {{"ro", true}, {"rw", false}}, o.read_only);
  o.max_pages = static_cast<std::uint32_t>(options.number("max_pages", 16, 0xfffffffe, o.max_pages));
  options.finish();
  return open_sqlite_store(uri.path, o, clock);
#else
  throw ConfigError("sqlite: was not built into this library; build it with SQLite's headers installed and -DSANCHO_SQLITE=ON");
#endif
}

// A store more is a line more.
struct Kind {
  std::string_view scheme;
  Opened (*open)(const StoreUri&, const Clock&);
};
constexpr Kind kinds[] = {
    {"dir", open_directory},
    {"memory", open_memory},
    {"sqlite", open_sqlite},
};

}  // namespace

std::unique_ptr<SessionStore> open_store(std::string_view text, const Clock& clock) {
  const auto uri = StoreUri::parse(text);
  for (const auto& kind : kinds)
    if (kind.scheme == uri.scheme) return kind.open(uri, clock);
  std::string known;
  for (const auto& kind : kinds) known += (known.empty() ? "" : ", ") + std::string(kind.scheme) + ":";
  throw ConfigError("store URI '" + redacted(text) + "': there is no such kind of store; there are " + known);
}

}  // namespace sancho
