// Calls row functions: reads and checks the arguments, creates the outputs, and computes.
#include "numpy/row_call.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
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
#include "runtime/catalogue.hpp"
#include "runtime/dispatch.hpp"

namespace py = pybind11;

namespace fastact::numpy {
namespace {

using kernels::Format;
using kernels::most_operands;
using runtime::RowOperand;
using Sizes = std::span<const npy_intp>;

constexpr std::size_t most_names = most_operands + 4, most_outputs = 2;
/// The place of an option that a function does not have; it is always empty.
constexpr std::size_t absent = most_names;

struct Function {
  const runtime::RowDescription* description;
  kernels::RowKernel f32, f64;
  std::array<PyObject*, most_names> names;
  std::size_t count = 0;  // the number of names
  std::size_t axis = absent, keepdims = absent, where = absent, out = absent;
  std::size_t weights = absent, ignore_label = absent, label_smoothing = absent;
  std::string name, documentation;
  PyMethodDef method;
  PyObject *elsewhere, *parameter = nullptr;  // the default of a learnable parameter

  const RowOperand& operand(std::size_t k) const { return description->signature.operands[k]; }
  std::size_t inputs() const { return description->signature.inputs; }
  std::size_t operands() const { return description->signature.count; }
  std::size_t outputs() const { return operands() - inputs(); }
  bool learns() const { return axis == absent; }
};

/// The argument for each name; null if it was not given.
using Arguments = std::array<PyObject*, most_names + 1>;

[[noreturn]] void refuse(PyObject* exception, const Function& f, const char* format, auto... values) {
  numpy::refuse(exception, f.name, format, values...);
}

bool is_true(PyObject* value) {
  const int truth = PyObject_IsTrue(value);
  if (truth < 0) throw py::error_already_set();
  return truth != 0;
}

using Outputs = std::array<PyObject*, most_outputs>;

/// The outputs that were given; null for an output that has to be created.
Outputs read_outputs(const Function& f, PyObject* out) {
  Outputs outputs = {};
  if (out == nullptr || out == Py_None) return outputs;
  const bool is_tuple = PyTuple_Check(out);
  if (f.outputs() != (is_tuple ? static_cast<std::size_t>(PyTuple_GET_SIZE(out)) : 1)) {
    refuse(PyExc_TypeError, f,
           f.outputs() == 1 ? "out must be an array, or a tuple of one"
                            : "out must be a tuple of two arrays, either of which may be None");
  }
  for (std::size_t i = 0; i < f.outputs(); ++i) {
    PyObject* const value = is_tuple ? PyTuple_GET_ITEM(out, static_cast<Py_ssize_t>(i)) : out;
    if (value == Py_None) continue;
    if (!PyArray_Check(value)) refuse(PyExc_TypeError, f, "out must be an array, not %R", value);
    outputs[i] = value;
  }
  refuse_shared(f.name, outputs);
  return outputs;
}

/// One call. All arguments are read and checked before anything is computed, so a failed call changes no array.
class Call {
 public:
  Call(const Function& f, const Arguments& given) : f_(f), outputs_(read_outputs(f, given[f.out])) {
    std::array<int, most_operands> types;
    std::size_t count = 0;
    for (std::size_t k = 0; k < f.inputs(); ++k) {
      inputs_[k] = as_array(given[k]);
      if (f.operand(k).role == Role::labels) {
        const int type = type_of(inputs_[k]);
        has_probabilities_ = PyArray_NDIM(array(inputs_[k])) == PyArray_NDIM(array(inputs_[0])) &&
                             !PyArray_ISINTEGER(array(inputs_[k])) && common_type(std::span(&type, 1)) == type;
      }
      if (is_array(k) && is_typed(given[k])) types[count++] = type_of(inputs_[k]);
    }
    type_ = common_type(std::span(types).first(count));
    if (type_ == NPY_NOTYPE) refuse_types();
    for (std::size_t k = 0; k < f.inputs(); ++k) {
      if (is_array(k)) inputs_[k] = converted(inputs_[k], type_);
    }
  }

