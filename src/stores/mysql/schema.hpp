// The tables, and how they come to be.
#pragma once

#include "stores/mysql/statements.hpp"
#include "stores/mysql/talk.hpp"

namespace sancho::mysql {

// Makes what is not there; only looks if everything is. Several processes may do
// it at once, and who died on the way is finished after. Throws `Failure`, and
// `StoreError`: *refused* for tables that are not ours, *unavailable* for a newer
// schema.
void set_up(Talk& talk, const Statements& names, const std::string& store);

}  // namespace sancho::mysql
