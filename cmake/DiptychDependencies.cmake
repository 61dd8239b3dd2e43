# Every dependency is an INTERFACE target dep_*, so that a layer names what it uses in one word.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(GTest REQUIRED)
set(DIPTYCH_VENV ${CMAKE_SOURCE_DIR}/.venv CACHE PATH "Virtual environment with torch and pyarrow")
set(venv_python ${DIPTYCH_VENV}/bin/python)
if(NOT EXISTS ${venv_python})
  message(FATAL_ERROR "no ${DIPTYCH_VENV}: run setup/setup.sh first")
endif()
execute_process(COMMAND ${venv_python} -c "import sysconfig; print(sysconfig.get_path('purelib'))"
  OUTPUT_VARIABLE site_packages OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)

add_library(dep_flags INTERFACE)
target_include_directories(dep_flags INTERFACE ${CMAKE_SOURCE_DIR}/include ${CMAKE_SOURCE_DIR}/src)
target_compile_options(dep_flags INTERFACE -Wall -Wextra -Werror=switch -Werror=return-type
  $<$<BOOL:${DIPTYCH_WERROR}>:-Werror> $<$<CONFIG:Release>:-O2>)
target_compile_definitions(dep_flags INTERFACE DIPTYCH_VERSION="${PROJECT_VERSION}")
if(DIPTYCH_SANITIZE)
  target_compile_options(dep_flags INTERFACE -fsanitize=${DIPTYCH_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(dep_flags INTERFACE -fsanitize=${DIPTYCH_SANITIZE})
endif()

function(pkg_dependency target)
  foreach(module ${ARGN})
    pkg_check_modules(${module} REQUIRED IMPORTED_TARGET ${module})
    target_link_libraries(${target} INTERFACE PkgConfig::${module})
  endforeach()
endfunction()

find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
add_library(dep_base INTERFACE)
target_link_libraries(dep_base INTERFACE fmt::fmt nlohmann_json::nlohmann_json Threads::Threads)
pkg_dependency(dep_base libxxhash)

add_library(dep_config INTERFACE)      # CLI11 and toml++ are headers only

add_library(dep_image INTERFACE)
pkg_dependency(dep_image libturbojpeg libpng libwebp libwebpdemux)
find_package(GIF REQUIRED)
target_link_libraries(dep_image INTERFACE GIF::GIF)

add_library(dep_text INTERFACE)
pkg_dependency(dep_text icu-uc icu-i18n)

# Arrow C++ comes inside the pyarrow wheel: headers in include/, libraries beside them.
file(GLOB arrow_library ${site_packages}/pyarrow/libarrow.so.*)
file(GLOB arrow_compute_library ${site_packages}/pyarrow/libarrow_compute.so.*)
file(GLOB parquet_library ${site_packages}/pyarrow/libparquet.so.*)
add_library(dep_data INTERFACE)
target_include_directories(dep_data SYSTEM INTERFACE ${site_packages}/pyarrow/include)
target_link_libraries(dep_data INTERFACE ${arrow_library} ${arrow_compute_library} ${parquet_library})
target_link_options(dep_data INTERFACE -Wl,-rpath,${site_packages}/pyarrow)
pkg_dependency(dep_data freetype2 harfbuzz pugixml libarchive)

add_library(dep_download INTERFACE)
pkg_dependency(dep_download libcurl libcrypto)

add_library(dep_test INTERFACE)
target_link_libraries(dep_test INTERFACE GTest::gmock GTest::gtest_main)

# libtorch comes inside the torch wheel. Its own CMake package is not used: it would look for a
# CUDA toolkit; the three libraries and two include folders are all that is needed. The headers of
# Gloo, which is inside libtorch, are Debian's.
if(DIPTYCH_WITH_TORCH)
  set(torch_root ${site_packages}/torch)
  add_library(dep_torch INTERFACE)
  target_include_directories(dep_torch SYSTEM INTERFACE
    ${torch_root}/include ${torch_root}/include/torch/csrc/api/include)
  target_link_libraries(dep_torch INTERFACE
    ${torch_root}/lib/libtorch.so ${torch_root}/lib/libtorch_cpu.so ${torch_root}/lib/libc10.so)
  # A torch with CUDA has more of them. No name of theirs is used: being loaded they make themselves
  # known, so the linker must not leave them out.
  set(cuda_part ${torch_root}/lib/libtorch_cuda.so)
  if(EXISTS ${cuda_part})
    target_link_libraries(dep_torch INTERFACE
      "-Wl,--push-state,--no-as-needed,${cuda_part},${torch_root}/lib/libc10_cuda.so,--pop-state")
  endif()
  target_compile_definitions(dep_torch INTERFACE USE_C10D_GLOO)
  # at::parallel_for is a template: without the flag it runs its work on one thread, in silence.
  target_compile_options(dep_torch INTERFACE -fopenmp)
  target_link_options(dep_torch INTERFACE -fopenmp -Wl,-rpath,${torch_root}/lib)
endif()
