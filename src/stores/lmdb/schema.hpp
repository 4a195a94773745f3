// What the database must look like, and how an empty one comes to look so.
#pragma once

#include "stores/lmdb/transaction.hpp"

namespace sancho::lmdb {

// Sees that the database is ours and has the tables of this namespace, and marks an
// empty one and makes tables where each is a tree. Changes nothing, and waits for no
// writer, where everything is there. Throws `StoreError`: *refused* for another
// application's database, or where something would have to be made and this
// store reads only; *unavailable* for a newer schema.
Tables set_up(Environment& environment, const std::string& name_space, bool read_only, Deadline deadline);

}  // namespace sancho::lmdb
