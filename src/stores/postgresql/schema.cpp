#include "stores/postgresql/schema.hpp"

#include <fmt/format.h>

#include <charconv>

#include "sancho/error.hpp"
#include "stores/postgresql/admittance.hpp"

namespace sancho::postgresql {

namespace {

constexpr int current_version = 1;

// ## Schema 1
//
// `due` is the sweep's queue: never later than the row's expiry when written,
// and not moved when the expiry moves later, so that touching a session changes
// no index. A page keeps room for the next version of its rows. Payloads are not
// compressed: many are sealed, and a large one lies beside the row, where a
// touch need not copy it.
constexpr std::string_view schema_1 =
    "CREATE TABLE IF NOT EXISTS {sessions} ("
    "inc bigint NOT NULL, n bigint NOT NULL, created bigint NOT NULL, accessed bigint NOT NULL, idle bigint NOT NULL,"
    " ends bigint NOT NULL, due bigint NOT NULL, state smallint NOT NULL, key bytea NOT NULL PRIMARY KEY,"
    " checksum bytea NOT NULL, subject bytea NOT NULL, handle text NOT NULL, payload bytea NOT NULL) WITH (fillfactor "
    "= 70);"
    "ALTER TABLE {sessions} ALTER payload SET STORAGE EXTERNAL;"
    "CREATE INDEX IF NOT EXISTS {sessions}_due ON {sessions} (due);"
    "CREATE INDEX IF NOT EXISTS {sessions}_subject ON {sessions} (sha256(subject)) WHERE subject <> ''::bytea AND "
    "state < 3;"
    "CREATE TABLE IF NOT EXISTS {epochs} (subject bytea NOT NULL PRIMARY KEY, epoch bigint NOT NULL, until bigint NOT "
    "NULL);"
    "CREATE TABLE IF NOT EXISTS {schema} (version integer NOT NULL);"
    "INSERT INTO {schema} SELECT 1 WHERE NOT EXISTS (SELECT FROM {schema});";

constexpr std::string_view columns_1 =
    "inc bigint,n bigint,created bigint,accessed bigint,idle bigint,ends bigint,due bigint,state smallint,key bytea,"
    "checksum bytea,subject bytea,handle text,payload bytea";

std::string named(std::string_view sql, const Tables& tables) {
  return fmt::format(fmt::runtime(sql), fmt::arg("sessions", tables.sessions), fmt::arg("epochs", tables.epochs),
                     fmt::arg("schema", tables.schema));
}

class Schema {
 public:
  Schema(const Tables& tables, const std::string& store) : tables_(tables), store_(store) {}

  // Is all there, and of this version? False if nothing is.
  Conversation<bool> is_current() const {
    // In one view: while another makes them, all are there or none is.
    const auto there = co_await ask(
        "SELECT bool_or(relname = '{schema}'), bool_or(relname = '{sessions}'), bool_or(relname = '{epochs}')"
        " FROM pg_class WHERE relname IN ('{schema}', '{sessions}', '{epochs}') AND pg_table_is_visible(oid)");
    const auto has = [&](int column) { return there.bytes(0, column) == "t"; };
    if (!has(0) && !has(1) && !has(2)) co_return false;
    if (!has(0)) foreign();
    const auto found = co_await ask("SELECT version FROM {schema}");
    int version = 0;
    if (const auto text = found.rows() == 1 ? found.bytes(0, 0).value_or("") : ""; !text.empty())
      std::from_chars(text.data(), text.data() + text.size(), version);
    if (version > current_version)
      throw StoreError(Trouble::unavailable,
                       fmt::format("{}: its schema is number {} and this program knows {}; a newer version of sancho"
                                   " made it: run that one, or name another database or namespace",
                                   store_, version, current_version));
    if (version < 1 || !has(1) || !has(2)) foreign();
    const auto columns = co_await ask(
        "SELECT string_agg(attname || ' ' || format_type(atttypid, NULL), ',' ORDER BY attnum) FROM pg_attribute"
        " WHERE attrelid = '{sessions}'::regclass AND attnum > 0 AND NOT attisdropped");
    if (columns.bytes(0, 0) != columns_1) foreign();
    co_return true;
  }

  // All in one transaction, under a lock of ours.
  Conversation<Result> ask(std::string_view sql, std::string_view before = {}) const {
    Script script;
    script.sql = std::string(before) + named(sql, tables_);
    co_await script;
    if (script.reply.failure) raise(store_, "looking at its tables, or making them", *script.reply.failure, false);
    co_return std::move(script.reply.results.back());
  }

 private:
  [[noreturn]] void foreign() const {
    throw StoreError(Trouble::refused, store_ + ": " + tables_.sessions +
                                           " and the tables beside it are not what sancho made;"
                                           " name another database or namespace");
  }

  const Tables& tables_;
  const std::string& store_;
};

}  // namespace

Conversation<Done> set_up(const Tables& tables, std::int64_t lock, const std::string& store) {
  const Schema schema(tables, store);
  const bool current = co_await schema.is_current();
  if (current) co_return Done{};
  const std::string lock_first = fmt::format("SELECT pg_advisory_xact_lock({});", lock);
  (void)co_await schema.ask(schema_1, lock_first);
  (void)co_await schema.is_current();  // or somebody newer was first
  co_return Done{};
}

}  // namespace sancho::postgresql
