// What a user's records say of the user's sessions.
#pragma once

#include <vector>

#include "sancho/store.hpp"

namespace sancho {

// Of each session one record: the live one, or where the id is just being
// renewed the one that will be. A pending record that no moved one leads to is
// no session yet. Points into `found`.
std::vector<const Record*> one_each(const std::vector<KeyedRecord>& found);

}  // namespace sancho