  /// A function of rows.
  py::object of_rows(const Arguments& given) {
    const Axes axes = read_axes(f_.name, given[f_.axis], sizes().size());
    axes_ = &axes;
    keepdims_ = given[f_.keepdims] != nullptr && is_true(given[f_.keepdims]);
    measure();
    read_ignored(given[f_.ignore_label]);
    read_smoothing(given[f_.label_smoothing]);
    for (std::size_t k = 0; k < f_.inputs(); ++k) read(k);
    if (PyObject* const weights = given[f_.weights]; weights != nullptr && weights != Py_None) read_weights(weights);
    if (PyObject* const mask = given[f_.where]; mask != nullptr && mask != Py_True) read_mask(mask);
    for (std::size_t k = f_.inputs(); k < f_.operands(); ++k) prepare(k);
    compute();
    if (f_.outputs() == 1) return finished(0);
    return py::make_tuple(finished(0), finished(1));
  }

  /// The backward pass of an activation with a learnable parameter. The longest run of axes over which the parameter is
  /// shared becomes the rows. The sums of these are added over the other such axes.
  py::object of_learnable(const Arguments& given) {
    PyObject* const name = f_.names[parameter_];
    const py::object parameter = inputs_[parameter_];
    if (!PyArray_CanCastSafely(type_of(parameter), NPY_LONGDOUBLE)) {
      refuse(PyExc_TypeError, f_, "%U must be a real number or an array of them, not %S", name, dtype_of(parameter));
    }
    if (!std::ranges::equal(shape(inputs_[1]), sizes())) {
      refuse(PyExc_ValueError, f_, "x has shape %S, g %S; they must be the same", shape_of(x()).ptr(),
             shape_of(inputs_[1]).ptr());
    }
    if (!broadcasts(parameter)) {
      const py::str hint = channel_hint(name, shape(parameter), sizes());
      refuse(PyExc_ValueError, f_, "%U has shape %S, which does not broadcast to x's %S%U", name,
             shape_of(parameter).ptr(), shape_of(x()).ptr(), hint.ptr());
    }
    const std::size_t missing = sizes().size() - shape(parameter).size();
    const auto is_shared = [&](std::size_t i) { return i < missing || shape(parameter)[i - missing] == 1; };
    std::size_t first = 0, last = 0;
    npy_intp longest = -1;
    for (std::size_t i = 0, end; i < sizes().size(); i = end + 1) {
      npy_intp length = 1;
      for (end = i; end < sizes().size() && is_shared(end); ++end) length *= sizes()[end];
      if (end > i && length > longest) first = i, last = end, longest = length;
    }
    const Axes axes(sizes().size(), [=](std::size_t i) { return i >= first && i < last; });
    axes_ = &axes;
    length_ = std::abs(longest);

    read(0);
    read(1);
    inputs_[parameter_] = type_ != NPY_DOUBLE && is_plain(parameter, NPY_DOUBLE)
                              ? narrowed(doubles(parameter), shape(parameter), NPY_FLOAT)
                              : converted(parameter, type_ == NPY_DOUBLE ? NPY_DOUBLE : NPY_FLOAT);
    broadcast(inputs_[parameter_], arrays_[parameter_]);
    prepare(f_.inputs());
    const bool has_own_type = (PyArray_Check(given[parameter_]) || PyArray_IsScalar(given[parameter_], Generic)) &&
                              !PyArray_ISINTEGER(array(parameter)) && !PyArray_ISBOOL(array(parameter));
    const int type = has_own_type ? type_of(parameter) : type_;
    if (outputs_[1] != nullptr) check_output(outputs_[1], shape(parameter), NPY_DOUBLE);

    constexpr auto item = static_cast<npy_intp>(sizeof(double));
    std::array<Dimension<2>, most_axes> loop;
    npy_intp count = 1, parameters = 1;
    Strided& sums = arrays_[f_.operands() - 1];
    for (std::size_t i = axes.others().size(); i-- > 0;) {
      const auto axis = static_cast<std::size_t>(axes.others()[i]);
      sums.along[axis] = count * item;
      loop[i] = {sizes()[axis], {sums.along[axis], is_shared(axis) ? 0 : parameters * item}};
      count *= sizes()[axis];
      if (!is_shared(axis)) parameters *= sizes()[axis];
    }
    std::vector<double> totals(static_cast<std::size_t>(count));
    sums.data = reinterpret_cast<char*>(totals.data());
    compute();
    if (count != parameters) {
      std::vector<double> added(static_cast<std::size_t>(parameters));
      const runtime::FloatEnvironment environment;
      if (count > 0) {
        walk(std::span<const Dimension<2>>(loop).first(axes.others().size()),
             {sums.data, reinterpret_cast<char*>(added.data())}, [](const std::array<char*, 2>& at) {
               *reinterpret_cast<double*>(at[1]) += *reinterpret_cast<const double*>(at[0]);
             });
      }
      totals = std::move(added);
    }
    const bool is_narrowed = outputs_[1] == nullptr || type_of(outputs_[1]) == type;
    const py::object sum = narrowed(totals, shape(parameter), is_narrowed ? type : NPY_DOUBLE);
    if (outputs_[1] == nullptr) return py::make_tuple(finished(0), as_result(sum));
    copy_into(outputs_[1], sum);
    return py::make_tuple(finished(0), py::handle(outputs_[1]));
  }

