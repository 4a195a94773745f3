// The site as a CGI program.
#include "sancho/adapters/cgi.hpp"

#include <iostream>

#include "behind_a_server.hpp"

int main(int argc, char** argv) {
  try {
    const site::Options options(argc, argv);
    const auto manager = site::make_manager(options);
    return sancho::serve_cgi(site::handler(*manager));
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
