# Install rules: libraries, headers, and the two ways others find them.
#
#     find_package(sancho COMPONENTS sqlite)    # then link sancho::sqlite
#     pkg-config --cflags --libs sancho-sqlite
#
# What a library needs is read from what it links, so nothing is written down
# twice: a dependency that is missing in the table below stops the build here
# and not at a user's.
include(CMakePackageConfigHelpers)

# target | find_dependency arguments | pkg-config module (or flags, after `-`;
# nothing for headers that a compiler finds by itself, as Boost's)
set(sancho_dependencies
  "OpenSSL::Crypto|OpenSSL 3.0 COMPONENTS Crypto|libcrypto"
  "fmt::fmt|fmt|fmt"
  "Threads::Threads|Threads|-pthread"
  "SQLite::SQLite3|SQLite3|sqlite3"
  "OpenSSL::SSL|OpenSSL 3.0 COMPONENTS SSL|libssl"
  "SanchoEngines::LMDB|SanchoEngines COMPONENTS LMDB|lmdb"
  "SanchoEngines::Memcached|SanchoEngines COMPONENTS Memcached|libmemcached"
  "SanchoEngines::MariaDB|SanchoEngines COMPONENTS MariaDB|libmariadb"
  "SanchoEngines::PostgreSQL|SanchoEngines COMPONENTS PostgreSQL|libpq"
  "SanchoEngines::Hiredis|SanchoEngines COMPONENTS Hiredis|hiredis"
  "SanchoEngines::CivetWeb|SanchoEngines COMPONENTS CivetWeb|-lcivetweb"
  "SanchoEngines::FastCGI|SanchoEngines COMPONENTS FastCGI|fcgi"
  "SanchoEngines::Microhttpd|SanchoEngines COMPONENTS Microhttpd|libmicrohttpd"
  "SanchoEngines::Pistache|SanchoEngines COMPONENTS Pistache|libpistache"
  "SanchoEngines::Poco|SanchoEngines COMPONENTS Poco|-lPocoNet -lPocoFoundation"
  "SanchoEngines::Restinio|SanchoEngines COMPONENTS Restinio|-lhttp_parser"
  "Boost::headers|Boost 1.81|"
  "Crow::Crow|Crow|"
  "Drogon::Drogon|Drogon|"
  "httplib::httplib|CppHttplib|cpp-httplib"
  "GTest::gtest|GTest|gtest"
  "GTest::gmock|GTest|gmock"
  "GTest::gtest_main|GTest|gtest_main"
  "GTest::gmock_main|GTest|gmock_main")

# What `name` needs: <out>_libraries of ours, <out>_packages and <out>_modules
# of others.
function(sancho_needs name out)
  get_target_property(links sancho_${name} INTERFACE_LINK_LIBRARIES)
  set(libraries "")
  set(packages "")
  set(modules "")
  foreach(link IN LISTS links)
    string(REGEX REPLACE "^\\$<LINK_ONLY:(.*)>$" "\\1" link "${link}")
    if(link MATCHES "^::@|NOTFOUND$")  # no library: a mark of CMake's own, or no list at all
      continue()
    endif()
    string(REGEX REPLACE "^sancho(::|_)" "" ours "${link}")
    if(NOT ours STREQUAL link)
      list(APPEND libraries ${ours})
      continue()
    endif()
    set(row ${sancho_dependencies})
    list(FILTER row INCLUDE REGEX "^${link}\\|")
    if(NOT row)
      message(FATAL_ERROR "sancho::${name} links ${link}, which cmake/SanchoInstall.cmake does not know. "
        "(A condition belongs into an if(): generator expressions do not survive an installation.)")
    endif()
    string(REPLACE "|" ";" row "${row}")
    list(GET row 1 package)
    list(GET row 2 module)
    list(APPEND packages "${package}")
    if(module)
      list(APPEND modules "${module}")
    endif()
  endforeach()
  list(REMOVE_DUPLICATES packages)
  set(${out}_libraries ${libraries} PARENT_SCOPE)
  set(${out}_packages "${packages}" PARENT_SCOPE)
  set(${out}_modules "${modules}" PARENT_SCOPE)
endfunction()

# The .pc file of one library: sancho.pc for the core, sancho-NAME.pc for others.
function(sancho_pkg_config name)
  get_target_property(type sancho_${name} TYPE)
  set(pc_name sancho-${name})
  set(file sancho_${name})
  if(name STREQUAL sancho)
    set(pc_name sancho)
    set(file sancho)
  endif()
  set(requires "")
  set(flags "")
  if(NOT type STREQUAL INTERFACE_LIBRARY)
    set(flags "-L\${libdir} -l${file}")
  endif()
  foreach(library IN LISTS needs_libraries)
    string(REPLACE sancho-sancho sancho module sancho-${library})
    list(APPEND requires "${module} = ${sancho_VERSION}")
  endforeach()
  foreach(module IN LISTS needs_modules)
    if(module MATCHES "^-")
      string(APPEND flags " ${module}")
    else()
      list(APPEND requires ${module})
    endif()
  endforeach()
  list(JOIN requires ", " requires)
  # Found from where the file is, so that an installation can be moved.
  cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_LIBDIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE libdir)
  cmake_path(ABSOLUTE_PATH CMAKE_INSTALL_INCLUDEDIR BASE_DIRECTORY ${CMAKE_INSTALL_PREFIX} OUTPUT_VARIABLE includedir)
  file(RELATIVE_PATH to_lib ${libdir}/pkgconfig ${libdir})
  file(RELATIVE_PATH to_include ${libdir}/pkgconfig ${includedir})
  configure_file(${sancho_SOURCE_DIR}/cmake/sancho.pc.in ${sancho_BINARY_DIR}/package/${pc_name}.pc @ONLY)
  install(FILES ${sancho_BINARY_DIR}/package/${pc_name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

set(config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/sancho)
get_property(SANCHO_COMPONENTS GLOBAL PROPERTY SANCHO_LIBRARIES)
set(SANCHO_NEEDS "")
foreach(name IN LISTS SANCHO_COMPONENTS)
  install(TARGETS sancho_${name} EXPORT sancho-${name})
  install(EXPORT sancho-${name} NAMESPACE sancho:: DESTINATION ${config_dir})
  sancho_needs(${name} needs)
  sancho_pkg_config(${name})
  string(APPEND SANCHO_NEEDS "set(_sancho_${name}_libraries ${needs_libraries})\n")
  list(JOIN needs_packages "\" \"" quoted)
  string(APPEND SANCHO_NEEDS "set(_sancho_${name}_packages \"${quoted}\")\n")
endforeach()

install(DIRECTORY ${sancho_SOURCE_DIR}/include/ DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.hpp")
configure_package_config_file(cmake/sanchoConfig.cmake.in ${sancho_BINARY_DIR}/package/sanchoConfig.cmake
  INSTALL_DESTINATION ${config_dir} NO_SET_AND_CHECK_MACRO NO_CHECK_REQUIRED_COMPONENTS_MACRO)
# Before 1.0 a minor release may break its users.
write_basic_package_version_file(${sancho_BINARY_DIR}/package/sanchoConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${sancho_BINARY_DIR}/package/sanchoConfig.cmake ${sancho_BINARY_DIR}/package/sanchoConfigVersion.cmake
  cmake/FindCppHttplib.cmake cmake/FindSanchoEngines.cmake DESTINATION ${config_dir})
install(FILES LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
