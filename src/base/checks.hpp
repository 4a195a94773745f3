// Whether broken rules are looked for, and what is done about one.
#pragma once

#include "sancho/misuse.hpp"

namespace sancho {

#if defined(SANCHO_CHECKS)
inline constexpr bool checks = SANCHO_CHECKS;
#elif defined(NDEBUG)
inline constexpr bool checks = false;
#else
inline constexpr bool checks = true;
#endif

// Tells the handler.
void tell_misuse(const Misuse& misuse) noexcept;

// The same; throws `UsageError` if the handler returns.
[[noreturn]] void misused(const Misuse& misuse);

}  // namespace sancho