 private:
  /// The index of the learnable parameter among the arrays.
  static constexpr std::size_t parameter_ = 2;

  const Function& f_;
  Outputs outputs_;
  std::array<py::object, most_operands> inputs_;
  int type_;
  const Axes* axes_ = nullptr;
  bool keepdims_ = false;
  npy_intp length_ = 1;  // the length of a row
  py::object mask_;
  bool has_probabilities_ = false;  // as labels
  py::object weights_, ignored_;
  std::int64_t ignored_label_ = 0;
  double smoothing_ = 0;
  std::array<py::object, most_outputs> results_, computed_;  // the same, unless a result cannot be computed in place
  std::array<Strided, most_arrays> arrays_;

  [[noreturn]] void refuse_types() const {
    std::size_t k = 0;
    for (; k + 1 < f_.inputs(); ++k) {
      const int type = type_of(inputs_[k]);
      if (f_.operand(k).role == Role::array && common_type(std::span(&type, 1)) == NPY_NOTYPE) break;
    }
    refuse(PyExc_TypeError, f_, "%U has dtype %S; float16, bfloat16, float32, float64, integers and bool are allowed",
           f_.names[k], dtype_of(inputs_[k]));
  }

  /// Whether input k has the type of the call.
  bool is_array(std::size_t k) const {
    return f_.operand(k).role == Role::array || (f_.operand(k).role == Role::labels && has_probabilities_);
  }
  std::size_t divisor(std::size_t k) const {
    return f_.operand(k).role == Role::labels && has_probabilities_ ? 1 : f_.operand(k).divisor;
  }
  const py::object& x() const { return inputs_[0]; }
  Sizes sizes() const { return shape(x()); }

  void measure() {
    const auto row = axes_->row();
    for (const int axis : row) length_ *= sizes()[static_cast<std::size_t>(axis)];
    const bool halves = f_.description->signature.halves();
    if (halves && row.size() > 1)
      refuse(PyExc_ValueError, f_, "x is split into halves along one axis, not %zd", row.size());
    if (halves && length_ % 2 != 0) {
      refuse(PyExc_ValueError, f_, "x has %zd elements along axis; an even number is required", length_);
    }
    if (f_.description->nonempty && length_ == 0) {
      refuse(PyExc_ValueError, f_, "x has no element along axis; at least one is required");
    }
  }

