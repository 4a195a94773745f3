#include "sancho/open_store.hpp"

#include <string>

#include "stores/kinds.hpp"

namespace sancho {

void want_no_host(const StoreUri& uri) {
  if (!uri.authority.empty())
    throw ConfigError(uri.scheme + ": has no host; write " + uri.scheme + ":PATH, or " + uri.scheme +
                      ":///PATH for an absolute one");
}

namespace {

// A store more is a line more. What was not built says so when it is opened.
struct Kind {
  std::string_view scheme;
  Opened (*open)(const StoreUri&, const Clock&);
};

constexpr Kind kinds[] = {
    {"dir", open_directory},
    {"lmdb", open_lmdb},
    {"memcached", open_memcached},
    {"memory", open_memory},
    {"mysql", open_mysql},
    {"postgresql", open_postgresql},
    {"redis", open_redis},
    {"redis+sentinel", open_redis},
    {"redis+unix", open_redis},
    {"redis-cluster", open_redis},
    {"rediss", open_redis},
    {"sqlite", open_sqlite},
};

}  // namespace

std::unique_ptr<SessionStore> open_store(std::string_view text, const Clock& clock) {
  const auto uri = StoreUri::parse(text);
  std::string known;
  for (const auto& kind : kinds) {
    if (kind.scheme == uri.scheme) return kind.open(uri, clock);
    known += (known.empty() ? "" : ", ") + std::string(kind.scheme) + ":";
  }
  throw ConfigError("store URI '" + redacted(text) + "': there is no such kind of store; there are " + known);
}

}  // namespace sancho
