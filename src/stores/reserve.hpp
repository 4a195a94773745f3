// Room on the disk that is kept for a need: a file that holds nothing, and is
// given up so that people can log out when the file system is full.
#pragma once

#include <string>

namespace sancho {

// Sees that the reserve is there, as well as the disk allows.
void keep_reserve(const std::string& file, long size) noexcept;
void spend_reserve(const std::string& file) noexcept;

}  // namespace sancho
