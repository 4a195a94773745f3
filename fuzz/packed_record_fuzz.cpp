// Records as `sqlite:` and `lmdb:` pack them, from a broken disk. Each input is tried as it
// is and under a checksum that fits, because no fuzzer guesses one.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/big_endian.hpp"
#include "base/crc32c.hpp"
#include "sancho/error.hpp"
#include "stores/lmdb/packed_record.hpp"
#include "stores/sqlite/packed_record.hpp"

namespace {
using namespace sancho;

void require(bool condition) {
  if (!condition) std::abort();
}

const auto key = SessionKey::of_note("fuzz", "packed");

void put_checksum(std::string& bytes, std::size_t at, std::initializer_list<std::string_view> parts) {
  const auto crc = crc32c(std::span(parts.begin(), parts.size()));
  put_big_endian(bytes.data() + at, crc);
}

// Any other exception ends the run. What is read, is packed and read the same.
void read_as_lmdb(std::string_view bytes) {
  try {
    Record record, again;
    lmdb::unpack(key, bytes, record);
    std::string packed;
    lmdb::append_packed(packed, key, record);
    lmdb::unpack(key, packed, again);
    require(again == record);
  } catch (const StoreError& e) {
    require(e.kind() == Trouble::corrupt || e.kind() == Trouble::unavailable);
  }
}

void read_as_sqlite(std::string_view bytes) {
  const auto view = sqlite::unpacked(bytes, Time{});
  if (!view) return;
  const auto its = SessionKey::from_bytes(view->key);
  require(its.has_value());
  const auto record = view->copy();
  const auto packed = sqlite::packed(*its, record);
  const auto again = sqlite::unpacked(packed, Time{});
  require(again && again->copy() == record);
}

void read_as_schema_4(std::string_view bytes) {
  const auto subject = bytes.substr(0, bytes.empty() ? 0 : static_cast<unsigned char>(bytes[0]) % 16);
  auto row = std::string(bytes);
  if (row.size() >= 56) {
    put_big_endian(row.data() + 52, static_cast<std::uint32_t>(subject.size()));
    put_checksum(row, 0, {std::string_view(row).substr(4), subject});
  }
  if (const auto now = sqlite::packed_of_4(row, subject)) {
    require(now->size() == row.size() + subject.size());
    if (const auto view = sqlite::unpacked(*now, Time{})) require(view->subject == subject);
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  read_as_lmdb(bytes);
  read_as_sqlite(bytes);
  read_as_schema_4(bytes);
  std::string sealed(bytes);
  if (size >= 5) {
    sealed[0] = 1;
    put_checksum(sealed, 1, {key.bytes(), std::string_view(sealed).substr(5)});
    read_as_lmdb(sealed);
    put_checksum(sealed, 0, {std::string_view(sealed).substr(4)});
    read_as_sqlite(sealed);
  }
  return 0;
}
