#include "sancho/csrf.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "base/base64url.hpp"
#include "base/crypto.hpp"

namespace sancho {

namespace {
constexpr std::byte format{1};
constexpr std::size_t half = 32;

// One byte of format, the mask, the masked digest.
using Token = std::array<std::byte, 1 + 2 * half>;
static_assert((sizeof(Token) * 4 + 2) / 3 == csrf_token_size);

Digest digest_for(std::span<const std::byte> secret, std::string_view form_id) {
  const LengthPrefix length(form_id.size());
  const std::string_view parts[] = {"form", length, form_id};
  return hmac_sha256(secret, parts);
}
}  // namespace

std::string mask_csrf_token(std::span<const std::byte, 32> secret, std::string_view form_id, RandomSource& random) {
  Token token;
  token[0] = format;
  const auto mask = std::span{token}.subspan<1, half>();
  const auto masked = std::span{token}.subspan<1 + half, half>();
  random.fill(mask);
  auto digest = digest_for(secret, form_id);
  for (std::size_t i = 0; i < half; ++i) masked[i] = mask[i] ^ digest[i];
  wipe(digest);
  return base64url(token);
}

bool check_csrf_token(std::span<const std::byte, 32> secret, std::string_view form_id, std::string_view text) noexcept {
  Token token;
  if (!from_base64url(text, token) || token[0] != format) return false;
  Digest claimed;
  for (std::size_t i = 0; i < half; ++i) claimed[i] = token[1 + i] ^ token[1 + half + i];
  auto digest = digest_for(secret, form_id);
  const bool same = same_secret(claimed, digest);
  wipe(digest);
  return same;
}

bool json_only(std::string_view content_type) noexcept {
  const auto type = trim_blank(content_type.substr(0, content_type.find(';')));
  constexpr std::string_view application = "application/", suffix = "+json";
  if (!same_ignoring_case(type.substr(0, application.size()), application)) return false;
  const auto subtype = type.substr(application.size());
  if (!std::all_of(subtype.begin(), subtype.end(), is_token_char)) return false;
  if (same_ignoring_case(subtype, "json")) return true;
  return subtype.size() > suffix.size() && same_ignoring_case(subtype.substr(subtype.size() - suffix.size()), suffix);
}

}  // namespace sancho
