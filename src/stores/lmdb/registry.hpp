// Which environments this process has open, each once.
#pragma once

#include <string>

#include "stores/lmdb/environment.hpp"

namespace sancho::lmdb {

// A share in one; whoever gives up the last one closes it.
class Share {
 public:
  // `path` is absolute. Makes the directory if it is absent and may be made.
  // Throws `StoreError`.
  Share(const std::string& path, const LmdbOptions& options);
  ~Share();
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  Environment& operator*() const { return *environment_; }
  Environment* operator->() const { return environment_; }

 private:
  pid_t owner_;
  Environment* environment_ = nullptr;
};

}  // namespace sancho::lmdb
