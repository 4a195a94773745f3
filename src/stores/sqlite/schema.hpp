// What the database must look like, and how an older one comes to look so.
#pragma once

#include "stores/sqlite/connection.hpp"

namespace sancho::sqlite {

// "SANC", in the file's header: whose database this is.
constexpr std::int64_t application_id = 0x53414e43;

enum class Found {
  empty,    // a file without any table
  older,    // ours, of an earlier schema
  current,  // ours, as it should be
};

// Looks, and changes nothing. Throws `StoreError`: *refused* for another
// application's database, *unavailable* for a newer schema.
Found inspect(Connection& connection, const std::string& store);

// Brings an empty or older database to the current schema, in one transaction,
// or throws and leaves it as it was. Harmless if another process has just done it.
void migrate(Connection& connection, const std::string& store);

}  // namespace sancho::sqlite
