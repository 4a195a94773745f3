#include "stores/mysql/failure.hpp"

#include <fmt/format.h>

namespace sancho::mysql {

namespace {

struct Row {
  unsigned code;
  Meaning meaning;
};

using enum Trouble;
constexpr bool not_done = true, unknown = false;

// ## The answers of a server
//
// *Not done* is said of a code only where the server gives it before it begins
// to commit, or having rolled back. What may come out of a commit is unknown.
//
// On Galera a commit that lost against another node's is 1213. The write set had
// its place in the order of all writes and every node rejected it, or it never
// left this node: not done, on any. A node that drops out of its cluster while a
// commit is on the way gives 1180, and the others may have got the write set:
// unknown. 1047 comes before a statement is looked at.
constexpr Row rows[] = {
    // Others were in the way.
    {1205,
     {contention, not_done, Remedy::again, ""}},  // lock wait timeout; on Galera, waiting for the others' writes too
    {1213, {contention, not_done, Remedy::again, ""}},  // deadlock, or certification failed
    {3572, {contention, not_done, Remedy::again, ""}},  // a lock that was not waited for
    // Our own limit (`max_statement_time`). It is not in force at a commit.
    {1969, {unavailable, not_done, Remedy::none, "the deadline passed on the server"}},
    {3024, {unavailable, not_done, Remedy::none, "the deadline passed on the server"}},

    // Not this server.
    {1047, {unavailable, not_done, Remedy::elsewhere, "the Galera node is not ready"}},
    {1290, {unavailable, not_done, Remedy::elsewhere, "the server is read-only"}},
    {1792, {unavailable, not_done, Remedy::elsewhere, "the server is read-only"}},
    {1836, {unavailable, not_done, Remedy::elsewhere, "the server is read-only"}},
    {1040,
     {unavailable, not_done, Remedy::elsewhere,
      "the server has too many connections: raise max_connections there, or lower connections= here"}},
    {1203,
     {unavailable, not_done, Remedy::elsewhere,
      "the user has too many connections: raise max_user_connections, or lower connections="}},
    {1226, {unavailable, not_done, Remedy::elsewhere, "the user has used up its limit"}},
    {1129, {unavailable, not_done, Remedy::elsewhere, "the server blocks this host: FLUSH HOSTS there"}},

    // The server ends, or ends us. This may hit a commit that has gone through.
    {1053, {unavailable, unknown, Remedy::elsewhere, "the server is shutting down"}},
    {1152, {unavailable, unknown, Remedy::elsewhere, "the connection was aborted"}},
    {1180,
     {unavailable, unknown, Remedy::elsewhere, "the commit failed; if this is a Galera node, it has lost its cluster"}},
    {1184, {unavailable, unknown, Remedy::elsewhere, "the connection was aborted"}},
    {1317, {unavailable, unknown, Remedy::elsewhere, "the statement was killed"}},
    {1927, {unavailable, unknown, Remedy::elsewhere, "the connection was killed"}},
    {3169, {unavailable, unknown, Remedy::elsewhere, "the connection was killed"}},
    {4031, {unavailable, unknown, Remedy::elsewhere, "the connection was closed because it was idle"}},

    // No room.
    {1021, {full, not_done, Remedy::none, "the server's disk is full"}},
    {1114, {full, not_done, Remedy::none, "the server has no room for the table"}},

    // Will not.
    {1044, {refused, not_done, Remedy::none, "the user has no rights in this database"}},
    {1045, {refused, not_done, Remedy::none, "wrong user or password"}},
    {1130, {refused, not_done, Remedy::none, "the server accepts no connections from this host"}},
    {1698, {refused, not_done, Remedy::none, "wrong user or password"}},
    {2059, {refused, not_done, Remedy::none, "the user's way of authentication is not supported"}},
    {1049, {refused, not_done, Remedy::none, "there is no such database: create it, or correct the URI"}},
    {1142,
     {refused, not_done, Remedy::none,
      "the user lacks rights: grant SELECT, INSERT, UPDATE and DELETE on the tables, and CREATE for the first "
      "opening"}},
    {1143,
     {refused, not_done, Remedy::none, "the user lacks rights: grant SELECT, INSERT, UPDATE and DELETE on the tables"}},
    {1054, {refused, not_done, Remedy::none, "the tables are not ours: name another namespace"}},
    {1146, {refused, not_done, Remedy::none, "a table is missing: call setup()"}},
    {1118, {refused, not_done, Remedy::none, "the record is too large for the server: raise innodb_log_file_size"}},
    {1153, {refused, not_done, Remedy::none, "the record is too large for the server: raise max_allowed_packet"}},
    {1665,
     {refused, not_done, Remedy::none, "the server's binary log cannot hold this: set binlog_format to MIXED or ROW"}},
    {2026,
     {unavailable, not_done, Remedy::none, "no encrypted connection can be had, or the certificate is not right"}},
};

}  // namespace

Meaning meaning_of(unsigned code) {
  for (const auto& row : rows)
    if (row.code == code) return row.meaning;
  return {unavailable, unknown, Remedy::none, ""};
}

std::string message_of(const Failure& f, const std::string& store, const char* doing) {
  if (f.timed_out) return fmt::format("{}: the deadline passed while {}", store, doing);
  const std::string advice = meaning_of(f.code).advice;
  if (f.reach == Failure::Reach::answered)
    return fmt::format("{}: {}: error {}{}{}", store, doing, f.code, advice.empty() ? "" : ", ", advice);
  return fmt::format("{}: {}: the connection broke ({}{}{})", store, doing, f.code, advice.empty() ? "" : ", ", advice);
}

}  // namespace sancho::mysql
