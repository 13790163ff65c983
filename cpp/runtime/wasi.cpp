// Functions that the C++ library for WASI lacks. It has no exceptions, so a program that throws one is aborted.
// Thread-local objects live as long as the program.
#include <cstddef>
#include <cstdlib>

extern "C" {

void* __cxa_allocate_exception(std::size_t size) { return std::malloc(size); }
void __cxa_free_exception(void* exception) { std::free(exception); }
[[noreturn]] void __cxa_throw(void*, void*, void (*)(void*)) { std::abort(); }
int __cxa_thread_atexit(void (*)(void*), void*, void*) { return 0; }

}  // extern "C"
