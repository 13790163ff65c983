"""For Windows' Python in Wine 8: functions of the C library that NumPy calls when imported and Wine lacks."""

import ctypes

FUNCTIONS = {
    "creal": b"\xf2\x0f\x10\x01\xc3",  # movsd xmm0, [rcx]; ret
    "cimag": b"\xf2\x0f\x10\x41\x08\xc3",  # movsd xmm0, [rcx + 8]; ret
    "crealf": b"\x66\x0f\x6e\xc1\xc3",  # movd xmm0, ecx; ret
    "cimagf": b"\x48\xc1\xe9\x20\x66\x0f\x6e\xc1\xc3",  # shr rcx, 32; movd xmm0, ecx; ret
}
PAGE_EXECUTE_READWRITE = 0x40

for name, code in FUNCTIONS.items():
    function = ctypes.cast(getattr(ctypes.CDLL("ucrtbase"), name), ctypes.c_void_p)
    size, previous = ctypes.c_size_t(len(code)), ctypes.c_ulong()
    ctypes.windll.kernel32.VirtualProtect(function, size, PAGE_EXECUTE_READWRITE, ctypes.byref(previous))
    ctypes.memmove(function, code, len(code))
