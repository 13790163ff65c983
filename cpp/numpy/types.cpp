#include "numpy/types.hpp"

#include <algorithm>

namespace py = pybind11;

namespace fastact::numpy {

int bfloat16() {
  static const int number = [] {
    try {
      return py::module_::import("ml_dtypes").attr("bfloat16").attr("dtype").attr("num").cast<int>();
    } catch (const py::error_already_set& error) {
      if (!error.matches(PyExc_ImportError)) throw;
      return int{NPY_NOTYPE};
    }
  }();
  return number;
}

int common_type(std::span<const int> arrays) {
  if (arrays.empty()) return NPY_DOUBLE;
  for (const int kernels : {int{NPY_HALF}, bfloat16(), int{NPY_FLOAT}, int{NPY_DOUBLE}}) {
    const auto fits = [kernels](int type) { return type >= 0 && PyArray_CanCastSafely(type, kernels); };
    if (kernels != NPY_NOTYPE && std::ranges::all_of(arrays, fits)) return kernels;
  }
  return NPY_NOTYPE;
}

}  // namespace fastact::numpy
