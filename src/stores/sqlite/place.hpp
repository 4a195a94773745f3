// The file a database lies in, as the operating system sees it, and whether
// this process may open it at all.
#pragma once

#include <string>

#include "stores/sqlite/pool.hpp"

namespace sancho::sqlite {

// Makes an empty file with mode 0600, whatever the umask, unless there is one.
// SQLite gives its -wal and -shm files the mode of the database. A symbolic
// link to a file is followed; one to nothing makes nothing. Throws `StoreError`.
void make_file(const std::string& path, const std::string& store);

// Throws `StoreError` (*unavailable*) if there is no such file.
FileId file_id(const std::string& path, const std::string& store);

// Lies it on a file system that is mounted read-only, with nothing in a WAL?
bool on_frozen_file_system(const std::string& path);

// ## The reserve
//
// On a full file system nobody could log out: the WAL cannot grow, and it can
// be emptied only into a database that may have to grow for it. So a file of
// its own, `PATH-reserve`, holds as much room as a WAL may need for that, and
// is given up in need.

// SQLite empties a WAL of this many pages into the database. With a margin for
// the transaction that crosses the line, that is the reserve.
constexpr int wal_pages = 1000;
constexpr long reserve_size = (wal_pages + 128) * 4096L;
inline std::string reserve_of(const std::string& path) { return path + "-reserve"; }

// ## Processes
//
// SQLite keeps, per process and file, which locks it holds. A fork copies that
// memory and not the locks, and the child would go on without them, beside a
// database that it still had open when it was forked or opened again. So each
// open file is noted with the process that opened it.
//
// Throws `StoreError` (*refused*) if a parent of this process had it open.
void note_open(const FileId& file, const std::string& store);
void note_closed(const FileId& file);

}  // namespace sancho::sqlite
