// Calls norms: reads and checks the arguments, creates the outputs, and computes.
#include "numpy/norms.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "numpy/arguments.hpp"
#include "numpy/built_in.hpp"
#include "numpy/row_arguments.hpp"
#include "numpy/row_arrays.hpp"
#include "numpy/types.hpp"

namespace py = pybind11;

namespace fastact::numpy {
namespace {

using kernels::Norm;
using kernels::NormPass;
using runtime::NormAxis;
using runtime::NormDescription;

constexpr std::size_t most_norm_results = 3, most_norm_arguments = 8;
/// x, g and the result, in the order of NormAxis::strides.
constexpr std::size_t of_x = 0, of_g = 1, of_result = 2, norm_arrays = 3;

struct NormFunction {
  const NormDescription* description;
  std::string name, documentation;
  std::array<PyObject*, most_norm_arguments> names;
  std::size_t axis, eps, out, count;  // the places of options among the names, and the number of names
  PyMethodDef method;
  PyObject* elsewhere;
};

using NormArguments = std::array<PyObject*, most_norm_arguments>;

/// One call. All arguments are read and checked before anything is computed, so a failed call changes no array.
class NormCaller {
 public:
  NormCaller(const NormFunction& f, const NormArguments& given) : f_(f), given_(given) {
    read_arrays();
    read_axis();
    for (std::size_t k = norm().rows; k < norm().count(); ++k) read_parameter(k);
    read_eps();
    read_outputs();
  }

  py::object operator()() {
    compute();
    const std::size_t count = norm().outputs();
    if (count == 1) return finished();
    py::tuple results(count);
    for (std::size_t i = 0; i < count; ++i) results[i] = i == 0 ? finished() : numbers(i);
    return results;
  }

 private:
  const NormFunction& f_;
  const NormArguments& given_;
  std::array<py::object, most_norm_arguments> arguments_;
  std::array<py::object, norm_arrays> arrays_;
  int type_ = NPY_NOTYPE;
  std::optional<Axes> axes_;
  /// The axes of gamma in the order of its shape, and the place of each among these axes in ascending order.
  PerAxis<npy_intp> order_, ascending_, shape_;
  std::size_t numbers_ = 1;
  double eps_ = 0;
  std::array<PyObject*, most_norm_results> outputs_ = {};
  py::object result_;
  std::vector<double> first_, second_;

  const NormDescription& norm() const { return *f_.description; }
  bool is_batch() const { return norm().norm == Norm::batch; }
  std::span<const npy_intp> sizes() const { return shape(arguments_[0]); }
  int computed_type() const { return type_ == NPY_DOUBLE ? NPY_DOUBLE : NPY_FLOAT; }
  void read_arrays() {
    std::array<int, 2> types;
    std::size_t count = 0;
    for (std::size_t k = 0; k < norm().rows; ++k) {
      arguments_[k] = as_array(given_[k]);
      if (is_typed(given_[k])) types[count++] = type_of(arguments_[k]);
    }
    type_ = common_type(std::span(types).first(count));
    for (std::size_t k = 0; k < norm().rows && type_ == NPY_NOTYPE; ++k) {
      const int type = type_of(arguments_[k]);
      if (k + 1 < norm().rows && common_type(std::span(&type, 1)) != NPY_NOTYPE) continue;
      refuse(PyExc_TypeError, f_.name,
             "%s has dtype %S; float16, bfloat16, float32, float64, integers and bool are allowed", norm().arguments[k],
             dtype_of(arguments_[k]));
    }
    for (std::size_t k = 0; k < norm().rows; ++k) {
      if (!std::ranges::equal(shape(arguments_[k]), sizes())) {
        refuse(PyExc_ValueError, f_.name, "x has shape %S, %s %S; they must be the same", shape_of(arguments_[0]).ptr(),
               norm().arguments[k], shape_of(arguments_[k]).ptr());
      }
      arguments_[k] = converted(arguments_[k], type_);
    }
  }

