#include "sancho/cookie.hpp"

#include "ascii.hpp"
#include "cookie_pair.hpp"

namespace sancho {

namespace {
// The first test, and the one that bounds all later work.
bool too_long(std::span<const std::string_view> lines) {
  if (lines.empty()) return false;
  if (lines.size() > max_cookie_bytes) return true;
  std::size_t total = 2 * (lines.size() - 1);  // the "; " between them
  for (const auto line : lines) {
    if (total > max_cookie_bytes || line.size() > max_cookie_bytes - total) return true;
    total += line.size();
  }
  return false;
}

// Calls `use(name, value)` for each pair in turn. False: over the limits, and
// whatever was used so far is to be forgotten. Every byte is looked at a
// bounded number of times: once for `;`, once for `=`, and at an edge.
template <typename Use>
bool each_pair(std::span<const std::string_view> lines, Use use) {
  if (too_long(lines)) return false;
  std::size_t pairs = 0;
  for (auto rest : lines) {
    for (bool more = true; more;) {
      const auto end = rest.find(';');
      const auto pair = trim_blank(rest.substr(0, end));
      more = end != std::string_view::npos;
      if (more) rest.remove_prefix(end + 1);
      if (pair.empty()) continue;
      if (++pairs > max_cookie_pairs || pair.size() > max_cookie_pair) return false;
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos || equals == 0) continue;
      use(pair.substr(0, equals), pair.substr(equals + 1));
    }
  }
  return true;
}

// Counts one name among pairs.
class Search {
 public:
  explicit Search(std::string_view name) : name_(name) {}
  void see(std::string_view name, std::string_view value) {
    if (name != name_) return;
    const bool first = found_.outcome == FoundCookie::Outcome::absent;
    if (first) found_ = {FoundCookie::Outcome::found, value};
    else found_ = {FoundCookie::Outcome::ambiguous, {}};
  }
  FoundCookie result() const { return found_; }

 private:
  std::string_view name_;
  FoundCookie found_;
};
}  // namespace

FoundCookie find_cookie(std::span<const std::string_view> lines, std::string_view name) noexcept {
  Search search(name);
  const bool whole = each_pair(lines, [&](std::string_view n, std::string_view v) { search.see(n, v); });
  return whole ? search.result() : FoundCookie{FoundCookie::Outcome::over_limits, {}};
}

CookiePair find_cookies(std::span<const std::string_view> lines, std::string_view first, std::string_view second) noexcept {
  Search one(first), other(second);
  const bool whole = each_pair(lines, [&](std::string_view n, std::string_view v) { one.see(n, v), other.see(n, v); });
  constexpr FoundCookie over{FoundCookie::Outcome::over_limits, {}};
  return whole ? CookiePair{one.result(), other.result()} : CookiePair{over, over};
}

FoundCookie find_cookie(std::string_view header, std::string_view name) noexcept {
  return find_cookie(std::span{&header, 1}, name);
}

Cookies parse_cookies(std::span<const std::string_view> lines) noexcept {
  Cookies cookies;
  const bool whole = each_pair(lines, [&](std::string_view n, std::string_view v) { cookies.pairs_[cookies.size_++] = {n, v}; });
  if (!whole) cookies.size_ = 0, cookies.over_limits_ = true;
  return cookies;
}

Cookies parse_cookies(std::string_view header) noexcept { return parse_cookies(std::span{&header, 1}); }

FoundCookie Cookies::find(std::string_view name) const noexcept {
  if (over_limits_) return {FoundCookie::Outcome::over_limits, {}};
  Search search(name);
  for (const auto& cookie : *this) search.see(cookie.name, cookie.value);
  return search.result();
}

}  // namespace sancho
