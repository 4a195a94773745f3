#include "stores/redis/keys.hpp"

#include "stores/redis/value.hpp"

namespace sancho::redis {

SubjectPlace place_of(std::string_view subject, std::string_view secret) {
  const std::string_view parts[] = {"sancho routing", subject};
  const auto digest = hmac_sha256(as_bytes(secret), parts);
  const auto text = as_text(digest);
  return {static_cast<std::uint32_t>(number_of(text.substr(0, 3))), std::string(text.substr(3, 16))};
}

std::uint32_t place_tag(const SessionKey& key) {
  return key.tag() ? *key.tag() : static_cast<std::uint32_t>(number_of(key.bytes().substr(0, 3)));
}

std::string Keys::tagged(std::uint32_t tag, std::size_t more) const {
  std::string name;
  name.reserve(prefix_.size() + 8 + more);
  name.append(prefix_).append(1, '{').append(tag_text(tag)).append(1, '}');
  return name;
}

std::string Keys::record(const SessionKey& key) const {
  auto name = tagged(place_tag(key), 3 + key.bytes().size());
  name.append(":s:").append(key.bytes());
  return name;
}

void Keys::put_record_end(const SessionKey& key, char* there) {
  there = put_tag(place_tag(key), there);
  constexpr std::string_view between = "}:s:";
  there += between.copy(there, between.size());
  key.bytes().copy(there, key.bytes().size());
}

Slot Keys::slot(const SessionKey& key) const { return crc16(tag_text(place_tag(key))) % slot_count; }

std::string Keys::member_record(const SubjectPlace& place, std::string_view digest) const {
  return tagged(place.tag) + ":s:" + std::string(digest);
}

std::optional<SessionKey> Keys::session(std::string_view name) const {
  constexpr std::size_t braces = 8, kind = 3, digest = 32;
  if (name.size() != prefix_.size() + braces + kind + digest || !name.starts_with(prefix_)) return std::nullopt;
  const auto tag_digits = name.substr(prefix_.size() + 1, 6);
  std::uint32_t tag = 0;
  for (const char c : tag_digits) {
    const bool digit = c >= '0' && c <= '9', letter = c >= 'a' && c <= 'f';
    if (!digit && !letter) return std::nullopt;
    tag = tag << 4 | static_cast<std::uint32_t>(digit ? c - '0' : c - 'a' + 10);
  }
  const auto bytes = name.substr(name.size() - digest);
  // A tag that the digest has by itself is no tag of the id.
  const bool own = tag == static_cast<std::uint32_t>(number_of(bytes.substr(0, 3)));
  return SessionKey::from_bytes(bytes, own ? std::nullopt : std::optional(tag));
}

}  // namespace sancho::redis
