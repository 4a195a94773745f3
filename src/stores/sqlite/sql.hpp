// Every statement that is prepared and kept. A record's columns are always
// named in the order of `record_columns`, and the first parameter is always the
// key.
#pragma once

#include <cstddef>
#include <string_view>

namespace sancho::sqlite {

enum class Sql {
  begin, commit, rollback,
  load, insert, replace, commit_here, commit_sooner, touch, erase,
  due, put_off,
  walk, by_subject, count,
  epochs, set_epoch, forget_epochs, others,
};
inline constexpr std::size_t sql_count = static_cast<std::size_t>(Sql::others) + 1;

#define SANCHO_COLUMNS_BESIDE_KEY "inc,n,state,created,accessed,idle,ends,crc,subject,handle,payload"
#define SANCHO_RECORD_COLUMNS "key," SANCHO_COLUMNS_BESIDE_KEY

constexpr std::string_view text_of(Sql sql) {
  switch (sql) {
    case Sql::begin: return "BEGIN IMMEDIATE";
    case Sql::commit: return "COMMIT";
    case Sql::rollback: return "ROLLBACK";

    // Who asks knows the key.
    case Sql::load: return "SELECT NULL," SANCHO_COLUMNS_BESIDE_KEY " FROM sancho_sessions WHERE key = ?1";
    case Sql::insert:
      return "INSERT INTO sancho_sessions (" SANCHO_RECORD_COLUMNS ",due) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)"
             " ON CONFLICT (key) DO NOTHING";
    // Over a record that has expired.
    case Sql::replace:
      return "REPLACE INTO sancho_sessions (" SANCHO_RECORD_COLUMNS ",due) VALUES (?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13)";
    // The subject stays, and so do both indexes: a row that becomes due later
    // than `due` says is met by the sweep and put off.
    case Sql::commit_here:
      return "UPDATE sancho_sessions SET inc = ?2, n = ?3, state = ?4, created = ?5, accessed = max(?6, accessed), idle = ?7, ends = ?8,"
             " crc = ?9, handle = ?10, payload = ?11"
             " WHERE key = ?1 AND sancho_stands(" SANCHO_COLUMNS_BESIDE_KEY ")";
    // One that has been judged.
    case Sql::commit_sooner:
      return "UPDATE sancho_sessions SET inc = ?2, n = ?3, state = ?4, created = ?5, accessed = ?6, idle = ?7, ends = ?8,"
             " crc = ?9, handle = ?10, payload = ?11, due = ?12 WHERE key = ?1";
    case Sql::touch:
      return "UPDATE sancho_sessions SET accessed = ?3"
             " WHERE key = ?1 AND inc = ?2 AND state = 1 AND accessed < ?3 AND min(accessed + idle, ends) > ?4";
    case Sql::erase: return "DELETE FROM sancho_sessions WHERE key = ?1";

    case Sql::due: return "SELECT " SANCHO_RECORD_COLUMNS " FROM sancho_sessions WHERE due <= ?1 ORDER BY due LIMIT ?2";
    case Sql::put_off: return "UPDATE sancho_sessions SET due = ?2 WHERE key = ?1";

    case Sql::walk: return "SELECT " SANCHO_RECORD_COLUMNS " FROM sancho_sessions WHERE key > ?1 ORDER BY key LIMIT ?2";
    case Sql::by_subject:
      return "SELECT " SANCHO_RECORD_COLUMNS " FROM sancho_sessions WHERE subject = ?1 AND subject <> x'' AND state < 3";
    case Sql::count: return "SELECT count(*) FROM sancho_sessions WHERE state = 1 AND min(accessed + idle, ends) > ?1";

    case Sql::epochs:
      return "SELECT coalesce((SELECT epoch FROM sancho_epochs WHERE subject = ?1 AND subject <> x'' AND until > ?2), 0),"
             " coalesce((SELECT epoch FROM sancho_epochs WHERE subject = x'' AND until > ?2), 0)";
    case Sql::set_epoch: return "REPLACE INTO sancho_epochs (subject, epoch, until) VALUES (?1, ?2, ?3)";
    case Sql::forget_epochs: return "DELETE FROM sancho_epochs WHERE until <= ?1";
    case Sql::others:
      return "SELECT count(DISTINCT handle) FROM sancho_sessions WHERE subject = ?1 AND subject <> x'' AND state < 2"
             " AND handle <> ?2 AND min(accessed + idle, ends) > ?3";
  }
  return {};
}

}  // namespace sancho::sqlite
