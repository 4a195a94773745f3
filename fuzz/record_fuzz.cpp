// Records and MessagePack from a hostile or broken disk. Each input is tried
// as it is, and as a body under a head whose checksum fits, because no fuzzer
// guesses a checksum.
#include <cstdlib>
#include <string>

#include "base/crc32c.hpp"
#include "sancho/error.hpp"
#include "sancho/msgpack.hpp"
#include "sancho/record.hpp"

namespace {
void require(bool condition) {
  if (!condition) std::abort();
}

std::string sealed(std::string_view body) {
  const auto crc = sancho::crc32c(body);
  std::string out("SNR\1");
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(crc >> shift & 0xff));
  return out.append(body);
}

// Any other exception ends the run. What decodes, encodes and decodes the same.
void decode(std::string_view bytes) {
  try {
    const auto record = sancho::decode_record(bytes);
    const auto encoded = sancho::encode_record(record);
    require(sancho::decode_record(encoded) == record);
    require(sancho::encode_record(sancho::decode_record(encoded)) == encoded);
    record.expires();
  } catch (const sancho::StoreError& e) {
    require(e.kind() == sancho::Trouble::corrupt || e.kind() == sancho::Trouble::unavailable);
  }
}

void read_values(std::string_view bytes) {
  try {
    for (sancho::Unpacker u(bytes); !u.done();) {
      const auto value = u.value();
      require(!value.empty() && value.data() >= bytes.data() && value.data() + value.size() <= bytes.data() + bytes.size());
      sancho::Unpacker again(value);
      require(again.value() == value && again.done());
    }
  } catch (const sancho::DecodeError&) {
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  decode(bytes);
  decode(sealed(bytes));
  if (size > 8) decode(sealed(bytes.substr(8)));
  read_values(bytes);
  return 0;
}
