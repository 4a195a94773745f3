// What a conversation of this store can wish for.
#pragma once

#include <span>
#include <string>

#include "sancho/store.hpp"
#include "stores/conversation.hpp"
#include "stores/postgresql/pipeline.hpp"

namespace sancho::postgresql {

// All steps or none, over whichever connection. Trouble: `StoreError`, if there
// is none to be had.
struct Exchange {
  std::span<const Step> steps;
  Deadline until;
  Reply reply = {};
  // The connection was opened for this: what it met is the server's state of now.
  bool fresh = false;
};

// SQL without parameters, one transaction, over the connection that the
// conversation is about; all results but as text.
struct Script {
  std::string sql;
  Reply reply = {};
};

// The next record of a walk, for whoever walks.
struct Show {
  const KeyedRecord& found;
  bool go_on = false;
};

using Wish = std::variant<Exchange*, Script*, Show*>;
template <class T>
using Conversation = sancho::Conversation<T, Wish>;
using Floor = sancho::Floor<Wish>;

}  // namespace sancho::postgresql
