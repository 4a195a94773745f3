#include "sancho/id.hpp"

#include "base/base64url.hpp"
#include "base/crypto.hpp"

namespace sancho {

// ## Session ids

std::optional<SessionId> SessionId::parse(std::string_view text) {
  std::optional<SessionId> id;
  if (text.size() == 43 || text.size() == 47) {
    id.emplace(Blank()).size_ = text.size() == 43 ? 32 : 35;
    if (!from_base64url(text, std::span{id->bytes_}.first(id->size_))) id.reset();
  }
  return id;
}

SessionId SessionId::draw(RandomSource& random, std::optional<std::uint32_t> tag) {
  SessionId id{Blank()};
  random.fill(std::span{id.bytes_}.first(32));
  if (tag) {
    for (std::size_t i = 0; i < 3; ++i) id.bytes_[32 + i] = static_cast<std::byte>(*tag >> (16 - 8 * i));
    id.size_ = 35;
  }
  return id;
}

SessionId SessionId::successor(const Nonce& nonce) const {
  SessionId next = *this;  // for the tag
  const std::string_view parts[] = {"sancho successor", as_text(nonce)};
  const auto digest = hmac_sha256(std::span{bytes_}.first(size_), parts);
  std::copy(digest.begin(), digest.end(), next.bytes_.begin());
  return next;
}

std::array<std::byte, 32> SessionId::mac(std::string_view label) const {
  const std::string_view parts[] = {label};
  return hmac_sha256(std::span{bytes_}.first(size_), parts);
}

std::string SessionId::reveal() const { return base64url(std::span{bytes_}.first(size_)); }

bool SessionId::same_as(const SessionId& other) const {
  return size_ == other.size_ && same_secret(bytes_, other.bytes_);
}

SessionId::~SessionId() { wipe(bytes_); }

// ## Session keys

SessionKey SessionKey::of(std::string_view name_space, const SessionId& id) {
  SessionKey key;
  if (name_space.empty() && id.size_ == 32) {
    key.digest_ = sha256(0, std::span{id.bytes_}.first<32>());
    return key;
  }
  const LengthPrefix length(name_space.size());
  const std::string_view parts[] = {length, name_space, as_text(std::span{id.bytes_}.first(id.size_))};
  key.digest_ = sha256(parts);
  if (id.size_ == 35) {
    key.tag_ = 0;
    for (std::size_t i = 32; i < 35; ++i) key.tag_ = key.tag_ << 8 | std::to_integer<std::uint32_t>(id.bytes_[i]);
  }
  return key;
}

// A note's digest begins with a length that no namespace has.
SessionKey SessionKey::of_note(std::string_view name_space, std::string_view name) {
  const LengthPrefix mark(~std::size_t{0});
  const LengthPrefix length(name_space.size());
  const std::string_view parts[] = {mark, length, name_space, name};
  SessionKey key;
  key.digest_ = sha256(parts);
  return key;
}

std::optional<SessionKey> SessionKey::from_bytes(std::string_view bytes, std::optional<std::uint32_t> tag) {
  if (bytes.size() != 32) return std::nullopt;
  SessionKey key;
  for (std::size_t i = 0; i < 32; ++i) key.digest_[i] = static_cast<std::byte>(bytes[i]);
  key.tag_ = tag.value_or(no_tag);
  return key;
}

std::optional<SessionKey> SessionKey::from_hex(std::string_view hex, std::optional<std::uint32_t> tag) {
  if (hex.size() != 64) return std::nullopt;
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  SessionKey key;
  for (std::size_t i = 0; i < 32; ++i) {
    const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    key.digest_[i] = static_cast<std::byte>(high << 4 | low);
  }
  key.tag_ = tag.value_or(no_tag);
  return key;
}

std::string SessionKey::hex() const {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(64);
  for (const auto b : digest_) {
    text.push_back(digits[std::to_integer<unsigned>(b) >> 4]);
    text.push_back(digits[std::to_integer<unsigned>(b) & 15]);
  }
  return text;
}

// ## Handles

Handle Handle::draw(RandomSource& random) {
  std::array<std::byte, 12> bytes;
  random.fill(bytes);
  Handle handle;
  put_base64url(handle.text_.data(), bytes);
  return handle;
}

std::optional<Handle> Handle::parse(std::string_view text) {
  std::array<std::byte, 12> bytes;
  if (!from_base64url(text, bytes)) return std::nullopt;
  Handle handle;
  std::copy(text.begin(), text.end(), handle.text_.begin());
  return handle;
}

}  // namespace sancho
