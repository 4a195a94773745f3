#include "stores/mysql/schema.hpp"

#include <fmt/format.h>

namespace sancho::mysql {

namespace {

// A statement that makes a table commits by itself, so a number in a table of its
// own could differ from what is there. It stands in the comment on the sessions'
// table, which changes with the table or not at all. This table comes last: where
// it is, everything is.
constexpr unsigned schema = 1;
constexpr std::string_view mark = "sancho schema ";

constexpr const char* columns =
    "(k BINARY(32) NOT NULL PRIMARY KEY,"
    " inc BIGINT UNSIGNED NOT NULL,"
    " n BIGINT UNSIGNED NOT NULL,"
    " state TINYINT UNSIGNED NOT NULL,"
    " created BIGINT NOT NULL,"
    " accessed BIGINT NOT NULL,"
    " idle BIGINT NOT NULL,"
    " ends BIGINT NOT NULL,"
    " due BIGINT NOT NULL,"
    " who BINARY(32) NULL,"
    " handle VARBINARY(16) NOT NULL,"
    " subject LONGBLOB NOT NULL,"
    " payload LONGBLOB NOT NULL,"
    " KEY due (due), KEY who (who))";

enum class Found { nothing, current };

Found inspect(Talk& talk, const Statements& names, const std::string& store) {
  auto row = talk.ask(fmt::format(
      "SELECT TABLE_COMMENT,ENGINE FROM information_schema.TABLES WHERE TABLE_SCHEMA=DATABASE() AND TABLE_NAME='{}'",
      names.sessions()));
  if (!row.next()) return Found::nothing;
  const std::string comment(row.text(0).value_or("")), engine(row.text(1).value_or(""));
  unsigned number = 0;
  if (comment.starts_with(mark)) number = static_cast<unsigned>(std::atoi(comment.c_str() + mark.size()));
  if (number > schema)
    throw StoreError(
        Trouble::unavailable,
        fmt::format("{}: its schema is number {} and this program knows {}; a newer version of sancho made "
                    "it: run that one, or name another namespace",
                    store, number, schema));
  if (number == 0 || engine != "InnoDB")
    throw StoreError(Trouble::refused,
                     fmt::format("{}: the table {} is not ours; name another namespace", store, names.sessions()));
  return Found::current;
}

}  // namespace

void set_up(Talk& talk, const Statements& names, const std::string& store) {
  if (inspect(talk, names, store) == Found::current) return;
  constexpr const char* kind = " ENGINE=InnoDB ROW_FORMAT=DYNAMIC";
  const auto make = [&](const std::string& statement) { talk.run({statement}, Effect::writes); };
  make(
      fmt::format("CREATE TABLE IF NOT EXISTS {} (who BINARY(32) NOT NULL PRIMARY KEY, epoch BIGINT UNSIGNED NOT NULL,"
                  " until BIGINT NOT NULL, passed BIGINT UNSIGNED NOT NULL, KEY until (until)){}",
                  names.epochs(), kind));
  make(fmt::format(
      "CREATE TABLE IF NOT EXISTS {} (gate TINYINT UNSIGNED NOT NULL PRIMARY KEY, epoch BIGINT UNSIGNED NOT NULL,"
      " seq BIGINT UNSIGNED NOT NULL, passed BIGINT UNSIGNED NOT NULL){}",
      names.everyone(), kind));
  std::string rows = "(0,0,0,0)";
  for (unsigned gate = 1; gate <= gates; ++gate) rows += fmt::format(",({},0,0,0)", gate);
  make(fmt::format("INSERT IGNORE INTO {} (gate,epoch,seq,passed) VALUES {}", names.everyone(), rows));
  make(fmt::format("CREATE TABLE IF NOT EXISTS {} {}{} COMMENT='{}{}'", names.sessions(), columns, kind, mark, schema));
}

}  // namespace sancho::mysql
