// The session class that most tests use.
#pragma once

#include "support.hpp"

namespace sancho::test {

struct Item {
  std::string sku;
  int quantity = 1;
  bool operator==(const Item&) const = default;
};
SANCHO_FIELDS(Item, sku, quantity)

struct Cart {
  std::vector<Item> items;
  bool operator==(const Cart&) const = default;
};
SANCHO_FIELDS(Cart, items)

struct ShopSession : Session {
  using Session::Session;
  Slot<Cart> cart{*this, "cart"};
  Counter visits{*this, "visits"};
};

using Shop = App<ShopSession>;

inline void log_in(ShopSession& session) { session.set_user("ada"); }

}  // namespace sancho::test
