#include "sancho/record.hpp"

#include "crc32c.hpp"
#include "sancho/error.hpp"
#include "sancho/msgpack.hpp"

namespace sancho {

std::string_view to_string(State state) {
  switch (state) {
    case State::pending: return "pending";
    case State::live: return "live";
    case State::moved: return "moved";
    case State::ended: return "ended";
    case State::note: return "note";
  }
  return "unknown";
}

// ## The record as bytes
//
// `"SNR"`, one byte of format version, four of CRC-32C over all that follows
// (big endian), then one MessagePack map. DESIGN.md has the grammar and a
// worked example.

namespace {
constexpr std::string_view magic = "SNR";
constexpr char format_version = 1;
constexpr std::size_t head_size = 8;

[[noreturn]] void corrupt(const char* how) { throw StoreError(Trouble::corrupt, std::string("a record is corrupt: ") + how); }
}  // namespace

std::string encode_record(const Record& r) {
  Packer p;
  p.map(10);
  p.text("inc"), p.natural(r.version.incarnation);
  p.text("n"), p.natural(r.version.counter);
  p.text("state"), p.natural(static_cast<std::uint8_t>(r.state));
  p.text("created"), p.integer(r.created.time_since_epoch().count());
  p.text("accessed"), p.integer(r.accessed.time_since_epoch().count());
  p.text("idle"), p.integer(r.idle.count());
  p.text("ends"), p.integer(r.ends.time_since_epoch().count());
  p.text("subject"), p.text(r.subject);
  p.text("handle"), p.text(r.handle.text());
  p.text("payload"), p.binary(r.payload);
  const auto crc = crc32c(p.bytes());
  std::string out;
  out.reserve(head_size + p.bytes().size());
  out.append(magic);
  out.push_back(format_version);
  for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(crc >> shift & 0xff));
  out.append(p.bytes());
  return out;
}

Record decode_record(std::string_view bytes) {
  if (bytes.size() < head_size || bytes.substr(0, 3) != magic) corrupt("it does not begin as one");
  const auto version = static_cast<unsigned char>(bytes[3]);
  std::uint32_t crc = 0;
  for (std::size_t i = 4; i < head_size; ++i) crc = crc << 8 | static_cast<unsigned char>(bytes[i]);
  const auto body = bytes.substr(head_size);
  if (crc32c(body) != crc) corrupt("its checksum is wrong");
  if (version > format_version) throw StoreError(Trouble::unavailable, "a record was written by a newer version of sancho");
  if (version != format_version) corrupt("it has no such format version");
  Record r;
  unsigned seen = 0;
  const auto field = [&](unsigned bit) {
    if (seen >> bit & 1) corrupt("a field is there twice");
    seen |= 1u << bit;
  };
  // Far more than any calendar needs, and small enough to be added up.
  const auto span = [](Unpacker& u) {
    const auto ms = u.integer();
    if (ms > std::int64_t{1} << 53 || ms < -(std::int64_t{1} << 53)) corrupt("a time is out of range");
    return Duration{ms};
  };
  const auto time = [&](Unpacker& u) { return Time{span(u)}; };
  try {
    Unpacker u(body);
    for (auto pairs = u.map(); pairs > 0; --pairs) {
      const auto key = u.text();
      if (key == "inc") r.version.incarnation = u.natural(), field(0);
      else if (key == "n") r.version.counter = u.natural(), field(1);
      else if (key == "state") {
        const auto state = u.natural();
        if (state > static_cast<std::uint8_t>(State::note)) throw StoreError(Trouble::unavailable, "a record has a state of a newer version of sancho");
        r.state = static_cast<State>(state), field(2);
      } else if (key == "created") r.created = time(u), field(3);
      else if (key == "accessed") r.accessed = time(u), field(4);
      else if (key == "idle") r.idle = span(u), field(5);
      else if (key == "ends") r.ends = time(u), field(6);
      else if (key == "subject") r.subject = u.text(), field(7);
      else if (key == "handle") {
        const auto text = u.text();
        const auto handle = Handle::parse(text);
        if (!handle && !text.empty()) corrupt("its handle is none");
        r.handle = handle.value_or(Handle{}), field(8);
      } else if (key == "payload") r.payload = u.binary(), field(9);
      else throw StoreError(Trouble::unavailable, "a record has a field of a newer version of sancho");
    }
    if (!u.done()) corrupt("something stands behind it");
  } catch (const DecodeError& e) {
    corrupt(e.what());
  }
  if (seen != 0x3ff) corrupt("a field is missing");
  return r;
}

}  // namespace sancho
