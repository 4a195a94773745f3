// # What the demo is told
#pragma once

#include <string>

namespace demo {

struct Arguments {
  int port = 8080;
  std::string host = "127.0.0.1";
  int threads = 16;
  std::string store = "sqlite:shop.db";
  bool behind_https_proxy = false;
  std::string origin;  // where browsers see the shop: https://shop.example
  bool help = false;
};

extern const char* const usage;

// Throws `std::invalid_argument`, which says what is wrong.
Arguments parse(int argc, const char* const* argv);

}  // namespace demo