  void read_axis() {
    PyObject* const value = given_[f_.axis];
    const std::size_t dimensions = sizes().size();
    const Axes named = read_axes(f_.name, value, dimensions);
    const auto is_named = [&](std::size_t i) {
      return std::ranges::find(named.row(), static_cast<int>(i)) != named.row().end();
    };
    axes_.emplace(dimensions, [&](std::size_t i) { return is_named(i) != is_batch(); });
    for (const int axis : named.row()) order_.push_back(axis);
    if (value != nullptr && PyTuple_Check(value) && dimensions > 0) {
      for (std::size_t i = 0; i < order_.size(); ++i) {
        const Py_ssize_t axis = PyNumber_AsSsize_t(PyTuple_GET_ITEM(value, static_cast<Py_ssize_t>(i)), nullptr);
        order_[i] = axis < 0 ? axis + static_cast<Py_ssize_t>(dimensions) : axis;
      }
    }
    for (const npy_intp axis : order_) {
      ascending_.push_back(std::ranges::count_if(order_, [axis](npy_intp other) { return other < axis; }));
      const npy_intp size = sizes()[static_cast<std::size_t>(axis)];
      shape_.push_back(size);
      numbers_ *= static_cast<std::size_t>(size);
    }
  }

  /// The array with its axes in the other order: that of the arguments, or ascending.
  py::object reordered(const py::object& a, bool ascending) const {
    if (order_.size() < 2) return a;
    PerAxis<npy_intp> permutation(ascending_);
    if (ascending) {
      for (std::size_t i = 0; i < order_.size(); ++i) {
        permutation[static_cast<std::size_t>(ascending_[i])] = static_cast<npy_intp>(i);
      }
    }
    PyArray_Dims dims = {permutation.begin(), static_cast<int>(permutation.size())};
    return checked(PyArray_Transpose(array(a), &dims));
  }

  /// Given means and variances stay as precise as they are.
  static std::vector<double> as_doubles(const py::object& a) {
    if (is_as_computed(a, NPY_FLOAT) && PyArray_IS_C_CONTIGUOUS(array(a))) {
      const auto* const floats = static_cast<const float*>(PyArray_DATA(array(a)));
      return {floats, floats + PyArray_SIZE(array(a))};
    }
    const py::object doubled = converted(a, NPY_DOUBLE, NPY_ARRAY_C_CONTIGUOUS);
    const std::span all = doubles(doubled);
    return {all.begin(), all.end()};
  }

  void read_parameter(std::size_t k) {
    PyObject* const value = given_[k];
    if (value == nullptr || (value == Py_None && k >= norm().required)) return;
    const py::object a = as_array(value);
    const char* const name = norm().arguments[k];
    if (!PyArray_CanCastSafely(type_of(a), NPY_LONGDOUBLE) && common_type(std::array{type_of(a)}) == NPY_NOTYPE) {
      refuse(PyExc_TypeError, f_.name, "%s must be an array of real numbers, not of %S", name, dtype_of(a));
    }
    if (!std::ranges::equal(shape(a), shape_)) {
      refuse(PyExc_ValueError, f_.name, "%s has shape %S where %S is required; x has %S", name, shape_of(a).ptr(),
             as_tuple(shape_).ptr(), shape_of(arguments_[0]).ptr());
    }
    const bool is_statistic = k < norm().required;
    const py::object ordered = reordered(a, true);
    if (is_statistic) {
      (k == norm().rows ? first_ : second_) = as_doubles(ordered);
    } else {
      arguments_[k] = converted(ordered, computed_type(), NPY_ARRAY_C_CONTIGUOUS);
    }
  }

  void read_eps() {
    eps_ = norm().eps;
    if (given_[f_.eps] == nullptr) return;
    eps_ = PyFloat_AsDouble(given_[f_.eps]);
    if (eps_ == -1 && PyErr_Occurred()) {
      PyErr_Clear();
      refuse(PyExc_TypeError, f_.name, "eps must be a real number, not %R", given_[f_.eps]);
    }
    if (!(eps_ >= 0) || std::isinf(eps_)) {
      refuse(PyExc_ValueError, f_.name, "eps is %R; 0 <= eps < inf is required", given_[f_.eps]);
    }
  }

