#include "sancho/cookie.hpp"

#include "base/ascii.hpp"
#include "base/short_text.hpp"
#include "edge/cookie_pair.hpp"

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

// Calls `use(pair)` for each pair that is not empty, in turn. False: over the limits,
// and whatever was used so far is to be forgotten. Every byte is looked at a bounded
// number of times: once for `;`, at an edge, and by `use`.
template <typename Use>
inline bool each_pair(std::span<const std::string_view> lines, Use use) {
  if (too_long(lines)) return false;
  std::size_t pairs = 0;
  for (auto rest : lines) {
    for (bool more = true; more;) {
      const auto end = find_byte(rest, ';');
      const auto pair = trim_blank(rest.substr(0, end));
      more = end != std::string_view::npos;
      if (more) rest.remove_prefix(end + 1);
      if (pair.empty()) continue;
      if (++pairs > max_cookie_pairs || pair.size() > max_cookie_pair) return false;
      use(pair);
    }
  }
  return true;
}

// Counts one name among pairs, which is not empty and has no `=` in it.
class Search {
 public:
  explicit Search(std::string_view name) : name_(name) {}
  void see(std::string_view pair) {
    const auto size = name_.size();
    if (pair.size() > size && pair[size] == '=' && same_bytes(pair.data(), name_.data(), size)) take(pair.substr(size + 1));
  }
  void take(std::string_view value) { value_ = value, ++times_; }
  FoundCookie result() const {
    if (times_ == 0) return {};
    return times_ == 1 ? FoundCookie{FoundCookie::Outcome::found, value_} : FoundCookie{FoundCookie::Outcome::ambiguous, {}};
  }

 private:
  std::string_view name_, value_;
  std::size_t times_ = 0;
};

constexpr FoundCookie beyond{FoundCookie::Outcome::over_limits, {}};

bool can_be_a_name(std::string_view name) { return !name.empty() && name.find('=') == std::string_view::npos; }
}  // namespace

FoundCookie find_cookie(std::span<const std::string_view> lines, std::string_view name) noexcept {
  Search search(name);
  const bool whole = each_pair(lines, [&](std::string_view pair) { search.see(pair); });
  if (!whole) return beyond;
  return can_be_a_name(name) ? search.result() : FoundCookie{};
}

CookiePair find_cookies(std::span<const std::string_view> lines, std::string_view first, std::string_view second) noexcept {
  Search one(first), other(second);
  const bool both = !second.empty();
  const bool whole = each_pair(lines, [&](std::string_view pair) {
    one.see(pair);
    if (both) other.see(pair);
  });
  return whole ? CookiePair{one.result(), other.result()} : CookiePair{beyond, beyond};
}

FoundCookie find_cookie(std::string_view header, std::string_view name) noexcept {
  return find_cookie(std::span{&header, 1}, name);
}

Cookies parse_cookies(std::span<const std::string_view> lines) noexcept {
  Cookies cookies;
  const bool whole = each_pair(lines, [&](std::string_view pair) {
    const auto equals = pair.find('=');
    if (equals == std::string_view::npos || equals == 0) return;
    cookies.pairs_[cookies.size_++] = {pair.substr(0, equals), pair.substr(equals + 1)};
  });
  if (!whole) cookies.size_ = 0, cookies.over_limits_ = true;
  return cookies;
}

Cookies parse_cookies(std::string_view header) noexcept { return parse_cookies(std::span{&header, 1}); }

FoundCookie Cookies::find(std::string_view name) const noexcept {
  if (over_limits_) return {FoundCookie::Outcome::over_limits, {}};
  Search search(name);
  for (const auto& cookie : *this)
    if (cookie.name == name) search.take(cookie.value);
  return search.result();
}

}  // namespace sancho
