// The server that SANCHO_TEST_POSTGRESQL names, a namespace of one's own in it,
// a way to the tables behind the store's back, and a server's clock that is
// moved by hand.
#pragma once

#include <gtest/gtest.h>
#include <libpq-fe.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "sancho/random.hpp"
#include "sancho/stores/postgresql.hpp"

namespace sancho::postgresql_test {

using namespace std::chrono_literals;

inline Deadline soon() { return Deadline::after(30s); }
inline SessionKey key_of(const std::string& name) { return SessionKey::of_note("postgresql test", name); }

// Empty where no server was started.
inline std::string server(const char* variable = "SANCHO_TEST_POSTGRESQL") {
  const char* uri = std::getenv(variable);
  return uri ? uri : "";
}

inline std::string with(const std::string& uri, const std::string& option) {
  return uri + (uri.find('?') == uri.npos ? '?' : '&') + option;
}

// The store under test. Test programs are linked twice: with the blocking store,
// and with the asynchronous one that is waited for. Without options they are read
// from the URI, as `open_store` does.
std::unique_ptr<SessionStore> open_under_test(const std::string& uri);
std::unique_ptr<SessionStore> open_under_test(const std::string& uri, const PostgresqlOptions& options);

// A name that nobody has used.
inline std::string fresh_name() {
  const auto text = SessionKey::of("postgresql test", SessionId::draw(system_random())).hex();
  return "t" + text.substr(0, 12);
}

// The kind of the `StoreError` that `act` throws; nothing if it throws none.
inline std::optional<Trouble> trouble_of(const auto& act, std::string* message = nullptr, bool* maybe_done = nullptr) {
  try {
    act();
  } catch (const StoreError& e) {
    if (message) *message = e.what();
    if (maybe_done) *maybe_done = e.maybe_done();
    return e.kind();
  }
  return std::nullopt;
}

// A connection as another program would have it.
class Raw {
 public:
  explicit Raw(const std::string& uri) : connection_(PQconnectdb(uri.c_str())) {
    if (PQstatus(connection_) != CONNECTION_OK) ADD_FAILURE() << PQerrorMessage(connection_);
    PQsetNoticeReceiver(
        connection_, [](void*, const PGresult*) {}, nullptr);
  }
  ~Raw() { PQfinish(connection_); }
  Raw(const Raw&) = delete;
  Raw& operator=(const Raw&) = delete;

  // The first column of the first row.
  std::string ask(const std::string& sql) {
    PGresult* result = PQexec(connection_, sql.c_str());
    const auto status = PQresultStatus(result);
    if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
      ADD_FAILURE() << sql << ": " << PQerrorMessage(connection_);
    const std::string answer = PQntuples(result) > 0 ? PQgetvalue(result, 0, 0) : "";
    PQclear(result);
    return answer;
  }

 private:
  PGconn* connection_;
};

// An empty schema of its own, gone with the object, and the URI of a store in it.
class Place {
 public:
  explicit Place(const std::string& server) : server_(server), name_(fresh_name()) {
    Raw(server_).ask("CREATE SCHEMA " + name_);
  }
  ~Place() { Raw(server_).ask("DROP SCHEMA " + name_ + " CASCADE"); }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  // Its schema comes first, even before the server's own functions.
  std::string uri() const { return with(server_, "options=-csearch_path%3D" + name_ + "%2Cpg_catalog"); }
  std::string ask(const std::string& sql) const { return Raw(uri()).ask(sql); }
  const std::string& schema() const { return name_; }

  // From now on the stores here take the time from `clock_table`, whose one
  // column `ms` is added to the server's, or is the time itself.
  void take_clock(bool whole) const {
    const std::string from = whole ? "timestamptz ''epoch''" : "pg_catalog.clock_timestamp()";
    ask("CREATE TABLE clock_table (ms bigint); INSERT INTO clock_table VALUES (0);"
        "CREATE FUNCTION clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE AS"
        " 'SELECT " +
        from + " + ms * interval ''1 millisecond'' FROM " + name_ + ".clock_table'");
  }

 private:
  std::string server_, name_;
};

}  // namespace sancho::postgresql_test
