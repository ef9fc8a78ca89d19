# SPDX-License-Identifier: BSD-3-Clause
# Compile options of tests, examples, the tool and benchmarks. Users of ndkeep::ndkeep or ndkeep::compiled do not
# inherit them.
add_library(ndkeep_programs INTERFACE)
if(NDKEEP_HEADER_ONLY)
  target_link_libraries(ndkeep_programs INTERFACE ndkeep::ndkeep)
else()
  target_link_libraries(ndkeep_programs INTERFACE ndkeep::compiled)
endif()

set(own_options -Wall -Wextra -Wpedantic -Wconversion -Wshadow)
if(NDKEEP_WERROR)
  list(APPEND own_options -Werror)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # At -O3, xtensor triggers this warning, although its headers are system headers.
    list(APPEND own_options -Wno-error=array-bounds)
  endif()
endif()
set(own_definitions)
if(NDKEEP_SANITIZE)
  string(REPLACE ";" "," sanitizers "${NDKEEP_SANITIZE}")
  list(APPEND own_options -fsanitize=${sanitizers} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  list(APPEND own_definitions _GLIBCXX_ASSERTIONS)
  target_link_options(ndkeep_programs INTERFACE -fsanitize=${sanitizers})
endif()
target_compile_options(ndkeep_programs INTERFACE ${own_options})
target_compile_definitions(ndkeep_programs INTERFACE ${own_definitions})
target_compile_options(ndkeep_compiled PRIVATE ${own_options})
target_compile_definitions(ndkeep_compiled PRIVATE ${own_definitions})
