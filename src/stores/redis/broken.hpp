// How a connection fails.
#pragma once

#include <string>

namespace sancho::redis {

// The peer is not there, has gone, or the deadline has passed.
struct Broken {
  std::string why;
  bool sent = false;  // something of what was to be sent had gone out
  bool late = false;  // it was the deadline
};

}  // namespace sancho::redis
