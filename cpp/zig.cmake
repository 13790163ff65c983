# Compiles for another platform by the compiler of the PyPI package ziglang:
# cmake --toolchain cpp/zig.cmake -DZIG=path/to/ziglang/zig -DZIG_TARGET=x86_64-linux-musl
list(APPEND CMAKE_TRY_COMPILE_PLATFORM_VARIABLES ZIG ZIG_TARGET)
string(REGEX MATCH "^[^-]+" CMAKE_SYSTEM_PROCESSOR ${ZIG_TARGET})
if(ZIG_TARGET MATCHES linux)
  set(CMAKE_SYSTEM_NAME Linux)
elseif(ZIG_TARGET MATCHES macos)
  set(CMAKE_SYSTEM_NAME Darwin)
  set(CMAKE_MODULE_LINKER_FLAGS_INIT -shared) # instead of -bundle, which zig does not know
  set(CMAKE_INSTALL_NAME_TOOL ${ZIG}) # CMake insists on one, which is not called
elseif(ZIG_TARGET MATCHES windows)
  set(CMAKE_SYSTEM_NAME Windows)
  set(CMAKE_RC_COMPILER ${ZIG}) # CMake insists on one, which is not called
elseif(ZIG_TARGET MATCHES wasi)
  set(CMAKE_SYSTEM_NAME WASI)
  set(CMAKE_EXECUTABLE_SUFFIX_C .wasm) # whatever CMake's version knows of WASI
  set(CMAKE_EXECUTABLE_SUFFIX_CXX .wasm)
endif()
# -O2 and -s on each line, since zig would build its C++ library anew for others. It has debugging information, which
# holds paths, without -s.
set(CMAKE_C_COMPILER ${ZIG} cc -target ${ZIG_TARGET} -O2 -s)
set(CMAKE_CXX_COMPILER ${ZIG} c++ -target ${ZIG_TARGET} -O2 -s)
set(CMAKE_C_FLAGS_RELEASE_INIT "-O2 -DNDEBUG -g0")
set(CMAKE_CXX_FLAGS_RELEASE_INIT "-O2 -DNDEBUG -g0")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG -g0")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG -g0")
foreach(language C CXX)
  set(CMAKE_${language}_ARCHIVE_CREATE "${ZIG} ar qc <TARGET> <OBJECTS>")
  set(CMAKE_${language}_ARCHIVE_APPEND "${ZIG} ar q <TARGET> <OBJECTS>")
  set(CMAKE_${language}_ARCHIVE_FINISH "${ZIG} ranlib <TARGET>")
endforeach()
# Nothing is linked to see whether a compiler works, for which zig would build its C++ library first.
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE BOTH)
