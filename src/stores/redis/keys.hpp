// # Names in Redis
//
// Everything of a namespace stands under `sancho:<namespace>:`. A session's key
// has the routing tag in braces, and so have its subject's index and epoch: one
// hash slot, so that one script covers them.
//
//     sancho:shop:{a1b2c3}:s:<32 bytes>   a record; the digest of its id
//     sancho:shop:{a1b2c3}:u:<16 bytes>   which records a subject has
//     sancho:shop:{a1b2c3}:o:<16 bytes>   the subject's epoch
//     sancho:shop:{a1b2c3}:e              everyone's epoch: in a cluster one a slot
//     sancho:shop:{meta}:m                schema and routing secret
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/crypto.hpp"
#include "sancho/id.hpp"
#include "stores/redis/slot.hpp"

namespace sancho::redis {

// Where a subject's sessions are: follows from its name and the store's secret.
struct SubjectPlace {
  std::uint32_t tag = 0;  // 24 bits
  std::string name;       // 16 bytes, which stand for the subject in keys
};

SubjectPlace place_of(std::string_view subject, std::string_view secret);

class Keys {
 public:
  explicit Keys(const std::string& name_space) : prefix_("sancho:" + name_space + ":") {}

  std::string record(const SessionKey& key) const;
  // How it ends, behind what all of them have in common: so many bytes, put there.
  static constexpr std::size_t record_end = 6 + 4 + 32;
  static void put_record_end(const SessionKey& key, char* there);
  Slot slot(const SessionKey& key) const;
  std::string index(const SubjectPlace& place) const { return tagged(place.tag) + ":u:" + place.name; }
  std::string epoch(const SubjectPlace& place) const { return tagged(place.tag) + ":o:" + place.name; }
  std::string everyone(std::uint32_t tag) const { return tagged(tag) + ":e"; }
  std::string meta() const { return prefix_ + "{meta}:m"; }

  // A glob that matches records, and with them hardly anything else.
  std::string record_pattern() const { return prefix_ + "{??????}:s:*"; }
  // Which session a record's name stands for; nothing if it is none of ours.
  std::optional<SessionKey> session(std::string_view record_name) const;
  // The record that an index's member, a digest, names.
  std::string member_record(const SubjectPlace& place, std::string_view digest) const;

 private:
  // With room for so many bytes behind it.
  std::string tagged(std::uint32_t tag, std::size_t more = 0) const;
  std::string prefix_;
};

// The tag whose keys are beside this one's: its own, or for a key without one
// the first bytes of the digest.
std::uint32_t place_tag(const SessionKey& key);

}  // namespace sancho::redis
