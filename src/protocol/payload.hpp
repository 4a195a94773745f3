// # The payload
//
// What the protocol keeps in a record and no store looks into: a checksummed
// envelope around one MessagePack map. DESIGN.md has it byte by byte.
//
// Reading goes through `PayloadView`, which points into the record's bytes and
// allocates nothing; writing through `Payload`, which owns what it holds.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sancho/record.hpp"

namespace sancho::protocol {

// What a store keeps of a form token: the first 16 bytes of its SHA-256, so
// that a stolen store holds no token.
using TokenDigest = std::array<std::byte, 16>;
using Secret32 = std::array<std::byte, 32>;

// One try of one commit or create. It tells "mine, done" from "somebody
// else's" when an answer was lost.
using Attempt = std::uint64_t;

// Why a session ended; it decides what its tombstone means to others.
enum class EndReason : std::uint8_t {
  none = 0,    // not ended
  logout = 1,  // also a revocation: nothing goes on from here
  login = 2,   // replaced by another identity's session
  reauth = 3,  // replaced by the same session under a new id
  empty = 4,   // it held nothing any more
};

// A consumed form token and the attempt that consumed it.
struct Spent {
  TokenDigest token;
  Attempt attempt;
  bool operator==(const Spent&) const = default;
};

// A slot as the record has it: a name and one MessagePack value.
struct SlotBytes {
  std::string name;
  std::string value;
  bool operator==(const SlotBytes&) const = default;
};

struct Payload {
  // ## The protocol's own
  std::vector<Attempt> attempts;         // the last few, oldest first
  std::vector<Spent> spent;              // likewise
  std::optional<SessionKey> predecessor; // until this id was first used
  std::optional<SessionKey> successor;   // moved, or ended by login or reauth
  std::optional<Nonce> nonce;            // moved: leads from the old id to the new
  std::optional<Time> used;              // moved: when the successor was first used
  EndReason why = EndReason::none;
  Time issued{};  // when this id was made: renewal is measured from here

  // ## The session's
  std::optional<Time> authenticated;  // the last login or reauthentication
  bool persistent = false;            // "keep me logged in": the cookie has a Max-Age
  std::string remote_address;
  std::string user_agent;
  std::string user;                   // a MessagePack value; empty for nobody
  std::vector<TokenDigest> tokens;    // outstanding form tokens, oldest first
  std::optional<Secret32> csrf;       // masked with the id: see `csrf_mask`
  std::vector<SlotBytes> slots;       // sorted by name
  std::string unknown;                // pairs of a newer version, carried along

  SlotBytes* find(std::string_view name);
  const SlotBytes* find(std::string_view name) const;
  void put(std::string_view name, std::string value);
  void drop(std::string_view name);

  bool operator==(const Payload&) const = default;
};

// The payload's bytes for this record, whose other fields are final: state,
// version, subject and handle are bound into the checksum, so that bytes put
// under another row's columns do not open.
std::string seal(const Record& record, const Payload& payload);

class Reader;

// A record's payload, checked and taken apart, as views into `record`.
//
// Throws `StoreError`: *corrupt* where the bytes are not what was sealed,
// *unavailable* where a newer version of this library has put something
// critical there.
struct PayloadView {
  explicit PayloadView(const Record& record);

  std::string_view attempts, spent, tokens;  // packed, 8, 24 and 16 bytes each
  std::optional<SessionKey> predecessor, successor;
  std::optional<Nonce> nonce;
  std::optional<Time> used, authenticated;
  EndReason why = EndReason::none;
  Time issued{};
  bool persistent = false;
  std::string_view remote_address, user_agent, user;
  std::optional<Secret32> csrf;
  std::string_view slots;  // a MessagePack map, or empty for none

  // One slot's value, or nothing.
  std::optional<std::string_view> slot(std::string_view name) const;
  bool did(Attempt attempt) const;  // is it among the attempts, or a spender?
  std::size_t token_count() const { return tokens.size() / sizeof(TokenDigest); }
  // The same, owning everything.
  Payload owned() const;
  // Pairs of a newer version, to be carried along.
  const std::vector<std::string_view>& unknown() const { return unknown_; }

 private:
  void take_apart(std::string_view body);
  void take_any(Reader& r);
  std::vector<std::string_view> unknown_;
};

// False where a `PayloadView` of it would throw.
bool is_readable(const Record& record);

// `PayloadView::owned` of it.
Payload unseal(const Record& record);

// What the stored CSRF secret is masked with: only who holds the id can take
// it off, so a stolen store forges no form.
Secret32 csrf_mask(const SessionId& id);
Secret32 operator^(const Secret32& a, const Secret32& b);

}  // namespace sancho::protocol
