// Whatever attributes and value an application hands over: either an exception
// or a header that says exactly this, on one line, each attribute once.
//
// Input: one byte of flags, then name, path, domain and value, a line each.
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

#include "sancho/cookie.hpp"
#include "sancho/error.hpp"

namespace {
void require(bool condition) {
  if (!condition) std::abort();
}

// What a browser makes of it (RFC 6265, section 5.2), for well-formed headers.
std::map<std::string, std::string> read(const std::string& header) {
  std::map<std::string, std::string> parts;
  for (std::size_t at = 0; at <= header.size();) {
    auto end = header.find(';', at);
    if (end == std::string::npos) end = header.size();
    auto piece = header.substr(at, end - at);
    piece.erase(0, piece.find_first_not_of(' '));
    const auto equals = piece.find('=');
    const auto key = at == 0 ? "(pair)" : piece.substr(0, equals);
    const auto value = at == 0 ? piece : equals == std::string::npos ? "" : piece.substr(equals + 1);
    require(parts.emplace(key, value).second);
    at = end + 1;
  }
  return parts;
}

void check(const std::string& header, const sancho::CookieAttributes& a, const std::string& value) {
  require(header.find_first_of(std::string("\r\n\0", 3)) == std::string::npos);
  const auto parts = read(header);
  require(parts.at("(pair)") == a.name + "=" + value);
  require(parts.at("Path") == a.path);
  require(a.domain.empty() ? !parts.contains("Domain") : parts.at("Domain") == a.domain);
  require(parts.contains("Secure") == a.secure && parts.contains("HttpOnly") == a.http_only);
  require(parts.contains("Partitioned") == a.partitioned);
  require(parts.at("SameSite") == (a.same_site == sancho::SameSite::lax ? "Lax" : a.same_site == sancho::SameSite::strict ? "Strict" : "None"));
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  std::vector<std::string> lines(1);
  for (std::size_t i = 1; i < size; ++i) {
    if (data[i] == '\n' && lines.size() < 4) lines.emplace_back();
    else lines.back() += static_cast<char>(data[i]);
  }
  lines.resize(4);
  sancho::CookieAttributes a{.name = lines[0], .path = lines[1], .domain = lines[2]};
  a.secure = data[0] & 1;
  a.http_only = data[0] & 2;
  a.partitioned = data[0] & 4;
  a.same_site = static_cast<sancho::SameSite>((data[0] >> 3) % 3);
  if (data[0] & 64) a.max_age = std::chrono::seconds{static_cast<std::int64_t>(size) * (data[0] & 128 ? 1'000'000 : 100)};
  try {
    const sancho::SetCookie cookie(a);
    check(cookie.removal(), a, "");
    const auto header = cookie.build(lines[3]);
    check(header, a, lines[3]);
    require(read(header).contains("Max-Age") == a.max_age.has_value());
    // The browser sends the pair back, and we find it.
    const auto pair = read(header).at("(pair)");
    const auto sent = "x y; " + pair + " ;=;";
    const auto found = sancho::find_cookie(sent, a.name);
    require(found.outcome == sancho::FoundCookie::Outcome::found && found.value == lines[3]);
  } catch (const sancho::ConfigError&) {
  } catch (const sancho::UsageError&) {
  }
  return 0;
}
