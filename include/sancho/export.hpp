// # What a shared library shows
//
// The libraries are compiled so that nothing shows (`-fvisibility=hidden`) but
// what these headers declare: they open their namespace with this mark. What a
// program derives from, throws, catches or asks for by `dynamic_cast` is then
// one and the same in the program and in all libraries. docs/abi.md has the
// rest. Programs need not care.
#pragma once

#if defined(__GNUC__)
#define SANCHO_EXPORT __attribute__((visibility("default")))
#else
#define SANCHO_EXPORT
#endif
