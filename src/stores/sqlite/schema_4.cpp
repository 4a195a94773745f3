#include "stores/sqlite/schema_4.hpp"

#include "stores/sqlite/packed_record.hpp"

namespace sancho::sqlite {

// Should one be met again, it is not one of schema 4 any more.
void repack_4(Connection& c) {
  constexpr const char* doing = "upgrading its schema";
  Query rows(c, Sql::rows_of_4, doing);
  while (rows.step()) {
    const auto bucket = rows.integer(0);
    const auto record = rows.blob(1), subject = rows.blob(2);
    if (!bucket || !record || !subject) continue;
    const auto now = packed_of_4(*record, *subject);
    if (now) Query(c, Sql::repack, doing).bind(*bucket).bind_blob(*now).step();
  }
}

}  // namespace sancho::sqlite
