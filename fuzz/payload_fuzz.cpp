// A payload's body under a checksum that fits, so that the fuzzer gets past it.
// Whatever it holds is understood, or refused as corrupt or unavailable; what
// is understood is sealed again and means the same; and a slot is put into it by
// both ways there are, to the same bytes.
#include <cstdlib>

#include "base/crc32c.hpp"
#include "protocol/delta.hpp"
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

void change(const Record& record) {
  const protocol::PayloadView view(record);
  const protocol::Delta delta{.slots = {{"a", {}, "\x05", {}}}};
  const auto amended = protocol::amend(record, view, delta, 7, 4, 16);
  if (!amended) return;
  auto payload = view.owned();
  protocol::apply(payload, delta, 16);
  payload.attempts.push_back(7);
  if (payload.attempts.size() > 4) payload.attempts.erase(payload.attempts.begin(), payload.attempts.end() - 4);
  if (*amended != protocol::seal(record, payload)) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto record = with_body({reinterpret_cast<const char*>(data), size});
  try {
    const protocol::PayloadView view(record);
    view.slot("a");
    view.did(1);
    change(record);
    const auto payload = protocol::unseal(record);
    record.payload = protocol::seal(record, payload);
    if (!(protocol::unseal(record) == payload)) std::abort();
  } catch (const StoreError& e) {
    if (e.kind() != Trouble::corrupt && e.kind() != Trouble::unavailable) std::abort();
  }
  return 0;
}
