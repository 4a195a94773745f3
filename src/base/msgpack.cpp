#include "sancho/msgpack.hpp"

#include <bit>
#include <limits>

#include "base/big_endian.hpp"

namespace sancho {

// ## Writing

void Packer::head(unsigned char lead, std::uint64_t v, int width) {
  // The lowest bytes stand last.
  const EightBytes all(v);
  const std::string_view bytes = all;
  out_.push_back(static_cast<char>(lead));
  out_.append(bytes.substr(bytes.size() - static_cast<std::size_t>(width)));
}

void Packer::nil() { out_.push_back('\xc0'); }

void Packer::boolean(bool v) { out_.push_back(v ? '\xc3' : '\xc2'); }

void Packer::natural(std::uint64_t v) {
  if (v < 0x80) out_.push_back(static_cast<char>(v));
  else if (v <= 0xff) head(0xcc, v, 1);
  else if (v <= 0xffff) head(0xcd, v, 2);
  else if (v <= 0xffffffff) head(0xce, v, 4);
  else head(0xcf, v, 8);
}

void Packer::integer(std::int64_t v) {
  const auto bits = static_cast<std::uint64_t>(v);
  if (v >= 0) natural(bits);
  else if (v >= -32) out_.push_back(static_cast<char>(v));
  else if (v >= -0x80) head(0xd0, bits & 0xff, 1);
  else if (v >= -0x8000) head(0xd1, bits & 0xffff, 2);
  else if (v >= -0x80000000LL) head(0xd2, bits & 0xffffffff, 4);
  else head(0xd3, bits, 8);
}

void Packer::real(double v) { head(0xcb, std::bit_cast<std::uint64_t>(v), 8); }

void Packer::text(std::string_view v) {
  const auto n = v.size();
  if (n < 32) out_.push_back(static_cast<char>(0xa0 | n));
  else if (n <= 0xff) head(0xd9, n, 1);
  else if (n <= 0xffff) head(0xda, n, 2);
  else head(0xdb, n, 4);
  out_.append(v);
}

void Packer::binary(std::string_view v) {
  const auto n = v.size();
  if (n <= 0xff) head(0xc4, n, 1);
  else if (n <= 0xffff) head(0xc5, n, 2);
  else head(0xc6, n, 4);
  out_.append(v);
}

void Packer::array(std::size_t n) {
  if (n < 16) out_.push_back(static_cast<char>(0x90 | n));
  else if (n <= 0xffff) head(0xdc, n, 2);
  else head(0xdd, n, 4);
}

void Packer::map(std::size_t n) {
  if (n < 16) out_.push_back(static_cast<char>(0x80 | n));
  else if (n <= 0xffff) head(0xde, n, 2);
  else head(0xdf, n, 4);
}

void Packer::raw(std::string_view encoded) { out_.append(encoded); }

// ## Reading

unsigned char Unpacker::peek() const {
  if (rest_.empty()) throw DecodeError("the bytes end where a value should begin");
  return static_cast<unsigned char>(rest_.front());
}

std::string_view Unpacker::take(std::uint64_t n) {
  if (n > rest_.size()) throw DecodeError("a length reaches beyond the end of the bytes");
  const auto taken = rest_.substr(0, static_cast<std::size_t>(n));
  rest_.remove_prefix(taken.size());
  return taken;
}

std::uint64_t Unpacker::big_endian(int width) {
  const auto bytes = take(static_cast<std::uint64_t>(width));
  return get_big_endian(bytes.data(), bytes.size());
}

Unpacker::Kind Unpacker::next() const {
  const unsigned char lead = peek();
  if (lead < 0x80 || lead >= 0xe0) return Kind::integer;
  if (lead < 0x90) return Kind::map;
  if (lead < 0xa0) return Kind::array;
  if (lead < 0xc0) return Kind::text;
  switch (lead) {
    case 0xc0: return Kind::nil;
    case 0xc2: case 0xc3: return Kind::boolean;
    case 0xc4: case 0xc5: case 0xc6: return Kind::binary;
    case 0xca: case 0xcb: return Kind::real;
    case 0xcc: case 0xcd: case 0xce: case 0xcf:
    case 0xd0: case 0xd1: case 0xd2: case 0xd3: return Kind::integer;
    case 0xd9: case 0xda: case 0xdb: return Kind::text;
    case 0xdc: case 0xdd: return Kind::array;
    case 0xde: case 0xdf: return Kind::map;
    default: return Kind::other;
  }
}

void Unpacker::nil() {
  if (next() != Kind::nil) throw DecodeError("not nil");
  take(1);
}

bool Unpacker::boolean() {
  if (next() != Kind::boolean) throw DecodeError("not a boolean");
  return take(1).front() == '\xc3';
}

std::int64_t Unpacker::integer() {
  const unsigned char lead = peek();
  if (next() != Kind::integer) throw DecodeError("not an integer");
  if (lead >= 0xe0) return static_cast<signed char>(take(1).front());
  if (lead < 0xd0) {
    const auto v = natural();
    if (v > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) throw DecodeError("an integer is too large");
    return static_cast<std::int64_t>(v);
  }
  take(1);
  switch (lead) {
    case 0xd0: return static_cast<std::int8_t>(big_endian(1));
    case 0xd1: return static_cast<std::int16_t>(big_endian(2));
    case 0xd2: return static_cast<std::int32_t>(big_endian(4));
    default: return static_cast<std::int64_t>(big_endian(8));
  }
}

std::uint64_t Unpacker::natural() {
  const unsigned char lead = peek();
  if (next() != Kind::integer) throw DecodeError("not an integer");
  if (lead < 0x80) return static_cast<unsigned char>(take(1).front());
  if (lead >= 0xcc && lead <= 0xcf) {
    take(1);
    return big_endian(1 << (lead - 0xcc));
  }
  const auto v = integer();
  if (v < 0) throw DecodeError("an integer is negative");
  return static_cast<std::uint64_t>(v);
}

double Unpacker::real() {
  const auto kind = next();
  if (kind == Kind::integer) return static_cast<double>(integer());
  if (kind != Kind::real) throw DecodeError("not a number");
  const bool is_float = take(1).front() == '\xca';
  if (is_float) return static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(big_endian(4))));
  return std::bit_cast<double>(big_endian(8));
}

