# The packages this build needs, found once for all folders. Each target below
# is known to SanchoInstall.cmake too, which tells the packages' users.
list(PREPEND CMAKE_MODULE_PATH ${CMAKE_CURRENT_LIST_DIR})

find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)  # OpenSSL::Crypto
find_package(fmt REQUIRED)                            # fmt::fmt
find_package(Threads REQUIRED)                        # Threads::Threads

if(SANCHO_SQLITE)
  find_package(SQLite3 REQUIRED)  # SQLite::SQLite3
endif()

# The engine of a store, or an adapter's framework: what this project is built with by itself must be there
# or be turned off; as a subdirectory it does without.
macro(sancho_engine option engine what debian)
  if(SANCHO_${option})
    find_package(SanchoEngines QUIET COMPONENTS ${engine})  # SanchoEngines::${engine}
    if(NOT TARGET SanchoEngines::${engine})
      if(PROJECT_IS_TOP_LEVEL)
        message(FATAL_ERROR "${what} was not found: install it (${debian}) or say -DSANCHO_${option}=OFF")
      endif()
      message(STATUS "sancho::${option} is left out: ${what} was not found")
      set(SANCHO_${option} OFF)
    endif()
  endif()
endmacro()

# A framework that few have: where it is missing, its adapter is left out.
macro(sancho_framework option framework what debian)
  if(SANCHO_${option})
    find_package(SanchoEngines QUIET COMPONENTS ${framework})  # SanchoEngines::${framework}
    if(NOT TARGET SanchoEngines::${framework})
      message(STATUS "The adapter for ${what} is left out: it was not found (${debian})")
      set(SANCHO_${option} OFF)
    endif()
  endif()
endmacro()

sancho_engine(LMDB LMDB "LMDB" liblmdb-dev)
sancho_engine(MEMCACHED Memcached "libmemcached" libmemcached-dev)
sancho_engine(MYSQL MariaDB "MariaDB Connector/C" libmariadb-dev)
sancho_engine(POSTGRESQL PostgreSQL "libpq" libpq-dev)
sancho_engine(REDIS Hiredis "hiredis" libhiredis-dev)
sancho_engine(CIVETWEB CivetWeb "CivetWeb" libcivetweb-dev)
sancho_engine(FASTCGI FastCGI "libfcgi" libfcgi-dev)
sancho_engine(MICROHTTPD Microhttpd "libmicrohttpd" libmicrohttpd-dev)
sancho_framework(PISTACHE Pistache "Pistache" libpistache-dev)
sancho_framework(POCO Poco "POCO" libpoco-dev)
sancho_framework(RESTINIO Restinio "RESTinio" librestinio-dev)
if(SANCHO_REDIS)
  find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto SSL)  # OpenSSL::SSL
endif()

if(SANCHO_RESTINIO)
  find_package(Boost 1.81 QUIET)  # Boost::headers
  if(NOT TARGET Boost::headers)
    message(STATUS "The adapter for RESTinio is left out: Boost 1.81 was not found (libboost1.81-dev)")
    set(SANCHO_RESTINIO OFF)
  endif()
endif()

if(SANCHO_ASYNC OR SANCHO_BEAST)
  find_package(Boost 1.81 QUIET)  # Boost::headers
  if(NOT TARGET Boost::headers)
    if(PROJECT_IS_TOP_LEVEL)
      message(FATAL_ERROR
        "Boost 1.81 was not found: install it (libboost1.81-dev) or say -DSANCHO_ASYNC=OFF -DSANCHO_BEAST=OFF")
    endif()
    message(STATUS "sancho::async and sancho::beast are left out: Boost 1.81 was not found")
    set(SANCHO_ASYNC OFF)
    set(SANCHO_BEAST OFF)
  endif()
endif()

if(SANCHO_HTTPLIB)
  find_package(CppHttplib)  # httplib::httplib
  if(NOT CppHttplib_FOUND)
    if(PROJECT_IS_TOP_LEVEL)
      message(FATAL_ERROR "cpp-httplib was not found: install it (libcpp-httplib-dev) or say -DSANCHO_HTTPLIB=OFF")
    endif()
    message(STATUS "sancho::httplib is left out: cpp-httplib was not found")
    set(SANCHO_HTTPLIB OFF)
  endif()
endif()

# Frameworks that no package of Debian's has, for those who ask: they say where it
# is installed by -DCMAKE_PREFIX_PATH.
if(SANCHO_DROGON)
  find_package(Drogon 1.9 CONFIG REQUIRED)  # Drogon::Drogon
endif()
if(SANCHO_CROW)
  find_package(Crow CONFIG REQUIRED)  # Crow::Crow; its package tells no version
endif()

if(SANCHO_TESTS)
  find_package(GTest REQUIRED)  # GTest::gtest, GTest::gmock, GTest::gtest_main
  find_package(Python3 REQUIRED COMPONENTS Interpreter)
endif()

if(SANCHO_BENCH)
  find_package(benchmark REQUIRED)  # benchmark::benchmark
endif()