  /// The axes of x that correspond to the dimensions of operand k.
  std::span<const int> axes_of(std::size_t k) const {
    return divisor(k) > 0 || keepdims_ ? axes_->all() : axes_->others();
  }
  Sizes sizes_of(std::size_t k, std::array<npy_intp, most_axes>& storage) const {
    const auto axes = axes_of(k);
    std::ranges::transform(axes, storage.begin(), [&](int axis) { return sizes()[static_cast<std::size_t>(axis)]; });
    const auto by = static_cast<npy_intp>(divisor(k));
    for (const int axis : axes.size() == sizes().size() ? axes_->row() : std::span<const int>()) {
      npy_intp& size = storage[static_cast<std::size_t>(axis)];
      size = by == 0 ? 1 : size / by;
    }
    return std::span(storage).first(axes.size());
  }

  void read(std::size_t k) {
    std::array<npy_intp, most_axes> storage;
    const Sizes wanted = sizes_of(k, storage);
    const bool is_label = f_.operand(k).role == Role::labels && !has_probabilities_;
    py::object& a = inputs_[k];
    if (is_label && !PyArray_ISINTEGER(array(a)) && PyArray_SIZE(array(a)) > 0) {
      refuse(PyExc_TypeError, f_, "%U must be integers or probabilities of %U's shape, not %S of shape %S", f_.names[k],
             f_.names[0], dtype_of(a), shape_of(a).ptr());
    }
    if (!std::ranges::equal(shape(a), wanted)) {
      const bool one_hot = is_label && std::ranges::equal(shape(a), sizes());
      refuse(PyExc_ValueError, f_, "%U has shape %S where %S is required; %U has %S%s", f_.names[k], shape_of(a).ptr(),
             as_tuple(wanted).ptr(), f_.names[0], shape_of(x()).ptr(),
             one_hot ? ". One-hot labels are probabilities, which must be floating-point numbers" : "");
    }
    if (is_label) a = checked_labels(a, k);
    arrays_[k].set(a, axes_of(k));
  }

  void read_ignored(PyObject* value) {
    if (value == nullptr || value == Py_None) return;
    if (PyBool_Check(value) || !PyIndex_Check(value)) {
      refuse(PyExc_TypeError, f_, "ignore_label must be an int or None, not %R", value);
    }
    if (has_probabilities_) refuse(PyExc_ValueError, f_, "ignore_label is for integer labels, not for probabilities");
    ignored_ = checked(PyNumber_Index(value));
  }
  /// Whether labels of this type can be the ignored one, which is then found as int64.
  bool may_be_ignored(const py::object& labels) {
    if (!ignored_) return false;
    const bool is_unsigned = PyArray_ISUNSIGNED(array(labels));
    int overflow = 0;
    ignored_label_ = PyLong_AsLongLongAndOverflow(ignored_.ptr(), &overflow);
    if (overflow == 0) return !is_unsigned || ignored_label_ >= 0;
    const unsigned long long label = PyLong_AsUnsignedLongLong(ignored_.ptr());
    if (PyErr_Occurred()) {
      PyErr_Clear();
      return false;
    }
    ignored_label_ = static_cast<std::int64_t>(label);
    return is_unsigned;
  }

  void read_smoothing(PyObject* value) {
    if (value == nullptr) return;
    smoothing_ = PyFloat_AsDouble(value);
    if (PyErr_Occurred()) {
      PyErr_Clear();
      refuse(PyExc_TypeError, f_, "label_smoothing must be a number, not %R", value);
    }
    if (!(smoothing_ >= 0 && smoothing_ <= 1)) {
      refuse(PyExc_ValueError, f_, "label_smoothing is %S; 0 <= label_smoothing <= 1 is required", value);
    }
  }

