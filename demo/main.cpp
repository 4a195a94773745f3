// # Panza's Provisions
//
// A small shop, to see sessions at work: log in and stay logged in, fill a
// cart, order once, look where you are logged in, log out everywhere.
#include <iostream>
#include <stdexcept>

#include "arguments.hpp"
#include "serve.hpp"

int main(int argc, char** argv) {
  demo::Arguments arguments;
  try {
    arguments = demo::parse(argc, argv);
  } catch (const std::invalid_argument& e) {
    std::cerr << e.what() << "\n\n" << demo::usage;
    return 2;
  }
  if (arguments.help) {
    std::cout << demo::usage;
    return 0;
  }
  try {
    return demo::serve(arguments);
  } catch (const std::exception& e) {
    std::cerr << e.what() << '\n';
    return 1;
  }
}
