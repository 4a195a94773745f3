#include "sancho/pre_session.hpp"

#include <algorithm>

#include "base/base64url.hpp"
#include "base/crypto.hpp"
#include "sancho/error.hpp"

namespace sancho {

namespace {
constexpr std::size_t random_size = 16;
using Value = std::array<std::byte, random_size + sizeof(Digest)>;

Digest signature(const PreSessions::Key& key, std::string_view name_space, std::span<const std::byte> random) {
  const LengthPrefix length(name_space.size());
  const std::string_view parts[] = {"sancho pre-session", length, name_space, as_text(random)};
  return hmac_sha256(key, parts);
}

CsrfSecret form_secret(const PreSessions::Key& key, std::span<const std::byte> random) {
  const std::string_view parts[] = {"pre-session csrf", as_text(random)};
  return hmac_sha256(key, parts);
}
}  // namespace

PreSessions::PreSessions(std::string name_space, std::vector<Key> keys) : name_space_(std::move(name_space)), keys_(std::move(keys)) {
  if (keys_.empty()) throw ConfigError("pre-sessions need at least one key of 32 random bytes");
}

PreSessions::~PreSessions() {
  for (auto& key : keys_) wipe(key);
}

std::string PreSessions::issue(RandomSource& random) const {
  Value value;
  const auto drawn = std::span{value}.first<random_size>();
  random.fill(drawn);
  const auto mac = signature(keys_.front(), name_space_, drawn);
  std::copy(mac.begin(), mac.end(), value.begin() + random_size);
  return base64url(value);
}

// Every key is tried, whichever fits.
std::optional<CsrfSecret> PreSessions::open(std::string_view text) const noexcept {
  Value value;
  if (!from_base64url(text, value)) return std::nullopt;
  const auto random = std::span{value}.first<random_size>();
  const auto mac = std::span{value}.subspan<random_size>();
  std::optional<CsrfSecret> secret;
  for (const auto& key : keys_)
    if (same_secret(signature(key, name_space_, random), mac)) secret = form_secret(key, random);
  return secret;
}

}  // namespace sancho