  void read_weights(PyObject* value) {
    const py::object a = as_array(value);
    if (!PyArray_CanCastSafely(type_of(a), NPY_LONGDOUBLE)) {
      refuse(PyExc_TypeError, f_, "weights must be real numbers, not %S", dtype_of(a));
    }
    if (shape(a).size() != 1 || shape(a)[0] != length_) {
      refuse(PyExc_ValueError, f_, "weights has shape %S where (%zd,) is required, one weight for each class",
             shape_of(a).ptr(), length_);
    }
    type_ == NPY_DOUBLE ? check_weights<double>(a, NPY_DOUBLE) : check_weights<float>(a, NPY_FLOAT);
  }
  template <class T>
  void check_weights(const py::object& a, int type) {
    weights_ = is_as_computed(a, type) && PyArray_IS_C_CONTIGUOUS(array(a))
                   ? a
                   : narrowed(doubles(converted(a, NPY_DOUBLE, NPY_ARRAY_C_CONTIGUOUS)), shape(a), type);
    const std::span all(static_cast<const T*>(PyArray_DATA(array(weights_))), static_cast<std::size_t>(length_));
    const auto wrong =
        std::ranges::find_if(all, [](T weight) { return !(weight >= 0 && weight <= std::numeric_limits<T>::max()); });
    if (wrong != all.end()) {
      refuse(PyExc_ValueError, f_, "weights contains %S; 0 <= weight < inf is required",
             py::object(a.attr("item")(wrong - all.begin())).ptr());
    }
  }

  py::object checked_labels(const py::object& a, std::size_t k) {
    const bool may_be = may_be_ignored(a);
    if (!may_be) ignored_ = {};
    py::object labels = converted(a, NPY_INT64, NPY_ARRAY_C_CONTIGUOUS);
    const std::span all(static_cast<const npy_int64*>(PyArray_DATA(array(labels))),
                        static_cast<std::size_t>(PyArray_SIZE(array(labels))));
    const auto wrong = std::ranges::find_if(
        all, [&](npy_int64 label) { return (label < 0 || label >= length_) && !(may_be && label == ignored_label_); });
    if (wrong != all.end()) {
      refuse(PyExc_ValueError, f_, "%U contains %S; 0 <= label < %zd is required", f_.names[k],
             py::object(a.attr("item")(wrong - all.begin())).ptr(), length_);
    }
    return labels;
  }

  void read_mask(PyObject* value) {
    mask_ = as_array(value);
    if (!PyArray_ISBOOL(array(mask_))) {
      refuse(PyExc_TypeError, f_, "where must be a bool or an array of them, not %S", dtype_of(mask_));
    }
    if (!broadcasts(mask_)) {
      refuse(PyExc_ValueError, f_, "where has shape %S, which does not broadcast to %U's %S", shape_of(mask_).ptr(),
             f_.names[0], shape_of(x()).ptr());
    }
    broadcast(mask_, arrays_[f_.operands()]);
  }

  bool broadcasts(py::handle a) const {
    const Sizes given = shape(a);
    return given.size() <= sizes().size() &&
           std::ranges::equal(given, sizes().last(given.size()),
                              [](npy_intp n, npy_intp m) { return n == 1 || n == m; });
  }
  /// Sets the strides of an array that broadcasts to x's shape.
  void broadcast(py::handle a, Strided& s) const {
    const std::size_t missing = sizes().size() - shape(a).size();
    s.set(a, axes_->all().subspan(missing));
    for (std::size_t i = 0; i < sizes().size(); ++i) {
      if (i < missing || shape(a)[i - missing] == 1) s.along[i] = 0;
    }
  }

  /// Creates output k.
  void prepare(std::size_t k) {
    std::array<npy_intp, most_axes> storage;
    const Sizes wanted = sizes_of(k, storage);
    PyObject* const given = outputs_[k - f_.inputs()];
    py::object &result = results_[k - f_.inputs()], &computed = computed_[k - f_.inputs()];
    if (given != nullptr) {
      check_output(given, wanted, type_);
      result = py::reinterpret_borrow<py::object>(given);
    }
    computed = given != nullptr && may_be_written(given) ? result : make_like(x(), axes_of(k), wanted, type_);
    arrays_[k].set(computed, axes_of(k));
    if (!result && !element_of(arrays_[k], k, sizes())) {
      computed = make_with_rows_last(*axes_, sizes(), type_);
      arrays_[k].set(computed, axes_of(k));
    }
    if (!result) result = computed;
  }

