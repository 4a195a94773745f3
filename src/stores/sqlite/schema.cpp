#include "stores/sqlite/schema.hpp"

#include <iterator>

#include "stores/sqlite/schema_3.hpp"
#include "stores/sqlite/schema_4.hpp"

namespace sancho::sqlite {

namespace {

// ## Migrations
//
// The n-th leads from schema n to schema n + 1; the number stands in
// `user_version`. What was released is never edited, only added to.
//
// `due` is the sweep's queue: never later than the row's expiry when written,
// and not moved when the expiry moves later, so that touching a session writes
// to no index. See docs/stores/sqlite.md.
struct Migration {
  const char* sql;
  const char* columns;  // what the table's columns are afterwards
  void (*then)(Connection&) = nullptr;
};

// For operators; `bytes` are the payload's.
#define SANCHO_READABLE(bytes)                                        \
  "CREATE VIEW sancho_readable AS SELECT lower(hex(" SANCHO_KEY ")) AS key," \
  " CAST(" SANCHO_STATE " AS INTEGER) AS state,"                      \
  " " SANCHO_CREATED " AS created,"                                   \
  " accessed,"                                                        \
  " " SANCHO_IDLE " AS idle,"                                         \
  " " SANCHO_ENDS " AS ends,"                                         \
  " due,"                                                             \
  " CAST(subject AS TEXT) AS subject,"                                \
  " trim(CAST(" SANCHO_HANDLE " AS TEXT)) AS handle,"                 \
  " " bytes " AS bytes FROM sancho_sessions"

constexpr Migration migrations[] = {
    {"CREATE TABLE sancho_sessions ("
     " key BLOB NOT NULL PRIMARY KEY,"
     " inc INTEGER NOT NULL,"
     " n INTEGER NOT NULL,"
     " state INTEGER NOT NULL,"
     " created INTEGER NOT NULL,"
     " accessed INTEGER NOT NULL,"
     " idle INTEGER NOT NULL,"
     " ends INTEGER NOT NULL,"
     " due INTEGER NOT NULL,"
     " crc INTEGER NOT NULL,"
     " subject BLOB NOT NULL,"
     " handle TEXT NOT NULL,"
     " payload BLOB NOT NULL"
     ") WITHOUT ROWID",
     "key,inc,n,state,created,accessed,idle,ends,due,crc,subject,handle,payload"},
    {"CREATE INDEX sancho_sessions_due ON sancho_sessions (due);"
     "CREATE INDEX sancho_sessions_subject ON sancho_sessions (subject) WHERE subject <> x''",
     "key,inc,n,state,created,accessed,idle,ends,due,crc,subject,handle,payload"},
    // Everyone's epoch stands under the empty subject.
    {"CREATE TABLE sancho_epochs ("
     " subject BLOB NOT NULL PRIMARY KEY,"
     " epoch INTEGER NOT NULL,"
     " until INTEGER NOT NULL"
     ") WITHOUT ROWID",
     "key,inc,n,state,created,accessed,idle,ends,due,crc,subject,handle,payload"},
    // A record is one field, and its row is found by a number: row.hpp.
    {"DROP INDEX sancho_sessions_due; DROP INDEX sancho_sessions_subject;"
     "ALTER TABLE sancho_sessions RENAME TO sancho_sessions_3;"
     "CREATE TABLE sancho_sessions ("
     " bucket INTEGER PRIMARY KEY,"
     " accessed INTEGER NOT NULL,"
     " record BLOB NOT NULL,"
     " subject BLOB NOT NULL,"
     " due INTEGER NOT NULL"
     ");"
     SANCHO_READABLE("length(record) - 124"), "bucket,accessed,record,subject,due", carry_over_3},
    // A record has its subject too, so that a load need not read the column.
    {"DROP VIEW IF EXISTS sancho_readable;" SANCHO_READABLE("length(record) - 124 - length(subject)"), "bucket,accessed,record,subject,due", repack_4},
};
constexpr std::int64_t current_version = std::size(migrations);

constexpr const char* looking = "looking at its schema";

std::int64_t version_of(Connection& c) { return c.number("PRAGMA user_version", looking); }

[[noreturn]] void foreign(const std::string& store) {
  throw StoreError(Trouble::refused, store + ": this is another application's database; name a file of its own for the sessions");
}

}  // namespace

Found inspect(Connection& c, const std::string& store) {
  const auto owner = c.number("PRAGMA application_id", looking);
  const auto version = version_of(c);
  if (owner != application_id) {
    const bool untouched = owner == 0 && version == 0 && c.number("SELECT count(*) FROM sqlite_schema", looking) == 0;
    if (!untouched) foreign(store);
    return Found::empty;
  }
  if (version > current_version)
    throw StoreError(Trouble::unavailable, store + ": its schema is number " + std::to_string(version) + " and this program knows " +
                                               std::to_string(current_version) +
                                               "; a newer version of sancho made it: run that one, or name another file");
  if (version <= 0) foreign(store);
  const auto columns = c.text("SELECT group_concat(name) FROM pragma_table_xinfo('sancho_sessions')", looking);
  if (columns != migrations[version - 1].columns) foreign(store);
  return version < current_version ? Found::older : Found::current;
}

void migrate(Connection& c, const std::string& store) {
  constexpr const char* doing = "upgrading its schema";
  Transaction transaction(c, doing);
  if (inspect(c, store) != Found::current) {
    for (auto version = version_of(c); version < current_version; ++version) {
      c.run(migrations[version].sql, doing);
      if (migrations[version].then) migrations[version].then(c);
    }
    c.run(("PRAGMA application_id = " + std::to_string(application_id)).c_str(), doing);
    c.run(("PRAGMA user_version = " + std::to_string(current_version)).c_str(), doing);
  }
  transaction.commit();
}

}  // namespace sancho::sqlite
