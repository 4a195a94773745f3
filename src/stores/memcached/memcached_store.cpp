#include "stores/memcached/memcached_store.hpp"

#include <algorithm>

#include "stores/columns.hpp"
#include "stores/memcached/lifetime.hpp"

namespace sancho {

namespace {
void require_server(const MemcachedServer& server) {
  const auto odd = [](char c) { return c <= ' ' || c == 0x7f || c == '/'; };
  if (server.host.empty() || server.host.size() > 253 || std::any_of(server.host.begin(), server.host.end(), odd))
    throw ConfigError("memcached: a server is an address or a name, and a port");
  if (server.port == 0) throw ConfigError("memcached: a port is a number from 1 to 65535");
}

bool fits_a_name_space(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; }
}  // namespace

std::unique_ptr<SessionStore> open_memcached_store(const std::vector<MemcachedServer>& servers,
                                                   const MemcachedOptions& options, const Clock& clock) {
  if (servers.empty()) throw ConfigError("memcached: needs a server, such as memcached://127.0.0.1:11211");
  for (const auto& each : servers) require_server(each);
  const auto& ns = options.name_space;
  if (ns.size() > 32 || !std::all_of(ns.begin(), ns.end(), fits_a_name_space))
    throw ConfigError("memcached: a namespace is up to 32 of a-z, 0-9 and _");
  if (options.connections == 0) throw ConfigError("memcached: connections must be 1 or more");
  auto store = std::make_unique<memcached::MemcachedStore>(servers, options, clock);
  store->setup();
  return store;
}

namespace memcached {

namespace {
std::string uri_of(const std::vector<MemcachedServer>& servers) {
  std::string uri;
  for (const auto& each : servers) {
    const bool v6 = each.host.find(':') != each.host.npos;
    uri += (uri.empty() ? "memcached://" : ",") + (v6 ? "[" + each.host + "]" : each.host) + ":" +
           std::to_string(each.port);
  }
  return uri;
}
}  // namespace

MemcachedStore::MemcachedStore(const std::vector<MemcachedServer>& servers, const MemcachedOptions& options,
                               const Clock& clock)
    : clock_(clock),
      open_timeout_(options.open_timeout),
      prefix_("sancho:" + options.name_space + ":"),
      ring_(servers),
      pool_(servers, options.connections, uri_of(servers)) {}

StoreTraits MemcachedStore::traits() const {
  return {.thread_safe = true, .multiprocess_safe = true, .linearizable = true, .sweeps_itself = true};
}

// A server that is down must not keep an application from starting whose
// sessions are mostly elsewhere; one that will not do is a mistake.
void MemcachedStore::setup() {
  std::optional<StoreError> trouble;
  std::size_t down = 0;
  for (std::size_t i = 0; i < pool_.size(); ++i) {
    try {
      const auto lease = pool_.take(i, Deadline::after(open_timeout_));
    } catch (const StoreError& e) {
      if (e.kind() != Trouble::unavailable) throw;
      trouble = e;
      ++down;
    }
  }
  if (down == pool_.size()) throw *trouble;
}

// ## Items and records
//
// A removed record is an item without a value, which memcached is told has
// expired: `cas` replaces what was read and nothing else, which `delete` cannot.

std::optional<Record> MemcachedStore::record_in(const std::optional<Connection::Item>& item) const {
  if (!item || item->value.empty()) return std::nullopt;
  try {
    auto record = decode_record(item->value);
    if (record.expired(clock_.now())) return std::nullopt;
    return record;
  } catch (const StoreError& e) {
    throw StoreError(e.kind(), name() + ": " + e.what());
  }
}

void MemcachedStore::require_writable(const Record& r) const {
  columns::require_writable(r, name());
}

// A connection that was idle may be one to a server that is gone. Reading
// changes nothing, so this is the moment to find out and to connect anew.
std::optional<Connection::Item> MemcachedStore::first_look(Pool::Lease& lease, const std::string& name,
                                                           Deadline deadline) const {
  if (!lease.used_before()) return lease->gets(name, deadline);
  try {
    return lease->gets(name, deadline);
  } catch (const StoreError& e) {
    if (e.kind() != Trouble::unavailable || deadline.passed()) throw;
  }
  lease.renew(deadline);
  return lease->gets(name, deadline);
}

// The number of an item is its process's own: a server that was restarted gives
// the same numbers again. That it is the same process is certain because what
// is read and what is written on it go through one connection.
//
// Where others keep being quicker, it gives up while there is still time to say
// for certain that nothing was done: before an attempt that might not end in
// time, judged by the one before.
template <class Answer, class Decide>
Answer MemcachedStore::change(const SessionKey& key, Deadline deadline, Decide decide) {
  const auto item_name = name_of(key);
  auto lease = pool_.take(ring_.server_of(item_name), deadline);
  auto item = first_look(lease, item_name, deadline);
  for (auto begin = Deadline::Steady::now();;) {
    const auto current = record_in(item);
    Decision<Answer> decision = decide(current);
    if (std::holds_alternative<Nothing>(decision.write)) return std::move(decision.answer);
    std::string value;
    auto exptime = exptime_of_the_dead();
    if (const auto* record = std::get_if<Record>(&decision.write)) {
      value = encode_record(*record);
      exptime = memcached::exptime(record->expires() - clock_.now(), lease->server_now());
    }
    const auto cas = item ? std::optional(item->cas) : std::nullopt;
    if (lease->put(item_name, value, exptime, cas, deadline)) return std::move(decision.answer);
    const auto now = Deadline::Steady::now();
    if (deadline.at() - now < 2 * (now - begin))
      throw StoreError(Trouble::contention, name() + ": others kept changing a session until the deadline");
    begin = now;
    item = lease->gets(item_name, deadline);
  }
}

// ## The verbs

std::optional<Record> MemcachedStore::load(const SessionKey& key, Deadline deadline) {
  const auto item_name = name_of(key);
  auto lease = pool_.take(ring_.server_of(item_name), deadline);
  return record_in(first_look(lease, item_name, deadline));
}

CreateAnswer MemcachedStore::create(const SessionKey& key, const Record& record, Deadline deadline,
                                    const Admission* admission) {
  if (admission) throw StoreError(Trouble::refused, name() + ": it knows no admission");
  require_writable(record);
  return change<CreateAnswer>(key, deadline, [&](const auto& current) -> Decision<CreateAnswer> {
    if (current) return {Taken{*current}};
    return {Done{}, record};
  });
}

CommitAnswer MemcachedStore::commit(const SessionKey& key, const Version& expected, const Record& record,
                                    Deadline deadline) {
  require_writable(record);
  return change<CommitAnswer>(key, deadline, [&](const auto& current) -> Decision<CommitAnswer> {
    if (!current) return {Gone{}};
    if (current->version != expected) return {Conflict{*current}};
    if (current->subject != record.subject)
      throw StoreError(Trouble::refused, name() + ": a commit may not change the subject");
    auto next = record;
    next.accessed = std::max(record.accessed, current->accessed);
    return {Done{}, std::move(next)};
  });
}

TouchAnswer MemcachedStore::touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline) {
  return change<TouchAnswer>(key, deadline, [&](const auto& current) -> Decision<TouchAnswer> {
    if (!current || current->state != State::live || current->version.incarnation != incarnation) return {Gone{}};
    if (accessed <= current->accessed) return {Done{}};
    auto next = *current;
    next.accessed = accessed;
    require_writable(next);
    return {Done{}, std::move(next)};
  });
}

EraseAnswer MemcachedStore::erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline) {
  return change<EraseAnswer>(key, deadline, [&](const auto& current) -> Decision<EraseAnswer> {
    if (!current) return {Absent{}};
    if (expected && current->version != *expected) return {Conflict{*current}};
    return {Removed{*current}, Removal{}};
  });
}

// memcached frees what has expired by itself.
SweepAnswer MemcachedStore::sweep(const SweepRequest& request, Deadline) {
  if (request.accessed_before)
    throw StoreError(Trouble::refused, name() +
                                           ": it cannot list its sessions, and so not find those of an age; "
                                           "let the idle limit end them");
  return {};
}

}  // namespace memcached
}  // namespace sancho