std::string_view Unpacker::text() {
  const unsigned char lead = peek();
  // Most are short.
  if (const std::size_t size = lead & 0x1f; (lead & 0xe0) == 0xa0 && size < rest_.size()) {
    const auto taken = rest_.substr(1, size);
    rest_.remove_prefix(1 + size);
    return taken;
  }
  if (next() != Kind::text) throw DecodeError("not a text");
  take(1);
  if (lead < 0xc0) return take(lead & 0x1f);
  return take(big_endian(1 << (lead - 0xd9)));
}

std::string_view Unpacker::binary() {
  const unsigned char lead = peek();
  if (next() != Kind::binary) throw DecodeError("not binary");
  take(1);
  return take(big_endian(1 << (lead - 0xc4)));
}

std::size_t Unpacker::array() {
  const unsigned char lead = peek();
  if (next() != Kind::array) throw DecodeError("not an array");
  take(1);
  const std::uint64_t n = lead < 0xa0 ? lead & 0x0fu : big_endian(lead == 0xdc ? 2 : 4);
  if (n > rest_.size()) throw DecodeError("an array claims more values than there are bytes");
  return static_cast<std::size_t>(n);
}

std::size_t Unpacker::map() {
  const unsigned char lead = peek();
  if (next() != Kind::map) throw DecodeError("not a map");
  take(1);
  const std::uint64_t n = lead < 0x90 ? lead & 0x0fu : big_endian(lead == 0xde ? 2 : 4);
  if (n > rest_.size() / 2) throw DecodeError("a map claims more pairs than there are bytes");
  return static_cast<std::size_t>(n);
}

// Extension types are passed over, so that what another program stored is
// carried along even where we have no use for it.
void Unpacker::skip(int depth) {
  if (depth > max_depth) throw DecodeError("nested too deep");
  switch (next()) {
    case Kind::nil: case Kind::boolean: take(1); return;
    case Kind::integer: {
      const unsigned char lead = static_cast<unsigned char>(take(1).front());
      if (lead >= 0xcc && lead <= 0xd3) take(1u << ((lead - 0xcc) & 3));
      return;
    }
    case Kind::real: real(); return;
    case Kind::text: text(); return;
    case Kind::binary: binary(); return;
    case Kind::array:
      for (std::size_t n = array(); n > 0; --n) skip(depth + 1);
      return;
    case Kind::map:
      for (std::size_t n = map(); n > 0; --n) { skip(depth + 1); skip(depth + 1); }
      return;
    case Kind::other: break;
  }
  const unsigned char lead = static_cast<unsigned char>(take(1).front());
  if (lead >= 0xd4 && lead <= 0xd8) take(1 + (1u << (lead - 0xd4)));
  else if (lead >= 0xc7 && lead <= 0xc9) take(1 + big_endian(1 << (lead - 0xc7)));
  else throw DecodeError("a byte that begins no value");
}

std::string_view Unpacker::value() {
  const auto before = rest_;
  skip(0);
  return before.substr(0, before.size() - rest_.size());
}

}  // namespace sancho
