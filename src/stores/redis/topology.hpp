// # Who is in charge of what
//
// Which node has the master's part: of everything, or of each slot. State and
// parsing; who asks whom stands elsewhere.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stores/authority.hpp"
#include "stores/redis/reply.hpp"
#include "stores/redis/slot.hpp"

namespace sancho::redis {

enum class Deployment { server, sentinel, cluster };

class Topology {
 public:
  // Of a single server there is nothing to be learnt.
  Topology(Deployment kind, std::vector<Endpoint> seeds);

  Deployment kind() const { return kind_; }

  // Who has this slot; nothing if that is to be learnt first.
  std::optional<Endpoint> owner(Slot slot) const;
  // All masters; empty if they are to be learnt first.
  std::vector<Endpoint> masters() const;
  // Whom to ask, those first who were named at the beginning.
  std::vector<Endpoint> informants() const;

  void master_is(const Endpoint& node);              // Sentinel says
  void slot_is_at(Slot slot, const Endpoint& node);  // MOVED says
  // CLUSTER SLOTS of the node `asked`. False if the reply is none or names nobody.
  bool learn_slots(const Reply& reply, const Endpoint& asked);
  // What is known may be wrong: learn before the next use.
  void suspect() { suspect_ = kind_ != Deployment::server; }
  bool is_suspect() const { return suspect_; }

 private:
  static constexpr std::uint16_t nobody = 0xffff;
  std::uint16_t number_of(const Endpoint& node);

  Deployment kind_;
  std::vector<Endpoint> seeds_;
  std::vector<Endpoint> nodes_;
  std::vector<std::uint16_t> owners_;  // by slot; of one element where there are no slots
  bool suspect_ = false;
};

// SENTINEL GET-MASTER-ADDR-BY-NAME. Nothing if the sentinel does not know it.
std::optional<Endpoint> master_in(const Reply& reply);

// The slots of a node that are its own and at rest, from its line in its own
// CLUSTER NODES: none that is being moved to it or away.
std::vector<bool> slots_at_rest(const Reply& reply);

}  // namespace sancho::redis
