// What LMDB's return codes mean to a caller.
#pragma once

#include <lmdb.h>

#include <string>

#include "sancho/error.hpp"

namespace sancho::lmdb {

// Throws it.
[[noreturn]] void fail(const std::string& store, const char* doing, int rc, bool maybe_done = false);

inline void check(const std::string& store, const char* doing, int rc) {
  if (rc != MDB_SUCCESS) fail(store, doing, rc);
}

}  // namespace sancho::lmdb
