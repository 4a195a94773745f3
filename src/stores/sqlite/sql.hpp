// Every statement that is prepared and kept. Those that read rows name the columns
// of `SANCHO_ROW`, in its order (row.hpp); those that change one are first given its
// bucket.
#pragma once

#include <cstddef>
#include <string_view>

namespace sancho::sqlite {

enum class Sql {
  begin, commit, rollback,
  load, find, insert, replace, commit_here, commit_sooner, touch, erase, move,
  due, put_off,
  walk, by_subject, count,
  epochs, set_epoch, forget_epochs, others,
  rows_of_3, rows_of_4, repack,
};
inline constexpr std::size_t sql_count = static_cast<std::size_t>(Sql::repack) + 1;

#define SANCHO_ROW "accessed,record,bucket"
// What a function of ours is asked about a row.
#define SANCHO_STANDS "sancho_stands(accessed,record,subject)"
// Fields of a packed record, as SQL sees them.
#define SANCHO_KEY "substr(record,5,32)"
#define SANCHO_STATE "substr(record,57,1)"
#define SANCHO_CREATED "CAST(substr(record,58,17) AS INTEGER)"
#define SANCHO_IDLE "CAST(substr(record,75,17) AS INTEGER)"
#define SANCHO_ENDS "CAST(substr(record,92,17) AS INTEGER)"
#define SANCHO_HANDLE "substr(record,109,16)"
// When a pending or live one is gone.
#define SANCHO_EXPIRES "min(accessed + " SANCHO_IDLE "," SANCHO_ENDS ")"

constexpr std::string_view text_of(Sql sql) {
  switch (sql) {
    case Sql::begin: return "BEGIN IMMEDIATE";
    case Sql::commit: return "COMMIT";
    case Sql::rollback: return "ROLLBACK";

    case Sql::load: return "SELECT " SANCHO_ROW " FROM sancho_sessions WHERE bucket = ?1";
    // A key's row behind those that were there before it.
    case Sql::find: return "SELECT " SANCHO_ROW " FROM sancho_sessions WHERE bucket BETWEEN ?1 AND ?1 + 1023 AND " SANCHO_KEY " = ?2";
    case Sql::insert:
      return "INSERT INTO sancho_sessions (bucket,accessed,record,subject,due) VALUES (?1,?2,?3,?4,?5)"
             " ON CONFLICT (bucket) DO NOTHING";
    // Over a record that has expired.
    case Sql::replace: return "REPLACE INTO sancho_sessions (bucket,accessed,record,subject,due) VALUES (?1,?2,?3,?4,?5)";
    // The subject stays, and so do both indexes: a row that becomes due later
    // than `due` says is met by the sweep and put off.
    case Sql::commit_here:
      return "UPDATE sancho_sessions SET accessed = max(?2,accessed), record = ?3 WHERE bucket = ?1 AND " SANCHO_STANDS;
    // One that has been judged.
    case Sql::commit_sooner: return "UPDATE sancho_sessions SET accessed = ?2, record = ?3, due = ?4 WHERE bucket = ?1";
    case Sql::touch: return "UPDATE sancho_sessions SET accessed = ?2 WHERE bucket = ?1 AND " SANCHO_STANDS;
    case Sql::erase: return "DELETE FROM sancho_sessions WHERE bucket = ?1";
    case Sql::move: return "UPDATE sancho_sessions SET bucket = ?2 WHERE bucket = ?1";

    case Sql::due: return "SELECT " SANCHO_ROW " FROM sancho_sessions WHERE due <= ?1 ORDER BY due LIMIT ?2";
    case Sql::put_off: return "UPDATE sancho_sessions SET due = ?2 WHERE bucket = ?1";

    case Sql::walk: return "SELECT " SANCHO_ROW " FROM sancho_sessions WHERE bucket > ?1 ORDER BY bucket LIMIT ?2";
    case Sql::by_subject:
      return "SELECT " SANCHO_ROW " FROM sancho_sessions WHERE subject = ?1 AND subject <> x'' AND " SANCHO_STATE " < x'33'";
    case Sql::count: return "SELECT count(*) FROM sancho_sessions WHERE " SANCHO_STATE " = x'31' AND " SANCHO_EXPIRES " > ?1";

    case Sql::epochs:
      return "SELECT coalesce((SELECT epoch FROM sancho_epochs WHERE subject = ?1 AND subject <> x'' AND until > ?2), 0),"
             " coalesce((SELECT epoch FROM sancho_epochs WHERE subject = x'' AND until > ?2), 0)";
    case Sql::set_epoch: return "REPLACE INTO sancho_epochs (subject, epoch, until) VALUES (?1, ?2, ?3)";
    case Sql::forget_epochs: return "DELETE FROM sancho_epochs WHERE until <= ?1";
    case Sql::others:
      return "SELECT count(DISTINCT " SANCHO_HANDLE ") FROM sancho_sessions WHERE subject = ?1 AND subject <> x''"
             " AND " SANCHO_STATE " < x'32' AND " SANCHO_HANDLE " <> ?2 AND " SANCHO_EXPIRES " > ?3";

    case Sql::rows_of_3:
      return "SELECT key,inc,n,state,created,accessed,idle,ends,crc,subject,handle,payload FROM sancho_sessions_3 ORDER BY key";
    case Sql::rows_of_4: return "SELECT bucket,record,subject FROM sancho_sessions WHERE subject <> x''";
    case Sql::repack: return "UPDATE sancho_sessions SET record = ?2 WHERE bucket = ?1";
  }
  return {};
}

}  // namespace sancho::sqlite
