// # Names and chance
//
// In a proof nothing is random: what a request draws is its own letter and a
// count. So every id that a machine can come to has a readable name: `X` is the
// id that the browser starts with, `A3` the third thing that request A drew,
// `X/A3` the id that a rotation of `X` with that nonce gives.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sancho/id.hpp"

namespace sancho::proof {

// An id of one scenario, and its key likewise: there is one for each. 0: none.
using IdNo = std::uint16_t;

class Names {
 public:
  Names();

  IdNo of(const SessionId& id);
  // Derives it, where it is the successor of a known id by a known nonce.
  IdNo of(const SessionKey& key);

  const SessionId& id(IdNo no) const { return rows_[no].id; }
  const SessionKey& key(IdNo no) const { return rows_[no].key; }
  const std::string& label(IdNo no) const { return rows_[no].label; }
  // Is one of these derived from the other?
  bool related(IdNo a, IdNo b) const;

  IdNo add(const SessionId& id, std::string label);
  void drew_nonce(const Nonce& nonce, std::string label);

 private:
  struct Row {
    SessionId id;
    SessionKey key;
    std::string label;
  };
  struct Drawn {
    Nonce nonce;
    std::string label;
  };
  std::vector<Row> rows_;
  std::vector<Drawn> nonces_;
  std::map<SessionKey, IdNo> by_key_;
};

// The random source of one request: gives its letter and a count, and tells
// the names. The count belongs to the request's state.
class Chance final : public RandomSource {
 public:
  Chance(Names& names, char who, std::uint32_t& drawn) : names_(names), who_(who), drawn_(drawn) {}
  void fill(std::span<std::byte> out) override;

  // Whose attempt was it?
  static char owner(std::uint64_t attempt) { return static_cast<char>(attempt >> 56); }

 private:
  Names& names_;
  char who_;
  std::uint32_t& drawn_;
};

// Bytes that are all the same: nonces, secrets and ids of the start.
SessionId id_of(char all);
Nonce nonce_of(char all);

}  // namespace sancho::proof
