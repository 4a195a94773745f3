// What the server's error codes mean.
#include "stores/postgresql/meaning.hpp"

#include <gtest/gtest.h>

namespace sancho::postgresql {
namespace {

TEST(PostgresqlMeaning, EveryCodeHasOne) {
  const struct {
    const char* sqlstate;
    Trouble kind;
    Next next;
  } rows[] = {
      {"", Trouble::unavailable, Next::elsewhere},       // the connection was lost
      {"08006", Trouble::unavailable, Next::elsewhere},  // connection_failure
      {"0A000", Trouble::unavailable, Next::elsewhere},  // cached plan must not change result type
      {"22003", Trouble::refused, Next::give_up},        // numeric_value_out_of_range
      {"23514", Trouble::refused, Next::give_up},        // check_violation
      {"25006", Trouble::unavailable, Next::elsewhere},  // read_only_sql_transaction
      {"25P03", Trouble::unavailable, Next::elsewhere},  // idle_in_transaction_session_timeout
      {"26000", Trouble::unavailable, Next::elsewhere},  // invalid_sql_statement_name
      {"28000", Trouble::refused, Next::give_up},        // invalid_authorization_specification
      {"28P01", Trouble::refused, Next::give_up},        // invalid_password
      {"3D000", Trouble::refused, Next::give_up},        // invalid_catalog_name
      {"40001", Trouble::contention, Next::again},       // serialization_failure
      {"40003", Trouble::unavailable, Next::elsewhere},  // statement_completion_unknown
      {"40P01", Trouble::contention, Next::again},       // deadlock_detected
      {"42501", Trouble::refused, Next::give_up},        // insufficient_privilege
      {"42P01", Trouble::refused, Next::give_up},        // undefined_table
      {"53100", Trouble::full, Next::give_up},           // disk_full
      {"53200", Trouble::unavailable, Next::give_up},    // out_of_memory
      {"53300", Trouble::unavailable, Next::give_up},    // too_many_connections
      {"54000", Trouble::refused, Next::give_up},        // program_limit_exceeded
      {"55P03", Trouble::contention, Next::again},       // lock_not_available
      {"57014", Trouble::unavailable, Next::give_up},    // query_canceled
      {"57P01", Trouble::unavailable, Next::elsewhere},  // admin_shutdown
      {"57P02", Trouble::unavailable, Next::elsewhere},  // crash_shutdown
      {"57P03", Trouble::unavailable, Next::elsewhere},  // cannot_connect_now
      {"58030", Trouble::unavailable, Next::give_up},    // io_error
      {"XX001", Trouble::unavailable, Next::give_up},    // data_corrupted
      {"ZZZZZ", Trouble::unavailable, Next::give_up},    // of a server yet to come
  };
  for (const auto& row : rows) {
    const auto meaning = meaning_of(row.sqlstate);
    EXPECT_EQ(meaning.kind, row.kind) << row.sqlstate;
    EXPECT_EQ(meaning.next, row.next) << row.sqlstate;
  }
}

}  // namespace
}  // namespace sancho::postgresql
