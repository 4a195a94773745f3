#include "stores/postgresql/sql.hpp"

#include <fmt/args.h>
#include <fmt/format.h>

namespace sancho::postgresql {

namespace {

// ## Words that the statements are made of
//
// In each, `t` is the table of sessions.

constexpr std::string_view columns =
    "t.key, t.inc, t.n, t.state::int8, t.created, t.accessed, t.idle, t.ends, t.checksum, t.subject, t.handle, "
    "t.payload";
constexpr std::string_view no_columns =
    "NULL::bytea, NULL::int8, NULL::int8, NULL::int8, NULL::int8, NULL::int8, NULL::int8, NULL::int8, NULL::bytea,"
    " NULL::bytea, NULL::text, NULL::bytea";

// The server's clock, in milliseconds. Where a statement wants it to stand
// still, or to look in an index, it asks once, in a subquery.
constexpr std::string_view now = "floor(extract(epoch FROM clock_timestamp()) * 1000)::int8";

// `Record::expires`. A damaged time must stop no sweep by an overflow, so sums
// are of numbers within the bounds of `require_writable`.
constexpr std::string_view expires =
    "(CASE WHEN t.state < 2 THEN least(t.ends, least(greatest(t.accessed, -9007199254740992), 9007199254740992)"
    " + least(greatest(t.idle, -9007199254740992), 9007199254740992)) ELSE t.ends END)";

// The checksum of row.cpp, computed by the server: a row that is not what was
// written stays, also where the record does not come here before it goes.
constexpr std::string_view intact =
    "(t.checksum = substr(sha256(int8send(t.inc) || int8send(t.n) || int8send(t.state::int8) || int8send(t.created)"
    " || int8send(t.idle) || int8send(t.ends) || int8send(octet_length(t.subject)::int8)"
    " || int8send(octet_length(t.handle)::int8) || t.subject || convert_to(t.handle, getdatabaseencoding()) || "
    "t.payload),"
    " 1, 8) AND t.accessed BETWEEN -9007199254740992 AND 9007199254740992)";

constexpr std::string_view insert =
    "INSERT INTO {sessions} AS t (key, inc, n, state, created, accessed, idle, ends, checksum, subject, handle, "
    "payload, due)";
constexpr std::string_view new_row =
    "$1::bytea, $2::int8, $3::int8, $4::int8, $5::int8, $6::int8, $7::int8, $8::int8, $9::bytea, $10::bytea, "
    "$11::text, $12::bytea,"
    " $13::int8";
// Over a record that has expired.
constexpr std::string_view or_replace =
    "ON CONFLICT (key) DO UPDATE SET inc = excluded.inc, n = excluded.n, state = excluded.state, created = "
    "excluded.created,"
    " accessed = excluded.accessed, idle = excluded.idle, ends = excluded.ends, checksum = excluded.checksum,"
    " subject = excluded.subject, handle = excluded.handle, payload = excluded.payload, due = excluded.due"
    " WHERE {expires} <= {now} AND {intact}";
// As the index of subjects has it.
constexpr std::string_view of_subject =
    "sha256(t.subject) = sha256({0}) AND t.subject = {0} AND t.subject <> ''::bytea AND t.state < 3";

// ## The statements
//
// A verb that decides is one statement: the change, and beside it the record
// that is in the way, if nothing was changed. The change sees the row as it is
// now, the other half as it was when the statement began. So who lost against
// another at that very moment is shown a row that was no obstacle; the caller
// sees that and asks again.
//
// Whoever answers with rows begins them with a number: 1 for done.

std::string text_of(Sql sql) {
  switch (sql) {
    case Sql::load:
      return "SELECT {columns} FROM {sessions} t WHERE t.key = $1::bytea AND {expires} > {now}";

    // 0: here is the record; 2: here is one that has expired.
    case Sql::create:
      return fmt::format(
          "WITH put AS ({} VALUES ({}) {} RETURNING 1)"
          " SELECT 1::int8, {{no_columns}} FROM put UNION ALL"
          " SELECT CASE WHEN {{expires}} > {{now}} THEN 0 ELSE 2 END, {{columns}} FROM {{sessions}} t"
          " WHERE t.key = $1::bytea AND NOT EXISTS (SELECT FROM put)",
          insert, new_row, or_replace);
    // 3: revoked; 4: at the cap. After one of the locks, which came before, in
    // the same transaction: so nobody else is being admitted meanwhile.
    case Sql::create_admitted:
      return fmt::format(
          "WITH here AS (SELECT {{columns}} FROM {{sessions}} t WHERE t.key = $1::bytea AND {{expires}} > {{now}}),"
          " asked AS MATERIALIZED (SELECT"
          " coalesce((SELECT epoch FROM {{epochs}} WHERE subject = $14::bytea AND until > {{now}}), 0) = $15::int8 AND"
          " coalesce((SELECT epoch FROM {{epochs}} WHERE subject = ''::bytea AND until > {{now}}), 0) = $16::int8 AS "
          "admitted,"
          " $17::int8 = 0 OR (SELECT count(DISTINCT t.handle) FROM {{sessions}} t WHERE {} AND t.state < 2"
          " AND t.handle <> $11::text AND {{expires}} > {{now}}) < $17::int8 AS room),"
          " put AS ({} SELECT {} FROM asked WHERE admitted AND room AND NOT EXISTS (SELECT FROM here) {} RETURNING 1)"
          " SELECT 1::int8, {{no_columns}} FROM put UNION ALL SELECT 0, * FROM here UNION ALL"
          " SELECT CASE WHEN NOT admitted THEN 3 WHEN NOT room THEN 4 ELSE 2 END, {{columns}}"
          " FROM asked LEFT JOIN {{sessions}} t ON t.key = $1::bytea WHERE NOT EXISTS (SELECT FROM put) AND NOT EXISTS "
          "(SELECT FROM here)",
          fmt::format(of_subject, "$10::bytea"), insert, new_row, or_replace);

    // The subject stays, and `due` only moves to the fore: a row that becomes
    // due later than it says is met by the sweep and put off. So no index
    // changes with most commits, and with no touch.
    case Sql::commit:
      return "WITH put AS (UPDATE {sessions} t SET inc = $2::int8, n = $3::int8, state = $4::int8, created = $5::int8,"
             " accessed = greatest(t.accessed, $6::int8), idle = $7::int8, ends = $8::int8, checksum = $9::bytea,"
             " handle = $11::text, payload = $12::bytea,"
             " due = least(t.due, CASE WHEN $4::int8 < 2 THEN least($8::int8, greatest(t.accessed, $6::int8) + "
             "$7::int8) ELSE $8::int8 END)"
             " WHERE t.key = $1::bytea AND t.inc = $13::int8 AND t.n = $14::int8 AND t.subject = $10::bytea AND "
             "{expires} > {now}"
             " RETURNING 1)"
             " SELECT 1::int8, {no_columns} FROM put UNION ALL"
             " SELECT 0, {columns} FROM {sessions} t WHERE t.key = $1::bytea AND {expires} > {now} AND NOT EXISTS "
             "(SELECT FROM put)";
    // 0: live, and not accessed that late; 1 also for one that was accessed later.
    case Sql::touch:
      return "WITH put AS (UPDATE {sessions} t SET accessed = $3::int8"
             " WHERE t.key = $1::bytea AND t.inc = $2::int8 AND t.state = 1 AND t.accessed < $3::int8 AND {expires} > "
             "{now} RETURNING 1)"
             " SELECT 1::int8 FROM put UNION ALL"
             " SELECT CASE WHEN t.accessed < $3::int8 THEN 0 ELSE 1 END FROM {sessions} t WHERE t.key = $1::bytea AND "
             "t.inc = $2::int8"
             " AND t.state = 1 AND {expires} > {now} AND NOT EXISTS (SELECT FROM put)";
    // Any version where $4 says so.
    case Sql::erase:
      return "WITH gone AS (DELETE FROM {sessions} t WHERE t.key = $1::bytea AND ($4::bool OR (t.inc = $2::int8 AND "
             "t.n = $3::int8))"
             " AND {expires} > {now} AND {intact} RETURNING {columns})"
             " SELECT 1::int8, * FROM gone UNION ALL"
             " SELECT 0, {columns} FROM {sessions} t WHERE t.key = $1::bytea AND {expires} > {now} AND NOT EXISTS "
             "(SELECT FROM gone)";

    // First how many rows were due, then what went. Who stands in the queue too
    // early is put off; a damaged row is put off for ever, and stays. Rows that
    // somebody else is at are passed over, so sweepers never wait.
    case Sql::sweep:
      return "WITH clock AS MATERIALIZED (SELECT {now} AS ms),"
             " due AS MATERIALIZED (SELECT key FROM {sessions} WHERE due <= (SELECT ms FROM clock) ORDER BY due LIMIT "
             "$1::int8"
             " FOR UPDATE SKIP LOCKED),"
             " gone AS (DELETE FROM {sessions} t USING due WHERE t.key = due.key AND {expires} <= (SELECT ms FROM "
             "clock) AND {intact}"
             " RETURNING t.state::int8, t.handle),"
             " later AS (UPDATE {sessions} t SET due = CASE WHEN {intact} THEN {expires} ELSE 9223372036854775807 END "
             "FROM due"
             " WHERE t.key = due.key AND NOT ({expires} <= (SELECT ms FROM clock) AND {intact}) RETURNING 1),"
             " over AS MATERIALIZED (SELECT subject FROM {epochs} WHERE until <= (SELECT ms FROM clock) LIMIT 100 FOR "
             "UPDATE SKIP LOCKED),"
             " forgotten AS (DELETE FROM {epochs} e USING over WHERE e.subject = over.subject AND e.until <= (SELECT "
             "ms FROM clock))"
             " SELECT (SELECT count(*) FROM due)::int8, NULL::text UNION ALL SELECT * FROM gone";
    // First how many rows were looked at and the key of the last.
    case Sql::sweep_idle:
      return "WITH page AS MATERIALIZED (SELECT key, state, accessed FROM {sessions} WHERE key > $1::bytea ORDER BY "
             "key LIMIT $2::int8),"
             " old AS MATERIALIZED (SELECT t.key FROM {sessions} t JOIN page ON page.key = t.key WHERE page.state = 1"
             " AND page.accessed < $3::int8 AND t.state = 1 AND t.accessed < $3::int8 FOR UPDATE OF t SKIP LOCKED),"
             " gone AS (DELETE FROM {sessions} t USING old WHERE t.key = old.key AND t.state = 1 AND t.accessed < "
             "$3::int8 AND {intact}"
             " RETURNING t.handle)"
             " SELECT (SELECT count(*) FROM page)::int8, (SELECT key FROM page ORDER BY key DESC LIMIT 1), NULL::text"
             " UNION ALL SELECT 1, NULL::bytea, handle FROM gone";

    case Sql::walk:
      return "SELECT {columns} FROM {sessions} t WHERE t.key > $1::bytea AND {expires} > (SELECT {now}) ORDER BY t.key "
             "LIMIT $2::int8";
    case Sql::by_subject:
      return "SELECT {columns} FROM {sessions} t WHERE " + fmt::format(of_subject, "$1::bytea") +
             " AND {expires} > (SELECT {now})";
    case Sql::count:
      return "SELECT count(*)::int8 FROM {sessions} t WHERE t.state = 1 AND {expires} > (SELECT {now})";

    case Sql::epochs:
      return "SELECT coalesce((SELECT epoch FROM {epochs} WHERE subject = $1::bytea AND subject <> ''::bytea AND until "
             "> {now}), 0)::int8,"
             " coalesce((SELECT epoch FROM {epochs} WHERE subject = ''::bytea AND until > {now}), 0)::int8";
    case Sql::set_epoch:
      return "INSERT INTO {epochs} (subject, epoch, until) VALUES ($1::bytea, $2::int8, $3::int8)"
             " ON CONFLICT (subject) DO UPDATE SET epoch = excluded.epoch, until = excluded.until";

    // Everyone's lock and then the subject's: always in this order.
    case Sql::lock_shared:
      return "SELECT pg_advisory_xact_lock_shared($1::int8), pg_advisory_xact_lock_shared($2::int8)";
    case Sql::lock_for_cap:
      return "SELECT pg_advisory_xact_lock_shared($1::int8), pg_advisory_xact_lock($2::int8)";
    case Sql::lock:
      return "SELECT pg_advisory_xact_lock($1::int8)";
  }
  return {};
}

}  // namespace

Tables::Tables(const std::string& name_space) {
  const auto prefix = "sancho_" + (name_space.empty() ? "" : name_space + "_");
  sessions = prefix + "sessions";
  epochs = prefix + "epochs";
  schema = prefix + "schema";
}

Statements::Statements(const Tables& tables) {
  for (std::size_t i = 0; i < sql_count; ++i)
    texts_[i] =
        fmt::format(fmt::runtime(text_of(static_cast<Sql>(i))), fmt::arg("sessions", tables.sessions),
                    fmt::arg("epochs", tables.epochs), fmt::arg("columns", columns), fmt::arg("no_columns", no_columns),
                    fmt::arg("now", now), fmt::arg("expires", expires), fmt::arg("intact", intact));
}

}  // namespace sancho::postgresql