  /// Throws an exception if a result of this shape and type cannot be written to the array.
  void check_output(PyObject* out, Sizes wanted, int type) const {
    if (!std::ranges::equal(shape(out), wanted)) {
      refuse(PyExc_ValueError, f_, "out has shape %S where %S is required", shape_of(out).ptr(),
             as_tuple(wanted).ptr());
    }
    if (!PyArray_ISWRITEABLE(array(out))) refuse(PyExc_ValueError, f_, "out is read-only");
    const py::object from = dtype(type);
    if (!PyArray_CanCastTypeTo(descriptor(from), PyArray_DESCR(array(out)), NPY_SAME_KIND_CASTING)) {
      refuse(PyExc_TypeError, f_, "out has dtype %S, to which %S cannot be cast", dtype_of(out), from.ptr());
    }
  }

  /// Whether a kernel can compute in the memory of `out`, which may be that of an input, element for element.
  bool may_be_written(py::handle out) const {
    const auto is_safe = [out](const py::object& a) {
      if (!a || are_apart(a, out)) return true;
      return PyArray_DATA(array(a)) == PyArray_DATA(array(out)) && std::ranges::equal(shape(a), shape(out)) &&
             std::equal(PyArray_STRIDES(array(a)), PyArray_STRIDES(array(a)) + PyArray_NDIM(array(a)),
                        PyArray_STRIDES(array(out)));
    };
    return is_as_computed(out, type_) && std::ranges::all_of(inputs_, is_safe) && is_safe(mask_) &&
           (!weights_ || are_apart(weights_, out)) && std::ranges::all_of(computed_, is_safe);
  }

  /// The stride along the rows of array k, an operand or the mask, if there is one.
  std::optional<npy_intp> element_of(const Strided& array, std::size_t k, Sizes sizes) const {
    const bool has_rows = k == f_.operands() || divisor(k) > 0;
    return has_rows ? element_stride(array, axes_->row(), sizes) : 0;
  }

