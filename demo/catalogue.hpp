// # What the shop sells
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace demo {

struct Product {
  std::string sku;
  std::string name;
  std::string description;
  std::int64_t cents;
  std::string picture;  // SVG, 120 by 120, without its outer element
};

// In the order of the shelves. Lives for the whole program.
const std::vector<Product>& catalogue();

// Null if there is none.
const Product* find_product(std::string_view sku);

// `€ 12.50`
std::string money(std::int64_t cents);

}  // namespace demo
