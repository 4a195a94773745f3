#include "base/base64url.hpp"

#include <array>
#include <cstring>

#include "base/forty_three_letters.hpp"

namespace sancho {

namespace {
// Fewer than sixteen bytes, in two pieces of one size: a loop or a call takes longer
// than what is done with them.
template <class To, class From>
void copy_short(To* to, const From* from, std::size_t size) {
  const auto piece = [&](std::size_t n) {
    std::memcpy(to, from, n);
    std::memcpy(to + size - n, from + size - n, n);
  };
  if (size >= 8) piece(8);
  else if (size >= 4) piece(4);
  else if (size >= 2) piece(2);
  else if (size == 1) *to = static_cast<To>(*from);
}
}  // namespace

void put_base64url(char* out, std::span<const std::byte> bytes) {
  for (; bytes.size() >= Twelve::bytes; bytes = bytes.subspan(Twelve::bytes), out += Twelve::letters)
    Twelve::at(bytes.data()).put_letters(out);
  std::array<std::byte, Twelve::bytes> rest{};
  copy_short(rest.data(), bytes.data(), bytes.size());
  std::array<char, Twelve::letters> letters;
  Twelve::at(rest.data()).put_letters(letters.data());
  copy_short(out, letters.data(), (bytes.size() * 4 + 2) / 3);
}

std::string base64url(std::span<const std::byte> bytes) {
  std::string text((bytes.size() * 4 + 2) / 3, '\0');
  put_base64url(text.data(), bytes);
  return text;
}

namespace {
// Fewer than sixteen letters are filled up with `A`, which is zero; so is then
// whatever stands behind the last byte.
bool from_few(std::string_view text, std::span<std::byte> out) {
  std::array<char, Twelve::letters> letters;
  letters.fill('A');
  copy_short(letters.data(), text.data(), text.size());
  Twelve read;
  const bool good = read.read_letters(letters.data());
  std::array<std::byte, Twelve::bytes> bytes;
  read.put(bytes.data());
  copy_short(out.data(), bytes.data(), out.size());
  return good && read.is_no_longer_than(out.size());
}
}  // namespace

// What is left of sixteens is read once more with those before it, so that they are
// sixteen again: the last bytes, but for up to four bits behind them.
bool from_base64url(std::string_view text, std::span<std::byte> out) {
  if (text.size() != (out.size() * 4 + 2) / 3) return false;
  if (text.size() == 43) return forty_three::read(text.data(), out.data());
  if (text.size() < Twelve::letters) return from_few(text, out);
  Twelve read;
  bool good = true;
  auto* to = out.data();
  std::size_t at = 0;
  for (; at + Twelve::letters <= text.size(); at += Twelve::letters, to += Twelve::bytes) {
    good &= read.read_letters(text.data() + at);
    read.put(to);
  }
  if (at == text.size()) return good;
  good &= read.read_letters(text.data() + text.size() - Twelve::letters);
  const auto unused = 6 * text.size() - 8 * out.size();
  const auto last = read.high << (48 - unused) | read.low >> unused;
  to = out.data() + out.size();
  put_big_endian(to - 8, last);
  put_big_endian(to - 11, static_cast<std::uint32_t>(read.high >> (16 + unused) << 8 | last >> 56));
  return good && (read.low & ((1u << unused) - 1)) == 0;
}

}  // namespace sancho
