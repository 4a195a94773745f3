// OpenSSL 3 deprecates the direct SHA-256 interface in favour of one that
// looks the algorithm up at each call and costs ten times as much for the 50
// bytes we digest. The direct one is still there, and still right.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

namespace sancho {

namespace {
unsigned char* raw(std::byte* p) { return reinterpret_cast<unsigned char*>(p); }
}  // namespace

Digest sha256(std::span<const std::string_view> parts) {
  SHA256_CTX context;
  SHA256_Init(&context);
  for (const auto part : parts) SHA256_Update(&context, part.data(), part.size());
  Digest digest;
  SHA256_Final(raw(digest.data()), &context);
  return digest;
}

Digest hmac_sha256(std::span<const std::byte> key, std::span<const std::string_view> parts) {
  std::array<std::byte, 64> inner, outer;
  for (std::size_t i = 0; i < inner.size(); ++i) {
    const auto k = i < key.size() ? key[i] : std::byte{0};
    inner[i] = k ^ std::byte{0x36};
    outer[i] = k ^ std::byte{0x5c};
  }
  SHA256_CTX context;
  Digest digest;
  SHA256_Init(&context);
  SHA256_Update(&context, inner.data(), inner.size());
  for (const auto part : parts) SHA256_Update(&context, part.data(), part.size());
  SHA256_Final(raw(digest.data()), &context);
  SHA256_Init(&context);
  SHA256_Update(&context, outer.data(), outer.size());
  SHA256_Update(&context, digest.data(), digest.size());
  SHA256_Final(raw(digest.data()), &context);
  wipe(inner);
  wipe(outer);
  OPENSSL_cleanse(&context, sizeof context);
  return digest;
}

bool same_secret(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(std::span<std::byte> secret) { OPENSSL_cleanse(secret.data(), secret.size()); }

}  // namespace sancho
