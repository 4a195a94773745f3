// Rows as they were up to schema 3: a column for each field of a record.
#pragma once

#include "stores/sqlite/connection.hpp"

namespace sancho::sqlite {

// From `sancho_sessions_3` into `sancho_sessions`; the former and makes the indexes of
// the latter. A row that is damaged stays one. Within a transaction.
void carry_over_3(Connection& connection);

}  // namespace sancho::sqlite