  /// Computes all rows. Where an array has no single stride along them, as many rows are copied at a time as stay in
  /// the second-level cache; an array that is one row is copied as a whole.
  void compute() const {
    constexpr npy_intp most = 1 << 16;  // elements
    const std::size_t count = f_.operands() + (mask_ ? 1 : 0);
    std::array<bool, most_arrays> is_copied = {};
    for (std::size_t k = 0; k < count; ++k) is_copied[k] = !element_of(arrays_[k], k, sizes());
    if (std::ranges::count(is_copied, true) == 0) return compute(sizes(), arrays_);

    const auto size_along = [&](int axis) { return sizes()[static_cast<std::size_t>(axis)]; };
    const auto others = axes_->others();
    const int longest = others.empty() ? 0 : *std::ranges::max_element(others, {}, size_along);
    const auto axis = static_cast<std::size_t>(longest);
    const npy_intp size = size_along(longest), beside = PyArray_SIZE(array(x())) / std::max<npy_intp>(1, size);
    const npy_intp step = others.empty() ? size : std::max<npy_intp>(1, most / std::max<npy_intp>(1, beside));
    npy_intp begin = 0;
    do {  // at least once, because rows may be empty
      std::array<npy_intp, most_axes> storage;
      std::ranges::copy(sizes(), storage.begin());
      storage[axis] = std::min(step, size - begin);
      const Sizes part = std::span(storage).first(sizes().size());
      std::array<Strided, most_arrays> arrays = arrays_;
      std::array<py::object, most_arrays> copies, originals;
      for (std::size_t k = 0; k < count; ++k) {
        arrays[k].data += begin * arrays[k].along[axis];
        if (!is_copied[k]) continue;
        const int type = k == f_.operands() ? NPY_BOOL : type_;
        originals[k] = view(arrays[k], part, type);
        copies[k] = make_with_rows_last(*axes_, part, type);
        if (k < f_.inputs() || k == f_.operands()) copy_into(copies[k], originals[k]);
        arrays[k].set(copies[k], axes_->all());
      }
      compute(part, arrays);
      for (std::size_t k = f_.inputs(); k < f_.operands(); ++k) {
        if (is_copied[k]) copy_into(originals[k], copies[k]);
      }
    } while ((begin += step) < size);
  }
  /// Computes the rows of arrays that have a single stride along them.
  void compute(Sizes sizes, std::span<const Strided> given) const {
    kernels::RowCall call = {};
    call.length = static_cast<std::size_t>(length_);
    call.rows_format = call.format = format_of(type_);
    call.ignored = ignored_ ? &ignored_label_ : nullptr;
    if (has_probabilities_ || weights_ || smoothing_ > 0) return compute_weighted(call, sizes, given);
    for (std::size_t k = 0; k < f_.operands(); ++k) call.operands[k].element = *element_of(given[k], k, sizes);
    if (mask_) call.mask.element = *element_of(given[f_.operands()], f_.operands(), sizes);
    const std::size_t count = f_.operands() + (mask_ ? 1 : 0);
    compute_rows(type_ == NPY_DOUBLE ? f_.f64 : f_.f32, call, f_.description->signature.halves(), *axes_, sizes,
                 given.first(count), mask_ ? &kernels::RowCall::mask : nullptr);
  }
  /// A cross-entropy of anything but plain labels; the operands of its kernels are in another order.
  void compute_weighted(kernels::RowCall call, Sizes sizes, std::span<const Strided> given) const {
    using kernels::RowFunction;
    const bool has_gradient = f_.operands() > 3, has_loss = f_.outputs() == 2;
    const std::size_t count = has_gradient ? 6 : 4;
    std::array<Strided, most_arrays> arrays;
    for (Strided& a : std::span(arrays).first(count)) {
      a.data = nullptr;
      std::fill_n(a.along.begin(), sizes.size(), 0);
    }
    const auto place = [&](std::size_t k, std::size_t at) {
      arrays[at].data = given[k].data;
      std::copy_n(given[k].along.begin(), sizes.size(), arrays[at].along.begin());
      if (at < count) call.operands[at].element = *element_of(given[k], k, sizes);
    };
    place(0, 0);
    place(1, has_probabilities_ ? 1 : count);
    if (weights_) {
      arrays[2].data = PyArray_BYTES(array(weights_));
      call.operands[2].element = PyArray_ITEMSIZE(array(weights_));
    }
    place(2, has_loss ? 4 : 3);
    if (has_gradient) place(3, 5);
    call.smoothing = smoothing_;
    const auto which =
        has_gradient ? RowFunction::weighted_cross_entropy_backward : RowFunction::weighted_cross_entropy;
    compute_rows(type_ == NPY_DOUBLE ? runtime::kernel<double>(which) : runtime::kernel<float>(which), call, false,
                 *axes_, sizes, std::span(arrays).first(count + (has_probabilities_ ? 0 : 1)),
                 has_probabilities_ ? nullptr : &kernels::RowCall::labels);
  }

