#include "stores/mysql/node.hpp"

#include <algorithm>
#include <cstdlib>
#include <map>

namespace sancho::mysql {

namespace {

using Settings = std::map<std::string, std::string, std::less<>>;

void read(Answer& rows, Settings& into) {
  while (rows.next()) into.emplace(rows.text(0).value_or(""), rows.text(1).value_or(""));
}

bool is_on(const Settings& settings, std::string_view name) {
  const auto at = settings.find(name);
  return at != settings.end() && (at->second == "ON" || at->second == "1");
}

std::string value(const Settings& settings, std::string_view name) {
  const auto at = settings.find(name);
  return at == settings.end() ? std::string{} : at->second;
}

// MySQL 8 has its status in tables that not everybody may read, so only what
// Galera has is asked for, and nothing that is not there is missed.
constexpr const char* question =
    "SHOW VARIABLES WHERE Variable_name IN "
    "('version','read_only','innodb_read_only','super_read_only','max_allowed_packet',"
    "'innodb_flush_log_at_trx_commit','innodb_doublewrite','log_bin','sync_binlog','wsrep_on','wsrep_reject_queries');"
    "SHOW STATUS WHERE Variable_name IN ('wsrep_ready','wsrep_cluster_size')";

// READ COMMITTED: each statement sees what is committed when it begins, and no
// gap between two rows is locked. The time zone matters to SYSDATE.
constexpr const char* settings_of_all =
    "SET SESSION sql_mode='STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION',time_zone='+00:00',autocommit=1;"
    "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED;";

}  // namespace

Node greet(Connection& connection, Deadline deadline) {
  Settings s;
  for (auto& answer : connection.run(question, Effect::none, deadline)) read(answer, s);
  Node n;
  n.version = value(s, "version");
  n.mariadb = n.version.find("MariaDB") != n.version.npos;
  n.galera = is_on(s, "wsrep_on");
  const auto rejects = value(s, "wsrep_reject_queries");  // what an operator sets to take a node out
  n.ready = !n.galera || (is_on(s, "wsrep_ready") && (rejects.empty() || rejects == "NONE"));
  n.read_only = is_on(s, "read_only") || is_on(s, "innodb_read_only") || is_on(s, "super_read_only");
  // 1 (and 3, for these two are one here): flushed at the commit. 2: written, so
  // that the kernel has it. 0: once a second.
  const auto flush = value(s, "innodb_flush_log_at_trx_commit");
  n.durable = !flush.empty() && flush != "0";
  // With a binary log it is the log that says what was committed.
  const bool binlog_kept = !is_on(s, "log_bin") || value(s, "sync_binlog") == "1";
  n.power_safe = (flush == "1" || flush == "3") && binlog_kept && value(s, "innodb_doublewrite") != "OFF";
  n.cluster_size = n.galera ? static_cast<unsigned>(std::atoi(value(s, "wsrep_cluster_size").c_str())) : 1;
  n.largest_packet = static_cast<std::uint64_t>(std::atoll(value(s, "max_allowed_packet").c_str()));
  if (!objection(n).empty()) return n;
  std::string set = settings_of_all;
  // A read waits until this node has what the others had when it began.
  if (n.galera) set += "SET SESSION wsrep_sync_wait=1";
  // MySQL has no limit for the time of a write: a second, and then again.
  else if (!n.mariadb)
    set += "SET SESSION innodb_lock_wait_timeout=1";
  connection.run(set, Effect::none, deadline);
  return n;
}

std::string objection(const Node& n) {
  if (!n.ready) return "the Galera node is not ready";
  if (n.read_only) return "the server is read-only";
  return {};
}

bool keeps(const Node& promised, const Node& n) {
  return n.durable >= promised.durable && n.power_safe >= promised.power_safe && n.galera >= promised.galera;
}

Node weaker(const Node& one, const Node& other) {
  Node n = one;
  n.durable = one.durable && other.durable;
  n.power_safe = one.power_safe && other.power_safe;
  n.galera = one.galera && other.galera;
  n.cluster_size = std::min(one.cluster_size, other.cluster_size);
  return n;
}

}  // namespace sancho::mysql
