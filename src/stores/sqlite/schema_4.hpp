// Rows of schema 4, whose records had the subject in its column alone.
#pragma once

#include "stores/sqlite/connection.hpp"

namespace sancho::sqlite {

// Packs them anew, in an upgrade's transaction. Those that are packed so already, by the
// step before, stay; so do damaged ones.
void repack_4(Connection& c);

}  // namespace sancho::sqlite