  /// Output i, after it has been computed.
  py::object finished(std::size_t i) {
    if (!results_[i].is(computed_[i])) copy_into(results_[i], computed_[i]);
    computed_[i] = {};
    return outputs_[i] != nullptr ? results_[i] : as_result(std::move(results_[i]));
  }
};

/// Passes a call on to Python: elsewhere(name, arrays, {option: value}).
py::object call_elsewhere(const Function& f, const Arguments& given) {
  py::tuple arrays(f.inputs());
  py::dict options;
  for (std::size_t i = 0; i < f.count; ++i) {
    if (i < f.inputs()) {
      arrays[i] = py::handle(given[i]);
    } else if (given[i] != nullptr) {
      options[f.names[i]] = py::handle(given[i]);
    }
  }
  return py::handle(f.elsewhere)(f.name, arrays, options);
}

bool is_foreign(PyObject* value) { return value != nullptr && !is_numpys(value); }

py::object call_row_function(const Function& f, const Given& values) {
  Arguments given = {};
  const std::span names = std::span(f.names).first(f.count);
  const auto takes = [](std::size_t, PyObject*) { return true; };
  assign(f.name, names, f.out, values, given.data(), takes,
         [&](PyObject* keyword, PyObject*) { refuse(PyExc_TypeError, f, "no argument is called %R", keyword); });
  if (f.learns() && given[f.out - 1] == nullptr) given[f.out - 1] = f.parameter;
  require(f.name, names.first(f.inputs()), given.data());

  PyObject* const out = given[f.out];
  const bool is_tuple = out != nullptr && PyTuple_Check(out);
  bool foreign = is_foreign(given[f.where]) || is_foreign(given[f.weights]) || (!is_tuple && is_foreign(out));
  for (std::size_t k = 0; k < f.inputs(); ++k) foreign = foreign || is_foreign(given[k]);
  for (Py_ssize_t i = 0; is_tuple && i < PyTuple_GET_SIZE(out); ++i) {
    foreign = foreign || is_foreign(PyTuple_GET_ITEM(out, i));
  }
  if (foreign) return call_elsewhere(f, given);
  return f.learns() ? Call(f, given).of_learnable(given) : Call(f, given).of_rows(given);
}

std::array<Function, kernels::row_function_count> row_functions;

runtime::Parameter learnable_parameter(std::string_view backward) {
  const auto is_this = [=](const runtime::Description& d) { return d.function(kernels::Pass::backward) == backward; };
  return std::ranges::find_if(runtime::catalogue, is_this)->parameters[0];
}

/// The names of a function's arguments, and the places of its options among them.
void name_arguments(Function& f) {
  const auto add = [&f](const char* name) {
    f.names[f.count] = PyUnicode_InternFromString(name);
    return f.count++;
  };
  bool drops_axis = false, has_labels = false, learns = false;
  for (std::size_t k = 0; k < f.operands(); ++k) {
    const auto& [name, role, divisor] = f.operand(k);
    if (role == Role::parameter) {
      const auto [parameter, value] = learnable_parameter(f.description->name);
      add(parameter);
      if (value == value) f.parameter = py::float_(value).release().ptr();
    } else if (k < f.inputs()) {
      add(std::string(name).c_str());
    }
    drops_axis = drops_axis || divisor == 0;
    has_labels = has_labels || role == Role::labels;
    learns = learns || role == Role::sum;
  }
  if (!learns) {
    f.axis = add("axis");
    if (drops_axis && !has_labels) f.keepdims = add("keepdims");
    if (f.description->maskable) f.where = add("where");
    if (has_labels) {
      f.weights = add("weights");
      f.ignore_label = add("ignore_label");
      f.label_smoothing = add("label_smoothing");
    }
  }
  f.out = add("out");
}

}  // namespace

py::tuple describe_row_function(kernels::RowFunction which) {
  Function f = {};
  f.description = &runtime::describe(which);
  name_arguments(f);
  const auto core = [&f](std::size_t k) {
    const std::size_t divisor = f.operand(k).divisor;
    return py::str(divisor == 0 ? "" : divisor == 1 ? "n" : "m");
  };
  py::tuple inputs(f.inputs()), results(f.outputs()), arguments(f.count);
  for (std::size_t k = 0; k < f.inputs(); ++k) inputs[k] = py::make_tuple(f.operand(k).name, core(k));
  for (std::size_t k = 0; k < f.outputs(); ++k) results[k] = core(f.inputs() + k);
  for (std::size_t i = 0; i < f.count; ++i) arguments[i] = py::handle(f.names[i]);
  return py::make_tuple(f.description->name, inputs, results, arguments);
}

py::object make_row_function(kernels::RowFunction which, const std::string& documentation,
                             const py::object& elsewhere) {
  const auto index = static_cast<std::size_t>(which);
  Function& f = row_functions[index];
  f = {};
  f.description = &runtime::describe(which);
  f.f32 = runtime::kernel<float>(which);
  f.f64 = runtime::kernel<double>(which);
  f.name = f.description->name;
  f.documentation = documentation;
  f.elsewhere = elsewhere.inc_ref().ptr();
  name_arguments(f);
  return make_built_in(f, entry_points<row_functions, call_row_function>[index]);
}

}  // namespace fastact::numpy
