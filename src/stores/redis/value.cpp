#include "stores/redis/value.hpp"

#include <openssl/sha.h>

#include <algorithm>
#include <array>
#include <bit>

#include "base/big_endian.hpp"
#include "sancho/error.hpp"
#include "stores/columns.hpp"

namespace sancho::redis {

namespace {

constexpr std::size_t check_size = 8, checked_from = 16;
constexpr std::string_view magic = "SNK";
constexpr char format = 1;

// OpenSSL 3 deprecates this interface in favour of one that looks the algorithm up
// at each call, which takes longer than the digesting (crypto.cpp).
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"
// The last block, or two, is padded here: nothing that is kept has to be wiped.
struct Check {
  explicit Check(std::string_view body) {
    constexpr std::size_t block = SHA_CBLOCK;
    SHA_CTX context;
    SHA1_Init(&context);
    const auto whole = body.size() / block * block, rest = body.size() - whole;
    if (whole > 0) SHA1_Update(&context, body.data(), whole);
    std::array<unsigned char, 2 * block> end{};
    body.copy(reinterpret_cast<char*>(end.data()), rest, whole);
    end[rest] = 0x80;
    const auto size = rest < block - 8 ? block : 2 * block;
    put_big_endian<std::uint64_t>(&end[size - 8], 8 * std::uint64_t{body.size()});
    for (std::size_t at = 0; at < size; at += block) SHA1_Transform(&context, &end[at]);
    put_big_endian<std::uint32_t>(&digest[0], context.h0);
    put_big_endian<std::uint32_t>(&digest[4], context.h1);
  }
  std::string_view bytes() const { return {digest.data(), check_size}; }
  std::array<char, check_size> digest;
};
#pragma GCC diagnostic pop

EightBytes signed_bytes(std::int64_t number) {
  if (!columns::is_sane(number)) throw StoreError(Trouble::refused, "a record's time is out of range");
  return EightBytes(std::bit_cast<std::uint64_t>(number));
}
EightBytes signed_bytes(Time time) { return signed_bytes(time.time_since_epoch().count()); }

std::int64_t signed_number_at(const char* bytes) {
  return std::bit_cast<std::int64_t>(get_big_endian<std::uint64_t>(bytes));
}

}  // namespace

std::string bytes_of(std::uint64_t number) { return std::string(EightBytes(number)); }

std::string bytes_of(Time time) { return std::string(signed_bytes(time)); }

std::string bytes_of(const Version& version) {
  std::string bytes;
  bytes.reserve(16);
  return bytes.append(EightBytes(version.incarnation)).append(EightBytes(version.counter));
}

std::uint64_t number_of(std::string_view bytes) {
  if (bytes.size() == 8) return get_big_endian<std::uint64_t>(bytes.data());
  std::uint64_t number = 0;
  for (const char c : bytes) number = number << 8 | static_cast<unsigned char>(c);
  return number;
}

std::string value_of(const Record& r) {
  if (r.subject.size() > 0xffffffff) throw StoreError(Trouble::refused, "a record's subject is too long");
  std::string value;
  value.reserve(value_head + r.subject.size() + r.payload.size());
  value.append(check_size, '\0').append(signed_bytes(r.accessed));
  value.append(magic).push_back(format);
  value.append(EightBytes(r.version.incarnation)).append(EightBytes(r.version.counter)).push_back(static_cast<char>(r.state));
  value.append(signed_bytes(r.idle.count())).append(signed_bytes(r.ends)).append(signed_bytes(r.created));
  value.append(r.handle.text()).append(16 - r.handle.text().size(), '\0');
  value.append(std::string_view(EightBytes(r.subject.size())).substr(4));
  value.append(r.subject).append(r.payload);
  const Check check(std::string_view(value).substr(checked_from));
  std::ranges::copy(check.bytes(), value.begin());
  return value;
}

Record record_of(std::string_view value, const std::string& store) {
  Record record;
  read_record(value, store, record);
  return record;
}

void read_record(std::string_view value, const std::string& store, Record& r) {
  const auto corrupt = [&](const char* how) {
    return StoreError(Trouble::corrupt, store + ": a record is damaged (" + how + "); it was left as it is");
  };
  if (value.size() < checked_from) throw corrupt("it is too short");
  if (Check(value.substr(checked_from)).bytes() != value.substr(0, check_size)) throw corrupt("its checksum is wrong");
  if (value.substr(checked_from, magic.size()) != magic) throw corrupt("it does not begin as one");
  if (static_cast<unsigned char>(value.at(checked_from + magic.size())) > format)
    throw StoreError(Trouble::unavailable, store + ": a record was written by a newer version of sancho");
  if (value.size() < value_head) throw corrupt("it is too short");

  const char* const bytes = value.data();
  const auto state = static_cast<unsigned char>(bytes[36]);
  if (state > static_cast<std::uint8_t>(State::note))
    throw StoreError(Trouble::unavailable, store + ": a record has a state of a newer version of sancho");
  const auto accessed = signed_number_at(bytes + 8);
  if (!columns::is_sane(accessed)) throw corrupt("its access time is none");  // outside of the check
  const auto subject_size = get_big_endian<std::uint32_t>(bytes + 77);
  if (subject_size > value.size() - value_head) throw corrupt("its subject is longer than it");
  r.version = {get_big_endian<std::uint64_t>(bytes + 20), get_big_endian<std::uint64_t>(bytes + 28)};
  r.state = static_cast<State>(state);
  r.created = Time{Duration{signed_number_at(bytes + 53)}};
  r.accessed = Time{Duration{accessed}};
  r.idle = Duration{signed_number_at(bytes + 37)};
  r.ends = Time{Duration{signed_number_at(bytes + 45)}};
  r.handle = {};
  if (bytes[61] != '\0') {
    const auto handle = Handle::parse(value.substr(61, 16));
    if (!handle) throw corrupt("its handle is none");
    r.handle = *handle;
  }
  r.subject.assign(bytes + value_head, subject_size);
  r.payload.assign(value.substr(value_head + subject_size));
}

std::optional<Head> head_of(std::string_view value) {
  if (value.size() < value_head || value.substr(checked_from, magic.size()) != magic || value[19] != format)
    return std::nullopt;
  const auto state = static_cast<unsigned char>(value[36]);
  if (state > static_cast<unsigned char>(State::note)) return std::nullopt;
  const auto time = [&](std::size_t at) { return Duration{signed_number_at(value.data() + at)}; };
  Record r;
  r.state = static_cast<State>(state);
  r.accessed = Time{time(8)};
  r.idle = time(37);
  r.ends = Time{time(45)};
  return Head{r.state, r.expires()};
}

}  // namespace sancho::redis
