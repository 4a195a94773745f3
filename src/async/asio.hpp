// Included before everything else in this folder (CMakeLists.txt): what Asio
// keeps for each thread has to be the program's, also where this library is a
// shared one that hides what it is made of. Otherwise it could not tell whether
// a loop of the program's runs on this thread.
#pragma once

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif
#include <boost/asio/io_context.hpp>
#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
