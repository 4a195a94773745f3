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
# One installed library: target sancho_NAME, known as sancho::NAME. Without
# sources it is headers only, and then takes PUBLIC alone.
function(sancho_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  set(target sancho_${name})
  if(arg_SOURCES)
    add_library(${target} ${arg_SOURCES})
    set(uses PUBLIC)
    # Options, not a link: the package's users need not hear of them.
    target_compile_options(${target} PRIVATE $<TARGET_PROPERTY:sancho_warnings,INTERFACE_COMPILE_OPTIONS>)
    target_include_directories(${target} PRIVATE ${sancho_SOURCE_DIR}/src)
    target_link_libraries(${target} PRIVATE ${arg_PRIVATE})
    # libsancho, libsancho_sqlite, ...: the core's file has no second half.
    string(REPLACE sancho_sancho sancho file ${target})
    set_target_properties(${target} PROPERTIES OUTPUT_NAME ${file} INSTALL_RPATH $ORIGIN
      VERSION ${sancho_VERSION} SOVERSION ${sancho_VERSION_MAJOR}.${sancho_VERSION_MINOR})
  else()
    add_library(${target} INTERFACE)
    set(uses INTERFACE)
  endif()
  add_library(sancho::${name} ALIAS ${target})
  target_include_directories(${target} ${uses}
    $<BUILD_INTERFACE:${sancho_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_compile_features(${target} ${uses} cxx_std_20)
  target_link_libraries(${target} ${uses} ${arg_PUBLIC})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  # The same commands compile a static and a shared library: nothing is exported by hand.
  get_target_property(type sancho_${name} TYPE)
  if(NOT type STREQUAL INTERFACE_LIBRARY)
    set_target_properties(sancho_${name} PROPERTIES DEFINE_SYMBOL "")
  endif()
  set_property(GLOBAL APPEND PROPERTY SANCHO_LIBRARIES ${name})
endfunction()

# A folder that may not be in this copy of the tree.
function(sancho_folder path)
  if(EXISTS ${sancho_SOURCE_DIR}/${path}/CMakeLists.txt)
    add_subdirectory(${sancho_SOURCE_DIR}/${path} ${sancho_BINARY_DIR}/${path})
  endif()
endfunction()