  void read_outputs() {
    PyObject* const out = given_[f_.out];
    const std::size_t count = norm().outputs();
    if (out != nullptr && out != Py_None) {
      const bool is_tuple = PyTuple_Check(out);
      if (count != (is_tuple ? static_cast<std::size_t>(PyTuple_GET_SIZE(out)) : 1)) {
        const char* const wanted = count == 1   ? "an array, or a tuple of one"
                                   : count == 2 ? "a tuple of two arrays, either of which may be None"
                                                : "a tuple of three arrays, any of which may be None";
        refuse(PyExc_TypeError, f_.name, "out must be %s", wanted);
      }
      for (std::size_t i = 0; i < count; ++i) {
        PyObject* const value = is_tuple ? PyTuple_GET_ITEM(out, static_cast<Py_ssize_t>(i)) : out;
        if (value == Py_None) continue;
        if (!PyArray_Check(value)) refuse(PyExc_TypeError, f_.name, "out must be an array, not %R", value);
        check_output(value, i == 0 ? sizes() : std::span<const npy_intp>(shape_), i == 0 ? type_ : int{NPY_DOUBLE});
        outputs_[i] = value;
      }
      refuse_shared(f_.name, outputs_);
    }
    for (std::size_t k = 0; k < norm().rows; ++k) arrays_[k] = arguments_[k];
    if (norm().rows == 1) arrays_[of_g] = arguments_[0];
    py::object& computed = arrays_[of_result];
    if (outputs_[0] != nullptr) result_ = py::reinterpret_borrow<py::object>(outputs_[0]);
    computed = result_ && may_be_written(result_) ? result_ : make_like(arguments_[0], axes_->all(), sizes(), type_);
    if (!result_) result_ = computed;
  }

  void check_output(PyObject* out, std::span<const npy_intp> wanted, int type) const {
    if (!std::ranges::equal(shape(out), wanted)) {
      refuse(PyExc_ValueError, f_.name, "out has shape %S where %S is required", shape_of(out).ptr(),
             as_tuple(wanted).ptr());
    }
    if (!PyArray_ISWRITEABLE(array(out))) refuse(PyExc_ValueError, f_.name, "out is read-only");
    const py::object from = dtype(type);
    if (!PyArray_CanCastTypeTo(descriptor(from), PyArray_DESCR(array(out)), NPY_SAME_KIND_CASTING)) {
      refuse(PyExc_TypeError, f_.name, "out has dtype %S, to which %S cannot be cast", dtype_of(out), from.ptr());
    }
  }

  /// Whether a kernel can compute in the memory of `out`, which may be that of x or g, element for element.
  bool may_be_written(py::handle out) const {
    const auto is_safe = [out](const py::object& a) {
      if (!a || are_apart(a, out)) return true;
      return PyArray_DATA(array(a)) == PyArray_DATA(array(out)) && std::ranges::equal(shape(a), shape(out)) &&
             type_of(a) == type_of(out) &&
             std::equal(PyArray_STRIDES(array(a)), PyArray_STRIDES(array(a)) + PyArray_NDIM(array(a)),
                        PyArray_STRIDES(array(out)));
    };
    const std::size_t rows = norm().rows;
    const std::span parameters = std::span(arguments_).subspan(rows, norm().count() - rows);
    return is_as_computed(out, type_) && std::ranges::all_of(std::span(arguments_).first(rows), is_safe) &&
           std::ranges::all_of(parameters, [out](const py::object& a) { return !a || are_apart(a, out); });
  }

