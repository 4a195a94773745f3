// What the tables must look like, and how they come to be.
#pragma once

#include <string>

#include "stores/postgresql/wishes.hpp"

namespace sancho::postgresql {

// Makes the tables if they are not there, in one transaction; several processes
// may do so at once. Changes nothing if they are there, and asks for no right
// but to read then.
//
// Throws `StoreError`: *unavailable* for a newer schema, *refused* for tables
// that are not ours.
Conversation<Done> set_up(const Tables& tables, std::int64_t lock, const std::string& store);

}  // namespace sancho::postgresql
