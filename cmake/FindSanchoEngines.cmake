# find_package(SanchoEngines COMPONENTS NAME ...) - the client libraries of the
# engines behind the stores, and the frameworks in front of adapters, which CMake
# has no modules for, or not ones that tell targets alike: by pkg-config, else by
# header and library.
#
#     LMDB  Memcached  MariaDB  PostgreSQL  Hiredis     as SanchoEngines::NAME
#     CivetWeb  FastCGI  Microhttpd  Pistache  Poco  Restinio
include(FindPackageHandleStandardArgs)
find_package(PkgConfig QUIET)

# name | pkg-config module, if there is one | header | library, and others that go with it
set(_sancho_engines
  "LMDB|lmdb|lmdb.h|lmdb"
  "Memcached|libmemcached|libmemcached/memcached.h|memcached"
  "MariaDB|libmariadb|mariadb/mysql.h|mariadb"
  "PostgreSQL|libpq|libpq-fe.h|pq"
  "Hiredis|hiredis|hiredis/hiredis.h|hiredis"
  "CivetWeb|civetweb|civetweb.h|civetweb"
  "FastCGI|fcgi|fcgiapp.h|fcgi"
  "Microhttpd|libmicrohttpd|microhttpd.h|microhttpd"
  "Pistache|libpistache|pistache/endpoint.h|pistache"
  "Poco||Poco/Net/HTTPServer.h|PocoNet|PocoFoundation"
  "Restinio||restinio/request_handler.hpp|http_parser")

foreach(_sancho_engine IN LISTS _sancho_engines)
  string(REPLACE "|" ";" _sancho_engine "${_sancho_engine}")
  list(GET _sancho_engine 0 _sancho_name)
  if(NOT _sancho_name IN_LIST SanchoEngines_FIND_COMPONENTS)
    continue()
  endif()
  list(GET _sancho_engine 1 _sancho_module)
  list(GET _sancho_engine 2 _sancho_header)
  list(GET _sancho_engine 3 _sancho_library)
  list(REMOVE_AT _sancho_engine 0 1 2 3)
  set(_sancho_target SanchoEngines::${_sancho_name})
  if(NOT TARGET ${_sancho_target})
    if(PkgConfig_FOUND AND _sancho_module)
      pkg_check_modules(SanchoEngines_${_sancho_name} QUIET IMPORTED_TARGET ${_sancho_module})
    endif()
    find_path(SanchoEngines_${_sancho_name}_HEADER ${_sancho_header})
    find_library(SanchoEngines_${_sancho_name}_LIBRARY ${_sancho_library})
    mark_as_advanced(SanchoEngines_${_sancho_name}_HEADER SanchoEngines_${_sancho_name}_LIBRARY)
    if(TARGET PkgConfig::SanchoEngines_${_sancho_name})
      add_library(${_sancho_target} INTERFACE IMPORTED)
      target_link_libraries(${_sancho_target} INTERFACE PkgConfig::SanchoEngines_${_sancho_name})
    elseif(SanchoEngines_${_sancho_name}_HEADER AND SanchoEngines_${_sancho_name}_LIBRARY)
      add_library(${_sancho_target} INTERFACE IMPORTED)
      target_include_directories(${_sancho_target} INTERFACE ${SanchoEngines_${_sancho_name}_HEADER})
      target_link_libraries(${_sancho_target} INTERFACE ${SanchoEngines_${_sancho_name}_LIBRARY} ${_sancho_engine})
    endif()
  endif()
  if(TARGET ${_sancho_target})
    set(SanchoEngines_${_sancho_name}_FOUND TRUE)
  endif()
endforeach()
find_package_handle_standard_args(SanchoEngines HANDLE_COMPONENTS REQUIRED_VARS PROJECT_NAME)
