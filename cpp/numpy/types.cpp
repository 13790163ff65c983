// Chooses the types in which a ufunc computes.
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

kernels::Format format_of(int type) {
  using kernels::Format;
  return type == NPY_DOUBLE  ? Format::f64
         : type == NPY_FLOAT ? Format::f32
         : type == NPY_HALF  ? Format::f16
                             : Format::bf16;
}

int common_type(std::span<const int> arrays) {
  if (arrays.empty()) return NPY_DOUBLE;
  // NumPy looks up casts to and from half precision in a dictionary.
  const int first = arrays.front();
  const bool has_kernels = first == NPY_FLOAT || first == NPY_DOUBLE || first == NPY_HALF;
  if (has_kernels && std::ranges::count(arrays, first) == std::ssize(arrays)) return first;
  const auto found = std::ranges::find_if(arrays, is_bfloat16);
  const int half = NPY_HALF, single = NPY_FLOAT, bfloat16_or_single = found != arrays.end() ? *found : single;
  for (const int kernels : {half, bfloat16_or_single, single, int{NPY_DOUBLE}}) {
    const auto fits = [kernels](int type) { return type >= 0 && PyArray_CanCastSafely(type, kernels); };
    if (std::ranges::all_of(arrays, fits)) return kernels;
  }
  return NPY_NOTYPE;
}

namespace {

/// The result -1 without an exception lets NumPy refuse the types.
int choose_types(PyObject* self, PyArray_DTypeMeta* const* given, PyArray_DTypeMeta* const*,
                 PyArray_DTypeMeta** promoted) {
  auto* ufunc = reinterpret_cast<PyUFuncObject*>(self);
  auto* signature = static_cast<Signature*>(ufunc->data[0]);
  std::array<int, std::tuple_size_v<decltype(Signature::roles)>> types;
  std::size_t count = 0;
  bool extended = false;
  const bool output_is_given = given[signature->inputs] != nullptr;
  for (std::size_t k = 0; k < signature->inputs + output_is_given; ++k) {
    PyArray_DTypeMeta* const dtype = given[k];
    if (dtype == nullptr) continue;
    const bool python_number = dtype == &PyArray_PyFloatDType || dtype == &PyArray_PyLongDType;
    if (signature->roles[k] == Role::parameter) {
      extended = extended || python_number;
    } else if (signature->roles[k] == Role::array && !python_number && output_is_given == (k == signature->inputs)) {
      types[count++] = dtype->type_num;
    }
  }
  if (extended && signature->extended != nullptr) signature = signature->extended;
  const int type = common_type(std::span(types).first(count));
  if (type == NPY_NOTYPE) return -1;
  signature->write(type, types.data());
  if (is_bfloat16(type) &&
      PyUFunc_RegisterLoopForType(ufunc, type, signature->bfloat16_loop, types.data(), signature->bfloat16_data) < 0) {
    return -1;
  }
  for (std::size_t k = 0; k < signature->operands; ++k) {
    PyArray_Descr* descriptor = PyArray_DescrFromType(types[k]);
    promoted[k] = NPY_DTYPE(descriptor);
    Py_INCREF(promoted[k]);
    Py_DECREF(descriptor);
  }
  return 0;
}

int promote(PyObject* ufunc, PyArray_DTypeMeta* const* given, PyArray_DTypeMeta* const* signature,
            PyArray_DTypeMeta** promoted) {
  return in_c(-1, [&] { return choose_types(ufunc, given, signature, promoted); });
}

}  // namespace

void add_promoter(const py::object& ufunc) {
  py::tuple any(static_cast<std::size_t>(reinterpret_cast<PyUFuncObject*>(ufunc.ptr())->nargs));
  for (std::size_t k = 0; k < any.size(); ++k) any[k] = py::none();
  const py::capsule promoter(reinterpret_cast<void*>(promote), "numpy._ufunc_promoter");
  if (PyUFunc_AddPromoter(ufunc.ptr(), any.ptr(), promoter.ptr()) < 0) throw py::error_already_set();
}

}  // namespace fastact::numpy
