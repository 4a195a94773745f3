#include "stores/postgresql/place.hpp"

#include <libpq-fe.h>

#include <algorithm>
#include <charconv>
#include <memory>

#include "sancho/error.hpp"

namespace sancho::postgresql {

namespace {

[[noreturn]] void refuse(const std::string& why) { throw ConfigError("postgresql: " + why); }

std::string name_of(std::string_view uri) {
  std::string name = "postgresql://";
  const auto begin = uri.find("://");
  auto rest = uri.substr(begin == uri.npos ? uri.size() : begin + 3);
  if (const auto at = rest.rfind('@'); at != rest.npos) {
    name += "***@";
    rest.remove_prefix(at + 1);
  }
  return name + std::string(rest.substr(0, rest.find('?')));
}

std::string take(Settings& settings, std::string_view keyword) {
  const auto found = std::ranges::find(settings, keyword, &Settings::value_type::first);
  if (found == settings.end()) return {};
  auto value = std::move(found->second);
  settings.erase(found);
  return value;
}

void set_default(Settings& settings, const std::string& keyword, const std::string& value) {
  if (std::ranges::find(settings, keyword, &Settings::value_type::first) == settings.end())
    settings.emplace_back(keyword, value);
}

std::vector<std::string> parts_of(std::string_view list) {
  std::vector<std::string> parts;
  if (list.empty()) return parts;
  for (;;) {
    const auto comma = list.find(',');
    parts.emplace_back(list.substr(0, comma));
    if (comma == list.npos) return parts;
    list.remove_prefix(comma + 1);
  }
}

// libpq's own parser; what it has to say about a mistake may quote a password.
Settings settings_of(std::string_view uri) {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> parsed(
      PQconninfoParse(std::string(uri).c_str(), nullptr), PQconninfoFree);
  if (!parsed)
    refuse(
        "libpq cannot read this URI; write postgresql://user:password@host:port/database?option=value, with options "
        "that libpq knows");
  Settings settings;
  for (const auto* o = parsed.get(); o->keyword; ++o)
    if (o->val) settings.emplace_back(o->keyword, o->val);
  return settings;
}

std::optional<Duration> patience_of(const std::string& text) {
  int seconds = 0;
  if (text.empty()) return std::nullopt;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc{} || *stop) refuse("connect_timeout must be a number of seconds");
  if (seconds <= 0) return std::nullopt;
  return std::chrono::seconds{seconds};
}

}  // namespace

Place Place::parse(std::string_view uri) {
  if (!uri.starts_with("postgresql://") && !uri.starts_with("postgres://")) refuse("a URI begins with postgresql://");
  Place place;
  place.name = name_of(uri);
  auto common = settings_of(uri);
  place.patience = patience_of(take(common, "connect_timeout"));
  set_default(common, "target_session_attrs", "read-write");
  const auto attrs = std::ranges::find(common, "target_session_attrs", &Settings::value_type::first)->second;
  if (attrs != "read-write" && attrs != "primary" && attrs != "any")
    refuse("target_session_attrs must be read-write, primary or any: sessions are written");
  // Asking for Kerberos tickets may take any time; who wants them says so.
  set_default(common, "gssencmode", "disable");
  set_default(common, "fallback_application_name", "sancho");
  set_default(common, "client_encoding", "UTF8");

  const auto hosts = parts_of(take(common, "host")), addresses = parts_of(take(common, "hostaddr")),
             ports = parts_of(take(common, "port"));
  const auto count = std::max({hosts.size(), addresses.size(), std::size_t{1}});
  if ((!hosts.empty() && hosts.size() != count) || (!addresses.empty() && addresses.size() != count))
    refuse("host and hostaddr must list the same number of servers");
  if (ports.size() > 1 && ports.size() != count) refuse("there must be one port for all hosts, or one for each");
  for (std::size_t i = 0; i < count; ++i) {
    auto settings = common;
    const auto add = [&](const char* keyword, const std::vector<std::string>& list, std::size_t at) {
      if (at < list.size() && !list[at].empty()) settings.emplace_back(keyword, list[at]);
    };
    add("host", hosts, i);
    add("hostaddr", addresses, i);
    add("port", ports, ports.size() > 1 ? i : 0);
    place.hosts.push_back(std::move(settings));
  }
  return place;
}

}  // namespace sancho::postgresql
