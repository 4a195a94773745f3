// Values as slots have them.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "sancho/msgpack.hpp"

namespace sancho::protocol {

inline std::string number(std::int64_t v) {
  Packer p;
  p.integer(v);
  return std::move(p).take();
}
inline std::string real(double v) {
  Packer p;
  p.real(v);
  return std::move(p).take();
}
inline std::string text(std::string_view v) {
  Packer p;
  p.text(v);
  return std::move(p).take();
}
inline std::string list(std::initializer_list<std::int64_t> items) {
  Packer p;
  p.array(items.size());
  for (const auto v : items) p.integer(v);
  return std::move(p).take();
}

}  // namespace sancho::protocol
