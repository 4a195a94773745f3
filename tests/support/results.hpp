// What a test found, for scripts/promise_table: a line of JSON in a file of the
// directory that SANCHO_RESULTS names; without it, nothing.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace sancho::test {

// `fields` are the line without its braces.
inline void append_result(const std::string& file, const std::string& fields) {
  const char* directory = std::getenv("SANCHO_RESULTS");
  if (!directory || !*directory) return;
  std::filesystem::create_directories(directory);
  std::ofstream(std::filesystem::path(directory) / (file + ".jsonl"), std::ios::app) << "{" + fields + "}\n";
}

}  // namespace sancho::test
