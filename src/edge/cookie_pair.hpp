// Two cookies found in one reading of the header.
#pragma once

#include "sancho/cookie.hpp"

namespace sancho {

struct CookiePair {
  FoundCookie first, second;
};

// As `find_cookie` for each of two names that differ and can be names; the second may be
// empty, and is not found then.
CookiePair find_cookies(std::span<const std::string_view> lines, std::string_view first, std::string_view second) noexcept;

}  // namespace sancho
