#include "catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace demo {

const std::vector<Product>& catalogue() {
  static const std::vector<Product> all = {
      {"cheese", "Manchego, a wheel", "Twelve months old, firm as a squire's opinion. Travels well in a saddlebag.", 2890,
       R"(<ellipse cx="60" cy="72" rx="44" ry="20" fill="#c98a1b"/><path d="M16 56v16c0 11 20 20 44 20s44-9 44-20V56z" fill="#e0a93b"/>)"
       R"(<ellipse cx="60" cy="56" rx="44" ry="20" fill="#f4d58a"/><path d="M60 56 98 46 86 70z" fill="#fff3d1"/>)"
       R"(<circle cx="42" cy="54" r="4" fill="#dcae52"/><circle cx="58" cy="64" r="3" fill="#dcae52"/>)"},
      {"wine", "Valdepeñas, a wineskin", "Two litres of red, to be drunk lying down with the skin held to the sky.", 1450,
       R"(<path d="M54 22h14v12c14 8 24 24 24 40 0 18-14 28-32 28S30 92 30 76c0-18 12-32 24-42z" fill="#7a2e2e"/>)"
       R"(<path d="M40 76c0-12 6-22 14-29" fill="none" stroke="#b86a5e" stroke-width="5" stroke-linecap="round"/>)"
       R"(<rect x="52" y="14" width="18" height="10" rx="3" fill="#c98a1b"/>)"},
      {"bread", "Country loaf", "Baked at four in the morning, which is when roads begin.", 380,
       R"(<path d="M18 74c0-24 20-38 44-38s42 14 42 36c0 14-10 16-43 16S18 88 18 74z" fill="#c07a3a"/>)"
       R"(<path d="M42 46c-4 8-5 14-4 22M60 42c-3 8-4 16-3 24M78 44c-2 8-3 14-2 22" fill="none" stroke="#f0cf9b" stroke-width="5" stroke-linecap="round"/>)"},
      {"saddlebag", "Saddlebag", "Wool and leather. Room for three days' provisions and one remedy.", 5400,
       R"(<path d="M34 34c8-14 44-14 52 0" fill="none" stroke="#4c3a26" stroke-width="6"/><rect x="20" y="36" width="80" height="58" rx="12" fill="#8a5a33"/>)"
       R"(<path d="M20 48c0-8 6-12 12-12h56c6 0 12 4 12 12 0 16-18 22-40 22S20 64 20 48z" fill="#6d4526"/><rect x="53" y="62" width="14" height="18" rx="3" fill="#e0a93b"/>)"},
      {"basin", "Barber's basin", "Brass. Serves as a helmet in need; we have seen it done.", 3200,
       R"(<path d="M14 58h92c-4 22-22 36-46 36S18 80 14 58z" fill="#d3a02b"/><ellipse cx="60" cy="58" rx="46" ry="14" fill="#f0cf6f"/>)"
       R"(<ellipse cx="60" cy="59" rx="34" ry="8" fill="#b9861c"/>)"},
      {"lantern", "Road lantern", "Tin and horn, with oil for a night of keeping watch over arms.", 1990,
       R"(<circle cx="60" cy="20" r="9" fill="none" stroke="#4c3a26" stroke-width="5"/><path d="M40 44c4-16 36-16 40 0z" fill="#55603a"/>)"
       R"(<rect x="38" y="44" width="44" height="48" rx="4" fill="#f7e3b0"/><path d="M60 54c10 12 8 24 0 26-8-2-10-14 0-26z" fill="#d9822b"/>)"
       R"(<rect x="34" y="92" width="52" height="8" rx="3" fill="#55603a"/><path d="M49 44v48M71 44v48" stroke="#55603a" stroke-width="3"/>)"},
  };
  return all;
}

const Product* find_product(std::string_view sku) {
  const auto& all = catalogue();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Product& p) { return p.sku == sku; });
  return found == all.end() ? nullptr : &*found;
}

std::string money(std::int64_t cents) { return fmt::format("€ {}.{:02}", cents / 100, cents % 100); }

}  // namespace demo
