// A payload's body under a checksum that fits, so that the fuzzer gets past it.
// Whatever it holds is understood, or refused as corrupt or unavailable; what
// is understood is sealed again and means the same.
#include <cstdlib>

#include "crc32c.hpp"
#include "protocol/payload.hpp"
#include "sancho/error.hpp"

namespace {

using namespace sancho;

// The checksum as DESIGN.md has it, over the columns of an empty record.
Record with_body(std::string_view body) {
  Record record;
  record.handle = *Handle::parse("AAAABBBBCCCCDDDD");
  std::string columns(17, '\0');
  columns[0] = static_cast<char>(record.state);
  const auto crc = crc32c(body, crc32c(record.subject, crc32c(record.handle.text(), crc32c(columns))));
  record.payload = "SNP\x01";
  for (int shift = 24; shift >= 0; shift -= 8) record.payload.push_back(static_cast<char>(crc >> shift & 0xff));
  record.payload += body;
  return record;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto record = with_body({reinterpret_cast<const char*>(data), size});
  try {
    const protocol::PayloadView view(record);
    view.slot("a");
    view.did(1);
    const auto payload = protocol::unseal(record);
    record.payload = protocol::seal(record, payload);
    if (!(protocol::unseal(record) == payload)) std::abort();
  } catch (const StoreError& e) {
    if (e.kind() != Trouble::corrupt && e.kind() != Trouble::unavailable) std::abort();
  }
  return 0;
}
