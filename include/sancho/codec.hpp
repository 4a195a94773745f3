// # Values as bytes
//
// What can be a user or a slot: booleans, numbers, strings, enumerations,
// `std::optional`, `vector`, `set`, `map` with string keys, `pair`, points and
// spans of `<chrono>`, `Bytes`, and any struct that says in one line what it
// consists of:
//
//     struct Item { std::string sku; int quantity = 1; };
//     SANCHO_FIELDS(Item, sku, quantity)
//
// The line stands in the struct's namespace, behind it. A struct is written as
// a map from field name to value, so it may grow: a field that the bytes lack
// keeps its default, one that the struct lacks is passed over. A value of
// another type than asked for is a `DecodeError`, never a default.
#pragma once

#include <chrono>
#include <concepts>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "sancho/export.hpp"
#include "sancho/msgpack.hpp"

namespace sancho SANCHO_EXPORT {

// A string of bytes that is not text.
struct Bytes {
  std::string data;
  bool operator==(const Bytes&) const = default;
};

// How one type is written and read. Specialise it for a type that needs more
// than `SANCHO_FIELDS`: `static void write(Packer&, const T&)` and
// `static void read(Unpacker&, T&)`.
template <class T>
struct Codec;

template <class T>
concept Encodable = requires(Packer& p, Unpacker& u, T& value) {
  Codec<std::remove_cv_t<T>>::write(p, value);
  Codec<std::remove_cv_t<T>>::read(u, value);
};

// The value as one MessagePack value.
template <Encodable T>
std::string encode(const T& value) {
  Packer p;
  Codec<T>::write(p, value);
  return std::move(p).take();
}

// The way back. Throws `DecodeError` if the bytes are not exactly one `T`.
template <Encodable T>
T decode(std::string_view bytes) {
  T value{};
  Unpacker u(bytes);
  Codec<T>::read(u, value);
  if (!u.done()) throw DecodeError("something stands behind the value");
  return value;
}

// ## The types

template <>
struct Codec<bool> {
  static void write(Packer& p, bool v) { p.boolean(v); }
  static void read(Unpacker& u, bool& v) { v = u.boolean(); }
};

template <std::integral T>
struct Codec<T> {
  static void write(Packer& p, T v) {
    if constexpr (std::is_signed_v<T>) p.integer(v);
    else p.natural(v);
  }
  static void read(Unpacker& u, T& v) {
    using Wide = std::conditional_t<std::is_signed_v<T>, std::int64_t, std::uint64_t>;
    Wide wide{};
    if constexpr (std::is_signed_v<T>) wide = u.integer();
    else wide = u.natural();
    if (!std::in_range<T>(wide)) throw DecodeError("an integer does not fit its type");
    v = static_cast<T>(wide);
  }
};

template <std::floating_point T>
struct Codec<T> {
  static void write(Packer& p, T v) { p.real(static_cast<double>(v)); }
  static void read(Unpacker& u, T& v) { v = static_cast<T>(u.real()); }
};

template <class T>
  requires std::is_enum_v<T>
struct Codec<T> {
  using Number = std::underlying_type_t<T>;
  static void write(Packer& p, T v) { Codec<Number>::write(p, static_cast<Number>(v)); }
  static void read(Unpacker& u, T& v) {
    Number n{};
    Codec<Number>::read(u, n);
    v = static_cast<T>(n);
  }
};

template <>
struct Codec<std::string> {
  static void write(Packer& p, const std::string& v) { p.text(v); }
  static void read(Unpacker& u, std::string& v) { v = u.text(); }
};

template <>
struct Codec<Bytes> {
  static void write(Packer& p, const Bytes& v) { p.binary(v.data); }
  static void read(Unpacker& u, Bytes& v) { v.data = u.binary(); }
};

template <class Rep, class Period>
struct Codec<std::chrono::duration<Rep, Period>> {
  static void write(Packer& p, std::chrono::duration<Rep, Period> v) { Codec<Rep>::write(p, v.count()); }
  static void read(Unpacker& u, std::chrono::duration<Rep, Period>& v) {
    Rep count{};
    Codec<Rep>::read(u, count);
    v = std::chrono::duration<Rep, Period>{count};
  }
};

template <class Clock, class D>
struct Codec<std::chrono::time_point<Clock, D>> {
  // A steady clock starts anew with the machine, and a record does not.
  static_assert(!Clock::is_steady, "a steady clock's time means nothing in another process: keep a system_clock's");
  static void write(Packer& p, std::chrono::time_point<Clock, D> v) { Codec<D>::write(p, v.time_since_epoch()); }
  static void read(Unpacker& u, std::chrono::time_point<Clock, D>& v) {
    D since{};
    Codec<D>::read(u, since);
    v = std::chrono::time_point<Clock, D>{since};
  }
};

template <class T>
struct Codec<std::optional<T>> {
  static void write(Packer& p, const std::optional<T>& v) {
    if (v) Codec<T>::write(p, *v);
    else p.nil();
  }
  static void read(Unpacker& u, std::optional<T>& v) {
    if (u.next() == Unpacker::Kind::nil) return u.nil(), v.reset();
    Codec<T>::read(u, v.emplace());
  }
};

template <class T>
struct Codec<std::vector<T>> {
  static void write(Packer& p, const std::vector<T>& v) {
    p.array(v.size());
    for (const auto& item : v) Codec<T>::write(p, item);
  }
  static void read(Unpacker& u, std::vector<T>& v) {
    v.clear();
    for (auto n = u.array(); n > 0; --n) Codec<T>::read(u, v.emplace_back());
  }
};

template <class T>
struct Codec<std::set<T>> {
  static void write(Packer& p, const std::set<T>& v) {
    p.array(v.size());
    for (const auto& item : v) Codec<T>::write(p, item);
  }
  static void read(Unpacker& u, std::set<T>& v) {
    v.clear();
    for (auto n = u.array(); n > 0; --n) {
      T item{};
      Codec<T>::read(u, item);
      v.insert(std::move(item));
    }
  }
};

template <class T>
struct Codec<std::map<std::string, T>> {
  static void write(Packer& p, const std::map<std::string, T>& v) {
    p.map(v.size());
    for (const auto& [key, value] : v) p.text(key), Codec<T>::write(p, value);
  }
  static void read(Unpacker& u, std::map<std::string, T>& v) {
    v.clear();
    for (auto n = u.map(); n > 0; --n) {
      const auto key = u.text();
      Codec<T>::read(u, v[std::string(key)]);
    }
  }
};

template <class A, class B>
struct Codec<std::pair<A, B>> {
  static void write(Packer& p, const std::pair<A, B>& v) {
    p.array(2);
    Codec<A>::write(p, v.first), Codec<B>::write(p, v.second);
  }
  static void read(Unpacker& u, std::pair<A, B>& v) {
    if (u.array() != 2) throw DecodeError("a pair has two parts");
    Codec<A>::read(u, v.first), Codec<B>::read(u, v.second);
  }
};

// ## Structs

namespace detail {
struct CountFields {
  std::size_t n = 0;
  template <class T>
  void operator()(std::string_view, const T&) { ++n; }
};
struct WriteField {
  Packer& p;
  template <class T>
  void operator()(std::string_view name, const T& value) {
    p.text(name);
    Codec<T>::write(p, value);
  }
};
struct ReadField {
  std::string_view wanted;
  Unpacker& u;
  bool found = false;
  template <class T>
  void operator()(std::string_view name, T& value) {
    if (!found && name == wanted) found = true, Codec<T>::read(u, value);
  }
};
}  // namespace detail

template <class T>
  requires requires(T& v, detail::CountFields& f) { sancho_fields(v, f); }
struct Codec<T> {
  static void write(Packer& p, const T& v) {
    detail::CountFields count;
    sancho_fields(v, count);
    p.map(count.n);
    detail::WriteField field{p};
    sancho_fields(v, field);
  }
  static void read(Unpacker& u, T& v) {
    for (auto n = u.map(); n > 0; --n) {
      detail::ReadField field{u.text(), u};
      sancho_fields(v, field);
      if (!field.found) u.value();
    }
  }
};

}  // namespace sancho

