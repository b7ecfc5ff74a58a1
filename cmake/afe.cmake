# The two functions that describe the tree, and the options every target shares.

add_library(afe_options INTERFACE)
target_compile_features(afe_options INTERFACE c_std_17)
target_compile_definitions(afe_options INTERFACE _GNU_SOURCE)
target_compile_options(afe_options INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wstrict-prototypes
  -Wmissing-prototypes -Wcast-qual -Wwrite-strings -Wundef -Wvla -Wformat=2
  -fno-common -fstack-protector-strong
  "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
if(AFE_WERROR)
  target_compile_options(afe_options INTERFACE -Werror)
endif()
if(AFE_SANITIZE)
  target_compile_options(afe_options INTERFACE
    "-fsanitize=${AFE_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer -g)
  target_link_options(afe_options INTERFACE "-fsanitize=${AFE_SANITIZE}")
else()
  target_compile_options(afe_options INTERFACE
    "$<$<CONFIG:Release,RelWithDebInfo>:-U_FORTIFY_SOURCE;-D_FORTIFY_SOURCE=2>")
  target_link_options(afe_options INTERFACE -Wl,-z,relro,-z,now)
endif()

# Nothing exports symbols: libconfig has a strbuf_release of its own, and must not find ours instead.
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_C_EXTENSIONS ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)

# afe_module(inventory SOURCES snapshot.c ... DEPS afe_metrics afe_base PRIVATE_DEPS ZLIB::ZLIB)
# A static library afe_<name> from src/<name>; include/<name>/*.h are its public headers, and each
# of them is compiled alone (target all_verify_interface_header_sets).
function(afe_module name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  file(GLOB headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/${name}/*.h")
  add_library(afe_${name} STATIC ${arg_SOURCES})
  target_sources(afe_${name} PUBLIC FILE_SET HEADERS
    BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${headers})
  target_link_libraries(afe_${name} PUBLIC afe_options ${arg_DEPS} PRIVATE ${arg_PRIVATE_DEPS})
endfunction()

# afe_unit_test(inventory snapshot [EXTRA_SOURCES ...] [DEPS ...])
# tests/unit/inventory/test_snapshot.c against afe_inventory alone. Private headers of the module
# are visible to its tests.
function(afe_unit_test module name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS;LINK_OPTIONS" ${ARGN})
  set(target test_${module}_${name})
  add_executable(${target} "${PROJECT_SOURCE_DIR}/tests/unit/${module}/test_${name}.c" ${arg_SOURCES})
  target_include_directories(${target} PRIVATE
    "${PROJECT_SOURCE_DIR}/src/${module}" "${PROJECT_SOURCE_DIR}/tests/support")
  target_compile_definitions(${target} PRIVATE AFE_FIXTURES="${PROJECT_SOURCE_DIR}/tests/fixtures"
    AFE_GOLDEN="${PROJECT_SOURCE_DIR}/tests/golden" AFE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(${target} PRIVATE afe_${module} ${arg_DEPS} PkgConfig::CMOCKA)
  target_link_options(${target} PRIVATE ${arg_LINK_OPTIONS})
  add_test(NAME unit_${module}_${name} COMMAND ${target})
  set_tests_properties(unit_${module}_${name} PROPERTIES LABELS unit TIMEOUT 180)
endfunction()

# For allocation failure sweeps: afe_unit_test(base strbuf ${AFE_ALLOC_FAIL}) and
# tests/support/alloc_fail.h.
set(AFE_ALLOC_FAIL
  SOURCES "${PROJECT_SOURCE_DIR}/tests/support/alloc_fail.c"
  LINK_OPTIONS -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc)
