# SPDX-License-Identifier: BSD-3-Clause
# Builds and tests the programs of examples/ in this project, with its warnings. examples/CMakeLists.txt shows how a
# user builds them.
#
# Every examples/*.cpp is a separate program. It receives the data folder as its argument and writes into the working
# directory. If NAME.out exists, a test compares the program's output with it.
set(examples ${PROJECT_SOURCE_DIR}/examples)
set(examples_built ${PROJECT_BINARY_DIR}/examples)
file(GLOB sources CONFIGURE_DEPENDS ${examples}/*.cpp)

# With NDKEEP_TEST_UNITY, nine programs are compiled together, in less than half the time. Each source is put into a
# namespace after the includes of all, and a function replaces its main. The return value of main is then lost, so a
# source that returns one is compiled alone.
set(together)
if(NDKEEP_TEST_UNITY)
  set(includes)
  foreach(source IN LISTS sources)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
    file(STRINGS ${source} returns REGEX "^ +return [0-9]+;")
    if(NOT returns)
      list(APPEND together ${source})
      file(STRINGS ${source} found REGEX "^#include")
      list(APPEND includes ${found})
    endif()
  endforeach()
  list(REMOVE_DUPLICATES includes)
  list(JOIN includes "\n" includes)

  set(units)
  set(count 0)
  foreach(source IN LISTS together)
    math(EXPR number "${count} / 9")
    math(EXPR count "${count} + 1")
    set(unit ${examples_built}/together_${number}.cpp)
    if(NOT unit IN_LIST units)
      list(APPEND units ${unit})
      set(text_${number} "${includes}\n")
    endif()
    get_filename_component(name ${source} NAME_WE)
    file(STRINGS ${source} takes_arguments REGEX "^int main\\(int argc, char\\*\\* argv\\)")
    set(arguments)
    if(takes_arguments)
      set(arguments "argc, argv")
    endif()
    string(APPEND text_${number} "
namespace ${name} {
#define main(...) example_follows; static void example(__VA_ARGS__)
#include \"${source}\"
#undef main
}
void run_${name}(int, char**);
void run_${name}([[maybe_unused]] int argc, [[maybe_unused]] char** argv) { ${name}::example(${arguments}); }
")
  endforeach()
  foreach(last RANGE ${number})
    file(GENERATE OUTPUT ${examples_built}/together_${last}.cpp CONTENT "${text_${last}}")
  endforeach()
  add_library(ndkeep_examples_together STATIC ${units})
  target_include_directories(ndkeep_examples_together PRIVATE ${examples})
  target_link_libraries(ndkeep_examples_together PRIVATE ndkeep_programs)
endif()

foreach(source IN LISTS sources)
  get_filename_component(name ${source} NAME_WE)
  if(source IN_LIST together)
    set(unit ${examples_built}/main_of_${name}.cpp)
    file(GENERATE OUTPUT ${unit} CONTENT
      "void run_${name}(int argc, char** argv);\nint main(int argc, char** argv) { run_${name}(argc, argv); }\n")
    add_executable(ndkeep_example_${name} ${unit})
    target_link_libraries(ndkeep_example_${name} PRIVATE ndkeep_examples_together)
  else()
    # Compiled beside the library, not after it.
    add_library(ndkeep_example_${name}_objects OBJECT ${source})
    target_link_libraries(ndkeep_example_${name}_objects PRIVATE ndkeep_programs)
    set_target_properties(ndkeep_example_${name}_objects PROPERTIES OPTIMIZE_DEPENDENCIES ON)
    add_executable(ndkeep_example_${name} $<TARGET_OBJECTS:ndkeep_example_${name}_objects>)
  endif()
  set_target_properties(ndkeep_example_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${examples_built})
  target_link_libraries(ndkeep_example_${name} PRIVATE ndkeep_programs)

  if(NDKEEP_BUILD_TESTS)
    find_program(NDKEEP_SHELL NAMES sh REQUIRED)
    add_test(NAME "examples: ${name}"
      COMMAND ${NDKEEP_SHELL} ${examples}/check_output.sh $<TARGET_FILE:ndkeep_example_${name}> ${source})
    set_tests_properties("examples: ${name}" PROPERTIES LABELS examples TIMEOUT 300)
  endif()
endforeach()

# The programs of examples/mpi, where MPI is installed. MPI leaks memory, which the sanitizers would report.
set(MPI_CXX_SKIP_MPICXX ON)
if(NOT NDKEEP_SANITIZE)
  find_package(MPI QUIET COMPONENTS CXX)
endif()
if(TARGET MPI::MPI_CXX AND NOT NDKEEP_SANITIZE)
  foreach(name IN ITEMS distributed_mean distributed_sort)
    set(source ${examples}/mpi/${name}.cpp)
    add_executable(ndkeep_example_${name} ${source})
    set_target_properties(ndkeep_example_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${examples_built})
    target_link_libraries(ndkeep_example_${name} PRIVATE ndkeep_programs MPI::MPI_CXX)
    if(ndkeep_has_s3)
      target_link_libraries(ndkeep_example_${name} PRIVATE ${ndkeep_programs_s3})
      target_compile_definitions(ndkeep_example_${name} PRIVATE NDKEEP_EXAMPLES_HAVE_S3)
    endif()
    if(NDKEEP_BUILD_TESTS AND MPIEXEC_EXECUTABLE)
      add_test(NAME "examples: mpi ${name}"
        COMMAND ${NDKEEP_SHELL} ${examples}/check_output.sh $<TARGET_FILE:ndkeep_example_${name}> ${source}
          ${NDKEEP_SHELL} ${examples}/mpi/run_ranks.sh ${MPIEXEC_EXECUTABLE})
      set_tests_properties("examples: mpi ${name}" PROPERTIES LABELS examples TIMEOUT 300 PROCESSORS 2)
      if(TARGET ndkeep_tests_s3)
        add_test(NAME "s3: mpi ${name} on a bucket" COMMAND ${NDKEEP_SHELL} ${examples}/mpi/run_ranks.sh
          ${MPIEXEC_EXECUTABLE} $<TARGET_FILE:ndkeep_example_${name}> bucket)
        set_tests_properties("s3: mpi ${name} on a bucket" PROPERTIES LABELS s3 TIMEOUT 300 PROCESSORS 2)
      endif()
    endif()
  endforeach()
endif()
