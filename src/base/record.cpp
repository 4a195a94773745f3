#include "sancho/record.hpp"

#include <cstring>
#include <iterator>

#include "base/big_endian.hpp"
#include "base/crc32c.hpp"
#include "base/inline_packer.hpp"
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

namespace {
constexpr std::string_view names[] = {"inc", "n", "state", "created", "accessed", "idle", "ends", "subject", "handle", "payload"};

void write(InlinePacker& out, const Record& r) {
  out.map(std::size(names));
  out.text(names[0]), out.natural(r.version.incarnation);
  out.text(names[1]), out.natural(r.version.counter);
  out.text(names[2]), out.natural(static_cast<std::uint8_t>(r.state));
  out.text(names[3]), out.time(r.created);
  out.text(names[4]), out.time(r.accessed);
  out.text(names[5]), out.integer(r.idle.count());
  out.text(names[6]), out.time(r.ends);
  out.text(names[7]), out.text(r.subject);
  out.text(names[8]), out.text(r.handle.text());
  out.text(names[9]), out.binary(r.payload);
}

// Not less than the bytes of a record, but for what has no bound.
constexpr std::size_t most_besides = [] {
  std::size_t size = head_size + 1 + 7 * InlinePacker::most_of_number + 3 * InlinePacker::most_of_head + sizeof(Handle);
  for (const auto name : names) size += 1 + name.size();
  return size;
}();
}  // namespace

void append_record(std::string& out, const Record& r) {
  const auto before = out.size();
  out.resize(before + most_besides + r.subject.size() + r.payload.size());
  char* const begin = out.data() + before;
  InlinePacker packer(begin + head_size);
  write(packer, r);
  const std::string_view body(begin + head_size, static_cast<std::size_t>(packer.end() - begin) - head_size);
  magic.copy(begin, magic.size());
  begin[magic.size()] = format_version;
  auto crc = crc32c(body);
  for (std::size_t i = head_size; i > magic.size() + 1; crc >>= 8) begin[--i] = static_cast<char>(crc & 0xff);
  out.resize(before + head_size + body.size());
}

std::string encode_record(const Record& r) {
  std::string out;
  append_record(out, r);
  return out;
}

// ## The way back
//
// What `encode_record` writes is read in the order in which it writes it. Anything
// else (another program's order, a newer version's fields, damage that a checksum
// of its own covers) is taken apart field by field.

namespace {
// Far more than any calendar needs, and small enough to be added up.
constexpr std::int64_t farthest = std::int64_t{1} << 53;

class Usual {
 public:
  explicit Usual(std::string_view bytes) : at_(bytes.data()), end_(at_ + bytes.size()) {}

  bool read(Record& r) {
    std::uint64_t state = 0;
    std::string_view handle;
    if (!byte(0x80 | std::size(names))) return false;
    if (!name<0>() || !natural(r.version.incarnation) || !name<1>() || !natural(r.version.counter)) return false;
    if (!name<2>() || !natural(state) || state > static_cast<std::uint8_t>(State::note)) return false;
    if (!name<3>() || !time(r.created) || !name<4>() || !time(r.accessed)) return false;
    if (!name<5>() || !span(r.idle) || !name<6>() || !time(r.ends)) return false;
    if (!name<7>() || !text(subject_) || !name<8>() || !text(handle) || !name<9>() || !binary(payload_) || at_ != end_) return false;
    r.state = static_cast<State>(state);
    const auto parsed = handle.empty() ? Handle{} : Handle::parse(handle);
    if (!parsed) return false;
    r.handle = *parsed;
    r.subject.assign(subject_), r.payload.assign(payload_);
    return true;
  }

 private:
  bool has(std::uint64_t n) const { return n <= static_cast<std::uint64_t>(end_ - at_); }
  bool byte(std::size_t b) { return has(1) && static_cast<unsigned char>(*at_++) == b; }
  // Of a size that the compiler knows: a comparison or two, and no call.
  template <std::size_t i>
  bool name() {
    constexpr auto size = names[i].size();
    if (!has(1 + size) || static_cast<unsigned char>(*at_) != (0xa0 | size)) return false;
    if (std::memcmp(at_ + 1, names[i].data(), size) != 0) return false;
    at_ += 1 + size;
    return true;
  }
  bool number(std::size_t width, std::uint64_t& v) {
    if (!has(width)) return false;
    v = get_big_endian(at_, width);
    at_ += width;
    return true;
  }
  bool natural(std::uint64_t& v) {
    if (!has(1)) return false;
    const auto lead = static_cast<unsigned char>(*at_++);
    if (lead < 0x80) return v = lead, true;
    if (lead == 0xcf && has(8)) return v = get_big_endian<std::uint64_t>(at_), at_ += 8, true;  // most are
    return lead >= 0xcc && lead <= 0xcf && number(std::size_t{1} << (lead - 0xcc), v);
  }
  bool span(Duration& d) {  // a time before 1970 is left to the others
    std::uint64_t ms = 0;
    if (!natural(ms) || ms > static_cast<std::uint64_t>(farthest)) return false;
    d = Duration{static_cast<std::int64_t>(ms)};
    return true;
  }
  bool time(Time& t) {
    Duration since{};
    if (!span(since)) return false;
    t = Time{since};
    return true;
  }
  bool taken(std::uint64_t size, std::string_view& v) {
    if (!has(size)) return false;
    v = {at_, static_cast<std::size_t>(size)};
    at_ += size;
    return true;
  }
  bool sized(unsigned char lead, unsigned first, std::string_view& v) {
    std::uint64_t size = 0;
    return lead >= first && lead <= first + 2 && number(std::size_t{1} << (lead - first), size) && taken(size, v);
  }
  bool text(std::string_view& v) {
    if (!has(1)) return false;
    const auto lead = static_cast<unsigned char>(*at_++);
    if (lead >= 0xa0 && lead < 0xc0) return taken(lead & 0x1fu, v);
    return sized(lead, 0xd9, v);
  }
  bool binary(std::string_view& v) { return has(1) && sized(static_cast<unsigned char>(*at_++), 0xc4, v); }

  const char *at_, *end_;
  std::string_view subject_, payload_;
};

void decode_fields(std::string_view body, Record& r);
}  // namespace

Record decode_record(std::string_view bytes) {
  Record r;
  decode_record(bytes, r);
  return r;
}

void decode_record(std::string_view bytes, Record& r) {
  if (bytes.size() < head_size || bytes.substr(0, 3) != magic) corrupt("it does not begin as one");
  const auto version = static_cast<unsigned char>(bytes[3]);
  const auto body = bytes.substr(head_size);
  if (crc32c(body) != get_big_endian<std::uint32_t>(bytes.data() + 4)) corrupt("its checksum is wrong");
  if (version > format_version) throw StoreError(Trouble::unavailable, "a record was written by a newer version of sancho");
  if (version != format_version) corrupt("it has no such format version");
  if (!Usual(body).read(r)) decode_fields(body, r);
}

namespace {
void decode_fields(std::string_view body, Record& r) {
  unsigned seen = 0;
  const auto field = [&](unsigned bit) {
    if (seen >> bit & 1) corrupt("a field is there twice");
    seen |= 1u << bit;
  };
  const auto span = [](Unpacker& u) {
    const auto ms = u.integer();
    if (ms > farthest || ms < -farthest) corrupt("a time is out of range");
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
}
}  // namespace

}  // namespace sancho
