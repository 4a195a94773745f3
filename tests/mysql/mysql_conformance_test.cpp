// The contract, clause by clause: on one server through TCP, through its socket and
// through TLS, and on a Galera cluster, where each handle that is opened to a place
// has another node.
#include "sancho/conformance.hpp"

#include "mysql_fixture.hpp"

namespace sancho::mysql_test {
namespace {

const auto one = options_from("SANCHO_TEST_MYSQL");
const auto with_tls = options_from("SANCHO_TEST_MYSQL_TLS");
const auto cluster = options_from("SANCHO_TEST_GALERA");

conformance::Venue venue(const MysqlOptions& options) {
  const auto place = std::make_shared<Namespace>(options);
  const auto opened = std::make_shared<std::atomic<std::size_t>>(0);
  return {.open = [=](const Clock&) { return place->open(with_host_first(place->options(), (*opened)++)); },
          .pass = [=](Duration d) { place->ahead += d.count(); }};
}

MysqlOptions through_socket(MysqlOptions options) {
  options.socket = Raw(options).ask("SELECT @@socket");
  return options;
}

[[maybe_unused]] const int tcp = one ? conformance::register_store("MysqlTcp", [] { return venue(*one); }) : 0;
[[maybe_unused]] const int local =
    one ? conformance::register_store("MysqlSocket", [] { return venue(through_socket(*one)); }) : 0;
[[maybe_unused]] const int tls = with_tls ? conformance::register_store("MysqlTls", [] { return venue(*with_tls); }) : 0;
[[maybe_unused]] const int nodes = cluster ? conformance::register_store("Galera", [] { return venue(*cluster); }) : 0;

}  // namespace
}  // namespace sancho::mysql_test
