// The store behind `dir:`, with the file system as a parameter.
#pragma once

#include <memory>
#include <string>

#include "file_system.hpp"
#include "sancho/store.hpp"

namespace sancho {

std::unique_ptr<SessionStore> open_directory_store(const std::string& path, const Clock& clock, FileSystem& files);

}  // namespace sancho
