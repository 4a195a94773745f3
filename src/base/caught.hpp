// What an exception says of itself, whatever it is.
#pragma once

#include <exception>

namespace sancho {

// In a `catch (...)`: the text of what was caught, which lives as long as that.
inline const char* caught() noexcept {
  try {
    throw;
  } catch (const std::exception& e) {
    return e.what();
  } catch (...) {
    return "it threw something that is no std::exception";
  }
}

}  // namespace sancho
