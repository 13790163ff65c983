#include "numpy/types.hpp"

#include <algorithm>
#include <atomic>

namespace py = pybind11;

namespace fastact::numpy {
namespace {

int bfloat16() {
  static std::atomic<int> number{NPY_NOTYPE};
  if (number == NPY_NOTYPE) {
    const py::object ml_dtypes = py::module_::import("sys").attr("modules").attr("get")("ml_dtypes");
    if (py::hasattr(ml_dtypes, "bfloat16")) number = ml_dtypes.attr("bfloat16").attr("dtype").attr("num").cast<int>();
  }
  return number;
}

}  // namespace

bool is_bfloat16(int type) { return type >= NPY_USERDEF && type == bfloat16(); }

int common_type(std::span<const int> arrays) {
  if (arrays.empty()) return NPY_DOUBLE;
  const auto found = std::ranges::find_if(arrays, is_bfloat16);
  const int half = NPY_HALF, single = NPY_FLOAT, bfloat16_or_single = found != arrays.end() ? *found : single;
  for (const int kernels : {half, bfloat16_or_single, single, int{NPY_DOUBLE}}) {
    const auto fits = [kernels](int type) { return type >= 0 && PyArray_CanCastSafely(type, kernels); };
    if (std::ranges::all_of(arrays, fits)) return kernels;
  }
  return NPY_NOTYPE;
}

}  // namespace fastact::numpy