// `SANCHO_FIELDS(Type, field, …)`: see the top of this page.
#define SANCHO_FIELDS(Type, ...)                         \
  template <class Visitor>                               \
  void sancho_fields(Type& v, Visitor& visit) {          \
    SANCHO_EXPAND(SANCHO_EACH(__VA_ARGS__))              \
  }                                                      \
  template <class Visitor>                               \
  void sancho_fields(const Type& v, Visitor& visit) {    \
    SANCHO_EXPAND(SANCHO_EACH(__VA_ARGS__))              \
  }

// A macro that repeats itself, up to 64 fields.
#define SANCHO_EACH(field, ...) \
  visit(#field, v.field);       \
  __VA_OPT__(SANCHO_AGAIN SANCHO_PARENS(__VA_ARGS__))
#define SANCHO_AGAIN() SANCHO_EACH
#define SANCHO_PARENS ()
#define SANCHO_EXPAND(...) SANCHO_EXPAND3(SANCHO_EXPAND3(SANCHO_EXPAND3(SANCHO_EXPAND3(__VA_ARGS__))))
#define SANCHO_EXPAND3(...) SANCHO_EXPAND2(SANCHO_EXPAND2(SANCHO_EXPAND2(SANCHO_EXPAND2(__VA_ARGS__))))
#define SANCHO_EXPAND2(...) SANCHO_EXPAND1(SANCHO_EXPAND1(SANCHO_EXPAND1(SANCHO_EXPAND1(__VA_ARGS__))))
#define SANCHO_EXPAND1(...) __VA_ARGS__
