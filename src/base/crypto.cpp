// OpenSSL 3 deprecates the direct SHA-256 interface in favour of one that
// looks the algorithm up at each call and costs ten times as much for the 50
// bytes we digest. The direct one is still there, and still right.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "base/crypto.hpp"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace sancho {

namespace {
unsigned char* raw(std::byte* p) { return reinterpret_cast<unsigned char*>(p); }
}  // namespace

namespace {
// What fits into one block with its padding is digested without OpenSSL's buffers,
// which take as long as the digesting.
constexpr std::size_t block_size = 64, short_enough = block_size - 9;

std::size_t size_of(std::span<const std::string_view> parts) {
  std::size_t size = 0;
  for (const auto part : parts) size += part.size();
  return size;
}

// Digests the last block, which is wiped.
Digest digest_block(SHA256_CTX& context, std::array<std::byte, block_size>& block) {
  SHA256_Transform(&context, raw(block.data()));
  wipe(block);
  Digest digest;
  // As they lie, and turned where the second of two is the higher half.
  const auto two = [&](std::size_t i) {
    std::uint64_t both;
    std::memcpy(&both, &context.h[i], sizeof both);
    return std::endian::native == std::endian::little ? std::rotl(both, 32) : both;
  };
  for (std::size_t i = 0; i < 8; i += 4) put_two_big_endian(digest.data() + 4 * i, two(i), two(i + 2));
  return digest;
}

// The last block, which is the parts and the padding, and the digest. `before`: the
// bytes that have been digested already, a few blocks of them.
Digest finish_in_one_block(SHA256_CTX& context, std::span<const std::string_view> parts, std::size_t before) {
  std::array<std::byte, block_size> block{};
  auto* end = block.data();
  for (const auto part : parts) end = std::copy_n(as_bytes(part).begin(), part.size(), end);
  *end = std::byte{0x80};
  const auto bits = 8 * (before + static_cast<std::size_t>(end - block.data()));
  put_big_endian(block.data() + block_size - 2, static_cast<std::uint16_t>(bits));
  return digest_block(context, block);
}

// The parts behind one whole block: one half of an HMAC.
Digest sha256_behind(std::array<std::byte, block_size>& block, std::span<const std::string_view> parts) {
  SHA256_CTX context;
  SHA256_Init(&context);
  Digest digest;
  if (size_of(parts) <= short_enough) {
    SHA256_Transform(&context, raw(block.data()));
    digest = finish_in_one_block(context, parts, block.size());
  } else {
    SHA256_Update(&context, block.data(), block.size());
    for (const auto part : parts) SHA256_Update(&context, part.data(), part.size());
    SHA256_Final(raw(digest.data()), &context);
  }
  wipe(std::as_writable_bytes(std::span{&context, 1}));
  return digest;
}
}  // namespace

Digest sha256(std::span<const std::string_view> parts) {
  SHA256_CTX context;
  SHA256_Init(&context);
  if (size_of(parts) <= short_enough) return finish_in_one_block(context, parts, 0);
  for (const auto part : parts) SHA256_Update(&context, part.data(), part.size());
  Digest digest;
  SHA256_Final(raw(digest.data()), &context);
  return digest;
}

Digest sha256(std::uint64_t number, std::span<const std::byte, 32> bytes) {
  SHA256_CTX context;
  SHA256_Init(&context);
  const auto word = [&](std::size_t i) { return get_big_endian<std::uint64_t>(bytes.data() + 8 * i); };
  std::array<std::byte, block_size> block;
  put_two_big_endian(block.data(), number, word(0));
  put_two_big_endian(block.data() + 16, word(1), word(2));
  put_two_big_endian(block.data() + 32, word(3), std::uint64_t{0x80} << 56);
  put_two_big_endian(block.data() + 48, 0, 8 * (sizeof number + bytes.size()));
  return digest_block(context, block);
}

Digest hmac_sha256(std::span<const std::byte> key, std::span<const std::string_view> parts) {
  std::array<std::byte, block_size> inner, outer;
  for (std::size_t i = 0; i < inner.size(); ++i) {
    const auto k = i < key.size() ? key[i] : std::byte{0};
    inner[i] = k ^ std::byte{0x36};
    outer[i] = k ^ std::byte{0x5c};
  }
  auto half = sha256_behind(inner, parts);
  const std::string_view inside = as_text(half);
  const auto digest = sha256_behind(outer, {&inside, 1});
  wipe(half);
  wipe(inner);
  wipe(outer);
  return digest;
}

bool same_secret(std::span<const std::byte> a, std::span<const std::byte> b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace sancho
