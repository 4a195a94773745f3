// # What the shop remembers of a visitor
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accounts.hpp"
#include "sancho/session.hpp"

namespace demo {

struct Cart {
  std::map<std::string, int> quantities;  // by SKU
};
SANCHO_FIELDS(Cart, quantities)

// What two tabs put into it at once is all in it.
inline std::string merge_carts(std::string_view base, std::string_view theirs, std::string_view mine) {
  const auto read = [](std::string_view bytes) { return bytes.empty() ? Cart{} : sancho::decode<Cart>(bytes); };
  auto merged = read(theirs);
  for (const auto& [sku, quantity] : read(mine).quantities) merged.quantities[sku] += quantity;
  for (const auto& [sku, quantity] : read(base).quantities) merged.quantities[sku] -= quantity;
  std::erase_if(merged.quantities, [](const auto& line) { return line.second <= 0; });
  return merged.quantities.empty() ? std::string() : sancho::encode(merged);
}

struct Order {
  std::string id;  // the form's claim: the same for the same submission, and for no other
  std::int64_t cents = 0;
  int pieces = 0;
  std::string address;
  sancho::Time placed{};
};
SANCHO_FIELDS(Order, id, cents, pieces, address, placed)

struct ShopSession : sancho::Session {
  using Session::Session;

  // A visitor's cart goes along when they log in.
  sancho::Slot<Cart> cart{*this, "cart", {.merge = sancho::Merge::custom(merge_carts)}};
  sancho::Slot<std::vector<Order>> orders{*this, "orders", {.merge = sancho::Merge::append(20), .carry_at_login = false}};
  sancho::Counter visits{*this, "visits"};

  std::optional<Customer> customer() const { return get_user<Customer>(); }

  int pieces() const {
    int n = 0;
    for (const auto& [sku, quantity] : cart->quantities) n += quantity;
    return n;
  }

  // Only customers are users here: anything else is the program's mistake.
  void set_user(sancho::User user) override {
    if (user) (void)user.as<Customer>();
    Session::set_user(std::move(user));
  }
};

}  // namespace demo
