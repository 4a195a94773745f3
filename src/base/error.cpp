#include "sancho/error.hpp"

namespace sancho {

std::string_view to_string(Trouble kind) {
  switch (kind) {
    case Trouble::unavailable: return "unavailable";
    case Trouble::corrupt: return "corrupt";
    case Trouble::full: return "full";
    case Trouble::refused: return "refused";
    case Trouble::contention: return "contention";
    case Trouble::in_doubt: return "in_doubt";
  }
  return "unknown";
}

}  // namespace sancho
