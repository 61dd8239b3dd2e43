# One static library and one test program per folder of src/. Files are discovered:
# NAME_test.cpp belongs to the tests, everything else to the library.
function(diptych_layer name)
  cmake_parse_arguments(LAYER "TORCH" "" "USES" ${ARGN})
  file(GLOB sources CONFIGURE_DEPENDS src/${name}/*.cpp)
  file(GLOB tests CONFIGURE_DEPENDS src/${name}/*_test.cpp)
  list(REMOVE_ITEM sources ${tests} "")
  list(FILTER sources EXCLUDE REGEX "/main\\.cpp$")

  if(NOT sources)
    add_library(diptych_${name} INTERFACE)
    target_link_libraries(diptych_${name} INTERFACE ${LAYER_USES})
    return()
  endif()
  add_library(diptych_${name} STATIC ${sources})
  target_link_libraries(diptych_${name} PUBLIC dep_flags ${LAYER_USES})
  if(LAYER_TORCH)
    # torch's headers stay inside: layers above see none of them. The wheel brings headers of its
    # own fmt, in another version than the library, so here fmt is used as headers alone.
    target_link_libraries(diptych_${name} PRIVATE dep_torch)
    target_compile_definitions(diptych_${name} PRIVATE FMT_HEADER_ONLY)
    if(NOT name STREQUAL nn)
      target_precompile_headers(diptych_${name} REUSE_FROM diptych_nn)
    else()
      target_precompile_headers(diptych_nn PRIVATE <torch/torch.h>)
    endif()
  endif()

  if(tests)
    add_executable(diptych_${name}_test ${tests})
    target_link_libraries(diptych_${name}_test PRIVATE diptych_${name} dep_test)
    set(label fast)
    if(LAYER_TORCH OR name STREQUAL cli OR name STREQUAL report)
      set(label torch)
    endif()
    if(LAYER_TORCH)
      target_link_libraries(diptych_${name}_test PRIVATE dep_torch)
      target_compile_definitions(diptych_${name}_test PRIVATE FMT_HEADER_ONLY)
      target_precompile_headers(diptych_${name}_test REUSE_FROM diptych_nn)
      # As in a library (not -fPIE, as CMake has it for programs): else the header is of no use.
      target_compile_options(diptych_${name}_test PRIVATE -fPIC)
    endif()
    gtest_discover_tests(diptych_${name}_test
      TEST_PREFIX ${name}. DISCOVERY_TIMEOUT 60 NO_PRETTY_VALUES
      PROPERTIES LABELS ${label} TIMEOUT 600)
  endif()
endfunction()
