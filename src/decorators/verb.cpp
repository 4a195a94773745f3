#include "sancho/decorators/decorated.hpp"

namespace sancho {

std::string_view to_string(StoreVerb verb) {
  switch (verb) {
    case StoreVerb::load: return "load";
    case StoreVerb::create: return "create";
    case StoreVerb::commit: return "commit";
    case StoreVerb::touch: return "touch";
    case StoreVerb::erase: return "erase";
    case StoreVerb::sweep: return "sweep";
    case StoreVerb::find_by_subject: return "find_by_subject";
    case StoreVerb::epochs: return "epochs";
    case StoreVerb::set_epoch: return "set_epoch";
    case StoreVerb::walk: return "walk";
    case StoreVerb::count: return "count";
    case StoreVerb::setup: return "setup";
  }
  return "unknown";
}

}  // namespace sancho