  /// Axes of x in this order, joined to as few as possible.
  PerAxis<NormAxis> joined(std::span<const int> axes, std::span<const Strided> strides) const {
    PerAxis<NormAxis> found;
    for (const int axis : axes) {
      const auto a = static_cast<std::size_t>(axis);
      if (sizes()[a] == 1) continue;
      NormAxis next = {static_cast<std::size_t>(sizes()[a]), {}};
      for (std::size_t k = 0; k < norm_arrays; ++k) next.strides[k] = strides[k].along[a];
      NormAxis* const last = found.size() > 0 ? found.end() - 1 : nullptr;
      bool is_one = last != nullptr;
      for (std::size_t k = 0; k < norm_arrays && is_one; ++k) {
        is_one = last->strides[k] == next.strides[k] * static_cast<npy_intp>(next.size);
      }
      if (is_one)
        next.size *= last->size, *last = next;
      else
        found.push_back(next);
    }
    if (found.size() == 0) found.push_back({1, {}});
    return found;
  }

  void compute() {
    std::array<Strided, norm_arrays> strides;
    const auto find_strides = [&] {
      for (std::size_t k = 0; k < norm_arrays; ++k) strides[k].set(arrays_[k], axes_->all());
    };
    find_strides();
    PerAxis<NormAxis> row = joined(axes_->row(), strides);
    if (row.size() > 2) {
      for (std::size_t k = 0; k < norm_arrays; ++k) {
        const py::object copy = make_with_rows_last(*axes_, sizes(), type_);
        if (k != of_result) copy_into(copy, arrays_[k]);
        arrays_[k] = copy;
      }
      find_strides();
      row = joined(axes_->row(), strides);
    }
    // Where nothing is summed over the rows, they are computed in the order of memory.
    PerAxis<int> others;
    for (const int axis : axes_->others()) others.push_back(axis);
    if (!is_batch() && !norm().has_gradient()) {
      std::ranges::sort(others, std::ranges::greater(), [&](int axis) {
        return std::pair(std::abs(strides[of_x].along[static_cast<std::size_t>(axis)]), -axis);
      });
    }
    const PerAxis<NormAxis> rows = joined(others, strides);
    kernels::NormCall call = {};
    call.norm = norm().norm, call.pass = norm().pass;
    call.format = format_of(type_);
    const bool is_one = row.size() == 1;
    const NormAxis &first = row[0], &last = row[row.size() - 1];
    call.segment = last.size;
    call.length = is_one ? call.segment : first.size * call.segment;
    kernels::Segments* const arrays[] = {&call.x, &call.g, &call.result};
    for (std::size_t k = 0; k < norm_arrays; ++k) {
      *arrays[k] = {{strides[k].data, 0, last.strides[k]}, is_one ? 0 : first.strides[k]};
    }
    call.eps = eps_;
    const npy_intp item = computed_type() == NPY_DOUBLE ? sizeof(double) : sizeof(float);
    const std::span parameters = std::span(arguments_).subspan(norm().required, 2);
    if (parameters[0]) call.gamma = {PyArray_DATA(array(parameters[0])), item, 0};
    if (parameters[1]) call.beta = {PyArray_DATA(array(parameters[1])), item, 0};
    if (norm().pass == NormPass::given) {
      call.first = first_.data(), call.second = second_.data();
    } else if (norm().has_gradient() || is_batch()) {
      // The sums over nothing, and the statistics of nothing.
      const double nothing = norm().has_gradient() ? 0.0 : std::numeric_limits<double>::quiet_NaN();
      first_.assign(numbers_, nothing), second_.assign(numbers_, nothing);
      call.first = first_.data(), call.second = norm().outputs() == 3 ? second_.data() : nullptr;
    }
    const npy_intp elements = PyArray_SIZE(array(arguments_[0]));
    if (elements == 0) return;
    std::optional<py::gil_scoped_release> release;
    if (elements >= worth_releasing) release.emplace();
    runtime::run(call, rows);
  }

