// For glibc's libz in musl's Python: the two functions that musl lacks.
#include <stdarg.h>
#include <stdio.h>

int __vsnprintf_chk(char* s, size_t n, int flag, size_t size, const char* format, va_list list) {
  return vsnprintf(s, n, format, list);
}

int __snprintf_chk(char* s, size_t n, int flag, size_t size, const char* format, ...) {
  va_list list;
  va_start(list, format);
  const int length = vsnprintf(s, n, format, list);
  va_end(list);
  return length;
}
