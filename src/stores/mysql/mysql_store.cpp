#include "stores/mysql/mysql_store.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "stores/mysql/row.hpp"
#include "stores/mysql/schema.hpp"

namespace sancho {

std::unique_ptr<SessionStore> open_mysql_store(const MysqlOptions& options) {
  return std::make_unique<mysql::MysqlStore>(options);
}

namespace mysql {

namespace {

MysqlOptions checked(MysqlOptions o) {
  const auto in_name = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; };
  if (o.name_space.size() > 32 || !std::ranges::all_of(o.name_space, in_name))
    throw ConfigError("mysql: a namespace has at most 32 letters a-z, digits and _");
  if (o.database.empty() || o.database.find('\0') != std::string::npos)
    throw ConfigError("mysql: needs a database: write mysql://user:password@host/database");
  if (!o.socket.empty()) o.hosts.assign(1, {.host = "localhost", .port = 0});
  if (o.hosts.empty()) throw ConfigError("mysql: needs a host or a socket");
  if (o.connections == 0) throw ConfigError("mysql: connections must be 1 or more");
  return o;
}

std::string name_of(const MysqlOptions& o) {
  std::string hosts;
  for (const auto& h : o.hosts)
    hosts += (hosts.empty() ? "" : ",") + h.host + (h.port == 0 ? "" : ":" + std::to_string(h.port));
  return "mysql://" + hosts + "/" + o.database;
}

constexpr int most_breaks = 4;

}  // namespace

MysqlStore::MysqlStore(const MysqlOptions& options, const std::atomic<std::int64_t>* ahead)
    : options_(checked(options)), sql_(options_.name_space, ahead), pool_(options_, name_of(options_)) {
  setup();
}

void MysqlStore::setup() {
  carry_out("setting up its tables", Deadline::after(options_.open_timeout), [&](Talk& talk) {
    set_up(talk, sql_, name());
    return std::optional(Done{});
  });
}

// Several hosts that are no cluster may both take writes while one takes over
// from the other, and what the one forgets the other never had.
StoreTraits MysqlStore::traits() const {
  const auto& node = pool_.promised();
  return {.thread_safe = true,
          .multiprocess_safe = true,
          .durable = node.durable,
          .power_safe = node.power_safe,
          .linearizable = node.galera || options_.hosts.size() == 1,
          .keeps = true,
          .survives_failover = node.galera && node.cluster_size > 1,
          .distributed = true};
}

// ## Trying again
//
// Only what has certainly not been done is tried again. A connection that breaks
// while it reads, or before a command was sent, has done nothing; a new one is
// tried a few times. What others were in the way of is tried until the deadline.
void MysqlStore::judge(const Failure& f, const Pool::Lease& lease, const char* doing, int& breaks) const {
  const auto meaning = meaning_of(f.code);
  const bool answered = f.reach == Failure::Reach::answered;
  const bool broken = !answered || meaning.remedy == Remedy::elsewhere;
  if (broken && f.code != 0) lease.suspect();
  if (f.maybe_done) throw StoreError(Trouble::unavailable, message_of(f, name(), doing), true);
  if (f.timed_out) throw StoreError(Trouble::unavailable, message_of(f, name(), doing));
  if (answered && meaning.remedy == Remedy::again) return;
  if (broken && ++breaks <= most_breaks) return;
  throw StoreError(broken ? Trouble::unavailable : meaning.kind, message_of(f, name(), doing));
}

void MysqlStore::give_up(const char* doing) const {
  throw StoreError(Trouble::contention,
                   fmt::format("{}: others kept getting in first until the deadline, while {}", name(), doing));
}

// ## The verbs

MysqlStore::Loaded MysqlStore::read(Talk& talk, const SessionKey& key) const {
  auto row = talk.ask(sql_.load(key));
  if (!row.next()) return {};
  auto record = intact_record_of(row, 1, name());
  const bool alive = !record.expired(time_of(row));
  return {std::move(record), alive};
}

std::optional<Record> MysqlStore::load(const SessionKey& key, Deadline deadline) {
  return carry_out("loading a session", deadline, [&](Talk& talk) {
    auto found = read(talk, key);
    return std::make_optional(found.alive ? std::move(found.record) : std::nullopt);
  });
}

CreateAnswer MysqlStore::create(const SessionKey& key, const Record& record, Deadline deadline,
                                const Admission* admission) {
  if (admission && record.subject.empty())
    throw StoreError(Trouble::refused, name() + ": an admission is for a record with a subject");
  require_writable(record, name());
  return carry_out("creating a session", deadline, [&](Talk& talk) -> std::optional<CreateAnswer> {
    if (admission) return admit(talk, key, record, *admission);
    try {
      talk.change(sql_.insert(key, record));
      return Done{};
    } catch (const Failure& f) {
      if (!is_duplicate_key(f)) throw;
    }
    auto current = read(talk, key);
    if (current.alive) return Taken{*std::move(current.record)};
    if (current.record && talk.change(sql_.replace(key, record)) == 1) return Done{};
    if (current.record == record) return Done{};  // it expired before it came
    return std::nullopt;
  });
}

// One statement, which says nothing but whether it changed the row. If it did
// not, the row is read: the answer is what it says then, and if it then says
// that the statement should have changed it, it came in between.
//
// On Galera the statement may see a row that is older than what other nodes have
// acknowledged. Then it either changes nothing, and the reading waits for what
// they have; or it is rejected when it commits, because it was not based on it.
CommitAnswer MysqlStore::commit(const SessionKey& key, const Version& expected, const Record& record,
                                Deadline deadline) {
  require_writable(record, name());
  return carry_out("committing a session", deadline, [&](Talk& talk) -> std::optional<CommitAnswer> {
    if (talk.change(sql_.commit(key, expected, record)) == 1) return Done{};
    auto current = read(talk, key);
    if (!current.alive) return Gone{};
    if (current.record->version != expected) return Conflict{*std::move(current.record)};
    if (current.record->subject != record.subject)
      throw StoreError(Trouble::refused, name() + ": a commit may not change the subject");
    auto next = record;
    next.accessed = std::max(next.accessed, current.record->accessed);
    if (next == *current.record) return Done{};  // there was nothing to change
    return std::nullopt;
  });
}

TouchAnswer MysqlStore::touch(const SessionKey& key, std::uint64_t incarnation, Time accessed, Deadline deadline) {
  return carry_out("touching a session", deadline, [&](Talk& talk) -> std::optional<TouchAnswer> {
    if (talk.change(sql_.touch(key, incarnation, accessed)) == 1) return Done{};
    const auto current = read(talk, key);
    if (!current.alive || current.record->state != State::live || current.record->version.incarnation != incarnation)
      return Gone{};
    if (current.record->accessed >= accessed) return Done{};
    return std::nullopt;
  });
}

EraseAnswer MysqlStore::erase(const SessionKey& key, const std::optional<Version>& expected, Deadline deadline) {
  return carry_out("erasing a session", deadline, [&](Talk& talk) -> std::optional<EraseAnswer> {
    auto current = read(talk, key);
    if (!current.alive) return Absent{};
    if (expected && current.record->version != *expected) return Conflict{*std::move(current.record)};
    if (talk.change(sql_.erase(key, *current.record)) == 1) return Removed{*std::move(current.record)};
    return std::nullopt;
  });
}

}  // namespace mysql
}  // namespace sancho