  py::object finished() {
    if (!result_.is(arrays_[of_result])) copy_into(result_, arrays_[of_result]);
    arrays_ = {};
    return outputs_[0] != nullptr ? result_ : as_result(std::move(result_));
  }

  /// Result i, one number for each of gamma's: in the type of gamma or beta if these are given, else in that of x.
  py::object numbers(std::size_t i) const {
    const std::vector<double>& from = i == 1 ? first_ : second_;
    int type = type_;
    if (PyObject* const gamma = norm().has_gradient() ? given_[norm().rows] : nullptr) {
      const bool has_type = PyArray_Check(gamma) || PyArray_IsScalar(gamma, Generic);
      const int own = has_type ? type_of(as_array(gamma)) : type_;
      if (own == NPY_LONGDOUBLE || common_type(std::array{own}) == own) type = own;
    }
    std::array<npy_intp, most_axes> ascending;
    for (std::size_t k = 0; k < shape_.size(); ++k) ascending[static_cast<std::size_t>(ascending_[k])] = shape_[k];
    const py::object result = reordered(narrowed(from, std::span(ascending).first(shape_.size()), type), false);
    if (outputs_[i] == nullptr) return as_result(result);
    copy_into(outputs_[i], result);
    return py::reinterpret_borrow<py::object>(outputs_[i]);
  }
};

py::object call_norm(const NormFunction& f, const Given& values) {
  NormArguments given = {};
  const std::span names = std::span(f.names).first(f.count);
  const auto takes = [](std::size_t, PyObject*) { return true; };
  assign(f.name, names, f.out, values, given.data(), takes,
         [&](PyObject* keyword, PyObject*) { refuse(PyExc_TypeError, f.name, "no argument is called %R", keyword); });
  require(f.name, names.first(f.description->required), given.data());
  const auto is_foreign = [](PyObject* value) { return value != nullptr && value != Py_None && !is_numpys(value); };
  bool foreign = false;
  for (std::size_t k = 0; k < f.description->count(); ++k) foreign = foreign || is_foreign(given[k]);
  PyObject* const out = given[f.out];
  if (out != nullptr && PyTuple_Check(out)) {
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(out); ++i) foreign = foreign || is_foreign(PyTuple_GET_ITEM(out, i));
  } else {
    foreign = foreign || is_foreign(out);
  }
  if (!foreign) return NormCaller(f, given)();
  py::dict arguments;
  for (std::size_t i = 0; i < f.count; ++i) {
    if (given[i] != nullptr) arguments[f.names[i]] = py::handle(given[i]);
  }
  return py::handle(f.elsewhere)(f.name, arguments);
}

std::array<NormFunction, runtime::norm_catalogue.size()> norm_functions;

}  // namespace

py::tuple describe_norm(const NormDescription& norm) {
  const auto names = [](std::span<const char* const> all) {
    py::tuple tuple(all.size());
    for (std::size_t i = 0; i < all.size(); ++i) tuple[i] = all[i];
    return tuple;
  };
  return py::make_tuple(norm.name, names(std::span(norm.arguments).first(norm.count())), norm.rows, norm.required,
                        names(std::span(norm.results).first(norm.outputs())), norm.eps);
}

py::object make_norm_function(const NormDescription& norm, const std::string& documentation,
                              const py::object& elsewhere) {
  const auto index = static_cast<std::size_t>(&norm - runtime::norm_catalogue.data());
  NormFunction& f = norm_functions[index];
  f = {};
  f.description = &norm;
  f.name = norm.name;
  f.documentation = documentation;
  f.elsewhere = elsewhere.inc_ref().ptr();
  const auto add = [&f](const char* name) {
    f.names[f.count] = PyUnicode_InternFromString(name);
    return f.count++;
  };
  for (std::size_t k = 0; k < norm.count(); ++k) add(norm.arguments[k]);
  f.axis = add("axis");
  f.eps = add("eps");
  f.out = add("out");
  return make_built_in(f, entry_points<norm_functions, call_norm>[index]);
}

}  // namespace fastact::numpy
