# Fuzzers see into the libraries only if these are instrumented too.
if(SANCHO_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang")
    message(FATAL_ERROR "SANCHO_FUZZ needs clang: configure with -DCMAKE_CXX_COMPILER=clang++")
  endif()
  add_compile_options(-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined)
  add_link_options(-fsanitize=address,undefined)
endif()

# The warnings this project builds itself with. They bind nobody else.
add_library(sancho_warnings INTERFACE)
target_compile_options(sancho_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion
  $<$<BOOL:${SANCHO_WERROR}>:-Werror>)

# sancho_library(NAME [SOURCES ...] [PUBLIC ...] [PRIVATE ...])
#
# One installed library: target sancho_NAME, known as sancho::NAME.
function(sancho_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(sancho_${name} ${arg_SOURCES})
  add_library(sancho::${name} ALIAS sancho_${name})
  target_include_directories(sancho_${name}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  target_compile_features(sancho_${name} PUBLIC cxx_std_20)
  target_link_libraries(sancho_${name} PUBLIC ${arg_PUBLIC} PRIVATE ${arg_PRIVATE} $<BUILD_INTERFACE:sancho_warnings>)
  set_target_properties(sancho_${name} PROPERTIES EXPORT_NAME ${name}
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
  set_property(GLOBAL APPEND PROPERTY SANCHO_LIBRARIES sancho_${name})
endfunction()
