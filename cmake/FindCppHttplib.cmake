# Finds cpp-httplib and defines httplib::httplib.
#
# Its layout depends on macros (CPPHTTPLIB_OPENSSL_SUPPORT and others) that must
# be those the library was built with, so whoever knows them is asked first: the
# package's own CMake files, then its pkg-config file, which is all that Debian
# ships. A header that lies about by itself is taken as the header-only kind.
if(NOT TARGET httplib::httplib)
  find_package(httplib CONFIG QUIET)
endif()
if(NOT TARGET httplib::httplib)
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND)
    pkg_check_modules(CppHttplib QUIET IMPORTED_TARGET cpp-httplib)
  endif()
  find_path(CppHttplib_HEADER httplib.h)
  mark_as_advanced(CppHttplib_HEADER)
  if(TARGET PkgConfig::CppHttplib)
    add_library(httplib::httplib INTERFACE IMPORTED)
    target_link_libraries(httplib::httplib INTERFACE PkgConfig::CppHttplib)
  elseif(CppHttplib_HEADER)
    find_package(Threads REQUIRED)
    add_library(httplib::httplib INTERFACE IMPORTED)
    target_include_directories(httplib::httplib INTERFACE ${CppHttplib_HEADER})
    target_link_libraries(httplib::httplib INTERFACE Threads::Threads)
  endif()
endif()

set(CppHttplib_TARGET "")
if(TARGET httplib::httplib)
  set(CppHttplib_TARGET httplib::httplib)
endif()
include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(CppHttplib REQUIRED_VARS CppHttplib_TARGET VERSION_VAR CppHttplib_VERSION)
