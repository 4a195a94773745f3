// # Ids, keys and handles
//
// Three names of a session, kept apart by type:
//
//   - the **session id** is the secret in the browser's cookie: 256 random bits;
//   - the **session key** is what stores see: a digest of it;
//   - the **handle** is a short public name that survives rotation, for logs,
//     operators and the user's list of devices. It opens nothing.
//
// One function leads from an id to its key, and none leads back.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "sancho/export.hpp"
#include "sancho/random.hpp"

namespace sancho SANCHO_EXPORT {

// The nonce that a rotation keeps in the moved record, so that everyone who
// holds the old id (and nobody who holds only the store) computes the same
// successor.
using Nonce = std::array<std::byte, 16>;

// The secret. It has no `operator<<` and no `operator==`, it is wiped when it
// goes, and `reveal` is the only way to its text.
class SessionId {
 public:
  // An id as a cookie carries it: exactly 43 characters of canonical base64url
  // (32 bytes), or exactly 47 where 24 bits of routing tag stand behind them.
  // Anything else is nothing: no padding, no white space, no other alphabet,
  // unused low bits zero (the gate of security rule K8). Throws nothing.
  static std::optional<SessionId> parse(std::string_view text);

  // A new one, with a routing tag (24 bits, `Routing` in store.hpp) or without.
  // Throws `RandomError`.
  static SessionId draw(RandomSource& random, std::optional<std::uint32_t> tag = {});

  // The id that a rotation of this one gives:
  // HMAC-SHA256(id, "sancho successor" ‖ nonce). The routing tag stays.
  SessionId successor(const Nonce& nonce) const;

  // HMAC-SHA256 with this id as the key: for secrets that only the holder of
  // the id may compute. `label` keeps one use from another.
  std::array<std::byte, 32> mac(std::string_view label) const;

  // The cookie's value. Called where a cookie is built, and in tests.
  std::string reveal() const;

  // Constant-time comparison.
  bool same_as(const SessionId& other) const;

  SessionId(const SessionId&) = default;
  SessionId& operator=(const SessionId&) = default;
  ~SessionId();

 private:
  struct Blank {
    explicit Blank() = default;
  };

 public:
  // Blank, and made where it is to lie. Only the functions above can name a `Blank`.
  explicit SessionId(Blank) {}

 private:
  friend class SessionKey;
  // 32 secret ones, the tag's if there is a tag, and one that makes whole words of them.
  alignas(4) std::array<std::byte, 36> bytes_{};
  std::uint8_t size_ = 32;  // 32 or 35
};

// What a store knows a session by.
class SessionKey {
 public:
  // SHA-256(length ‖ namespace ‖ id), length being the namespace's, in eight
  // bytes, big endian. Two applications with different namespaces in one store
  // never meet. A routing tag is part of the id and so of the digest.
  static SessionKey of(std::string_view name_space, const SessionId& id);

  // A key for a note, something that is no session (`State::note`); the names
  // of notes and the ids of sessions cannot meet.
  static SessionKey of_note(std::string_view name_space, std::string_view name);

  // From what `bytes` or `hex` gave, and `tag`. Nothing if it is not 32 bytes,
  // or not 64 digits of lower-case hexadecimal.
  static std::optional<SessionKey> from_bytes(std::string_view bytes, std::optional<std::uint32_t> tag = {});
  static std::optional<SessionKey> from_hex(std::string_view hex, std::optional<std::uint32_t> tag = {});

  // The 32 bytes, as a view into this key; and in lower-case hexadecimal,
  // which is safe as a file name.
  std::string_view bytes() const { return {reinterpret_cast<const char*>(digest_.data()), digest_.size()}; }
  std::string hex() const;

  // The routing tag of the id it was made of: where a store over many places
  // keeps it. It says nothing that the digest does not, so keys compare without.
  std::optional<std::uint32_t> tag() const { return tag_ == no_tag ? std::nullopt : std::optional(tag_); }

  auto operator<=>(const SessionKey& other) const { return digest_ <=> other.digest_; }
  bool operator==(const SessionKey& other) const { return digest_ == other.digest_; }

 private:
  static constexpr std::uint32_t no_tag = ~std::uint32_t{0};
  std::array<std::byte, 32> digest_{};
  std::uint32_t tag_ = no_tag;
  friend struct std::hash<SessionKey>;
};

// The public name: 96 random bits, 16 characters of base64url. An empty handle
// (all zero) names nothing.
class Handle {
 public:
  Handle() = default;
  static Handle draw(RandomSource& random);
  // From 16 characters of base64url, or nothing.
  static std::optional<Handle> parse(std::string_view text);

  std::string_view text() const { return empty() ? std::string_view{} : std::string_view{text_.data(), text_.size()}; }
  bool empty() const { return text_[0] == '\0'; }
  auto operator<=>(const Handle&) const = default;

 private:
  std::array<char, 16> text_{};
};

}  // namespace sancho

template <>
struct std::hash<sancho::SessionKey> {
  // The digest is uniform already; its first bytes are the hash.
  std::size_t operator()(const sancho::SessionKey& key) const noexcept {
    std::size_t h = 0;
    for (std::size_t i = 0; i < sizeof h; ++i) h = h << 8 | std::to_integer<std::size_t>(key.digest_[i]);
    return h;
  }
};
