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
  -Wall -Wextra -Wpedantic -Wconversion
  # Files that are compiled together shadow each other's names and share what is
  # nobody else's, and mean nothing by it.
  $<$<NOT:$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>>:-Wshadow>
  $<$<AND:$<BOOL:$<TARGET_PROPERTY:UNITY_BUILD>>,$<CXX_COMPILER_ID:GNU>>:-Wno-subobject-linkage>
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
    sancho_hide(${target})
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
    # Nobody puts a function in the place of one of ours while a program is loaded, so
    # a compiler may take ours in line (clang does anyway). Two fields that were just
    # written must not be read as one, for which a processor has to wait.
    target_compile_options(${target} PRIVATE "$<$<CXX_COMPILER_ID:GNU>:-fno-semantic-interposition;-fno-tree-slp-vectorize>")
  endif()
  set_property(GLOBAL APPEND PROPERTY SANCHO_LIBRARIES ${name})
endfunction()

# A library shows what the public headers declare (export.hpp, docs/abi.md), and
# is compiled alike whether it becomes static or shared. Tests look behind the
# headers, so where they are linked to shared libraries these show everything.
function(sancho_hide target)
  if(BUILD_SHARED_LIBS AND SANCHO_TESTS)
    return()
  endif()
  set_target_properties(${target} PROPERTIES CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON)
  if(BUILD_SHARED_LIBS AND NOT APPLE AND NOT WIN32)
    target_link_options(${target} PRIVATE LINKER:--version-script=${sancho_SOURCE_DIR}/cmake/exports.map)
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${sancho_SOURCE_DIR}/cmake/exports.map)
  endif()
endfunction()

# sancho_digests(NAME)
#
# For a store that digests or has checksums: a static one takes the functions
# from the core, a shared one has its own, because the core shows them to nobody.
function(sancho_digests name)
  if(BUILD_SHARED_LIBS AND NOT SANCHO_TESTS)
    target_sources(sancho_${name} PRIVATE ${sancho_SOURCE_DIR}/src/base/crc32c.cpp ${sancho_SOURCE_DIR}/src/base/crypto.cpp)
    target_link_libraries(sancho_${name} PRIVATE OpenSSL::Crypto)
  endif()
endfunction()

# sancho_inside(NAME STORE)
#
# For what is made of a store's inside, which a shared store shows to nobody:
# then there is a copy of it in the library.
function(sancho_inside name store)
  if(BUILD_SHARED_LIBS AND NOT SANCHO_TESTS)
    get_target_property(sources sancho_${store} SOURCES)
    get_target_property(folder sancho_${store} SOURCE_DIR)
    foreach(source IN LISTS sources)
      cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${folder} NORMALIZE)
      target_sources(sancho_${name} PRIVATE ${source})
    endforeach()
    get_target_property(needs sancho_${store} LINK_LIBRARIES)
    target_link_libraries(sancho_${name} PRIVATE ${needs})
  endif()
endfunction()

# sancho_in_several(SOURCES ...)
#
# For files that several libraries are made of, in the folder of each: a linker
# takes them once only where they are objects of their own.
macro(sancho_in_several)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endmacro()

# A folder that may not be in this copy of the tree.
function(sancho_folder path)
  if(EXISTS ${sancho_SOURCE_DIR}/${path}/CMakeLists.txt)
    add_subdirectory(${sancho_SOURCE_DIR}/${path} ${sancho_BINARY_DIR}/${path})
  endif()
endfunction()
