// The C++ functions of rows.
#include <fastact/fastact.hpp>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <vector>

#include "api/channels.hpp"
#include "api/cross_entropy.hpp"
#include "runtime/catalogue.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/elements.hpp"
#include "runtime/rows.hpp"

namespace fastact {
namespace {

using kernels::RowCall;
using kernels::RowFunction;

/// The memory of an argument.
struct Argument {
  const void* data;
  std::size_t size, item;

  template <class U>
  Argument(std::span<U> span) : data(span.data()), size(span.size()), item(sizeof(U)) {}
};

template <class T>
RowCall row_call(std::size_t length) {
  RowCall call = {};
  call.length = length;
  call.rows_format = call.format = runtime::format<T>;
  return call;
}

void check_labels(const char* function, std::span<const std::int64_t> labels, std::size_t length,
                  std::optional<std::int64_t> ignored = {}) {
  for (const std::int64_t label : labels) {
    if ((label < 0 || static_cast<std::size_t>(label) >= length) && label != ignored) {
      api::refuse(function, "labels contains " + std::to_string(label) + "; 0 <= label < " + std::to_string(length) +
                                " is required");
    }
  }
}

/// The number of slices, each of which has rows along the axis.
std::size_t outer_of(const char* function, std::size_t size, Axis axis) {
  const std::size_t slice = axis.length * axis.inner;
  if (slice == 0 ? size != 0 : size % slice != 0) {
    api::refuse(function, "x has " + std::to_string(size) + " elements; a multiple of length * inner = " +
                              std::to_string(axis.length) + " * " + std::to_string(axis.inner) + " is required");
  }
  return slice == 0 ? 0 : size / slice;
}

void check_size(const char* function, std::string_view argument, std::size_t size, std::size_t expected) {
  if (size == expected) return;
  api::refuse(function,
              std::string(argument) + " has " + std::to_string(size) + " elements, not " + std::to_string(expected));
}

/// Computes a row function; the arguments are in the order of its signature, and there may be a mask.
template <class T>
void compute(RowFunction which, Axis axis, std::initializer_list<Argument> arguments,
             std::optional<std::span<const std::uint8_t>> where = {}) {
  const runtime::RowDescription& function = runtime::describe(which);
  const auto [length, inner] = axis;
  const std::size_t outer = outer_of(function.name, arguments.begin()->size, axis);
  if (function.signature.halves() && length % 2 != 0) {
    api::refuse(function.name, "the axis' length " + std::to_string(length) + " is odd");
  }
  std::array<std::size_t, kernels::most_operands> lengths = {};  // the lengths of the operands' rows
  for (std::size_t k = 0; k < arguments.size(); ++k) {
    const Argument& a = arguments.begin()[k];
    const runtime::RowOperand& operand = function.signature.operands[k];
    lengths[k] = operand.divisor == 0 ? 1 : length / operand.divisor;
    check_size(function.name, operand.name, a.size, outer * inner * lengths[k]);
    if (operand.role == runtime::Role::labels) {
      check_labels(function.name, {static_cast<const std::int64_t*>(a.data), a.size}, length);
    }
  }
  if (where) check_size(function.name, "where", where->size(), outer * inner * length);
  // Contiguous rows need one call. Interleaved rows need one call for each index before the axis.
  const std::size_t calls = inner == 1 ? 1 : outer, rows = inner == 1 ? outer : inner;
  for (std::size_t o = 0; o < calls; ++o) {
    RowCall call = row_call<T>(length);
    const auto operand = [&](const Argument& a, std::size_t elements) {
      const auto item = static_cast<std::ptrdiff_t>(a.item);
      return kernels::Operand{static_cast<char*>(const_cast<void*>(a.data)) + o * inner * elements * a.item,
                              inner == 1 ? static_cast<std::ptrdiff_t>(elements) * item : item,
                              static_cast<std::ptrdiff_t>(inner) * item};
    };
    for (std::size_t k = 0; k < arguments.size(); ++k) call.operands[k] = operand(arguments.begin()[k], lengths[k]);
    if (where) call.mask = operand(*where, length);
    runtime::run(runtime::kernel<T>(which), call, rows, function.signature.halves());
  }
}

/// Rows of x. All numbers are in elements: `stride` is the distance between rows, `element` that between the elements
/// of a row.
struct Rows {
  std::size_t begin, count, stride, length, element;
};

/// The gradients of f(x, p) with respect to x and p, where x is [outer][p.size()][inner].
template <class T>
void learn(RowFunction which, std::span<const T> x, std::span<const T> g, std::span<const T> p, std::span<T> dx,
           std::span<T> dp, std::size_t given_inner) {
  const runtime::RowDescription& function = runtime::describe(which);
  const auto [outer, channels, inner] = api::ChannelLayout(function.name, x.size(), p.size(), given_inner);
  const std::size_t slice = channels * inner;
  if (g.size() != x.size() || dx.size() != x.size()) api::refuse(function.name, "x, g and dx differ in size");
  if (dp.size() != p.size()) api::refuse(function.name, "the parameter and its gradient differ in size");
  std::vector<double> total(channels), sums;
  /// Computes rows whose parameters begin at this channel, with one parameter for each row or one for all; fills
  /// `sums`.
  const auto compute_rows = [&](const Rows& rows, std::size_t channel) {
    sums.assign(rows.count, 0.0);
    constexpr auto item = static_cast<std::ptrdiff_t>(sizeof(T));
    const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(rows.stride) * item;
    const std::ptrdiff_t element = static_cast<std::ptrdiff_t>(rows.element) * item;
    RowCall call = row_call<T>(rows.length);
    call.operands = {{{const_cast<T*>(x.data()) + rows.begin, row, element},
                      {const_cast<T*>(g.data()) + rows.begin, row, element},
                      {const_cast<T*>(p.data()) + channel, rows.count == channels ? item : 0, 0},
                      {dx.data() + rows.begin, row, element},
                      {sums.data(), sizeof(double), 0}}};
    runtime::run(runtime::kernel<T>(which), call, rows.count, false);
  };
  // Elements share a parameter along two directions. Rows lie along the longer one, and their sums are added along the
  // other.
  if (inner >= outer) {
    for (std::size_t o = 0; o < outer; ++o) {
      compute_rows({.begin = o * slice, .count = channels, .stride = inner, .length = inner, .element = 1}, 0);
      for (std::size_t k = 0; k < channels; ++k) total[k] += sums[k];
    }
  } else {
    for (std::size_t k = 0; k < (inner == 1 ? 1 : channels); ++k) {
      const std::size_t count = inner == 1 ? channels : inner;
      compute_rows({.begin = k * inner, .count = count, .stride = 1, .length = outer, .element = slice}, k);
      for (std::size_t i = 0; i < count; ++i) total[inner == 1 ? i : k] += sums[i];
    }
  }
  std::ranges::transform(total, dp.begin(), [](double sum) { return static_cast<T>(sum); });
}

template <class T>
void check_options(const char* function, const api::CrossEntropyCall<T>& call) {
  const auto& [weights, ignored, smoothing] = call.options;
  const std::size_t length = call.axis.length, rows = outer_of(function, call.x.size(), call.axis) * call.axis.inner;
  if (call.labels.has_value() == call.probabilities.has_value()) {
    api::refuse(function, "either labels or probabilities are required");
  }
  if (ignored && !call.labels) api::refuse(function, "ignore_label is for labels, not for probabilities");
  if (!(smoothing >= 0 && smoothing <= 1)) {
    api::refuse(function, "label_smoothing = " + std::to_string(smoothing) +
                              " is not allowed; 0 <= label_smoothing <= 1 is required");
  }
  if (!weights.empty()) check_size(function, "weights", weights.size(), length);
  for (const T weight : weights) {
    if (!(weight >= 0 && weight <= std::numeric_limits<T>::max())) {
      api::refuse(function, "weights contains " + std::to_string(weight) + "; 0 <= weight < inf is required");
    }
  }
  if (call.probabilities) check_size(function, "labels", call.probabilities->size(), call.x.size());
  if (call.labels) check_size(function, "labels", call.labels->size(), rows);
  if (call.g) check_size(function, "g", call.g->size(), rows);
  if (call.loss) check_size(function, "loss", call.loss->size(), rows);
  if (call.dx) check_size(function, "dx", call.dx->size(), call.x.size());
  if (call.labels) check_labels(function, *call.labels, length, ignored);
}

template <class T>
void compute_cross_entropy(const char* function, const api::CrossEntropyCall<T>& given) {
  check_options(function, given);
  const auto& [weights, ignored, smoothing] = given.options;
  const auto [length, inner] = given.axis;
  const std::size_t outer = outer_of(function, given.x.size(), given.axis);
  const std::size_t calls = inner == 1 ? 1 : outer, rows = inner == 1 ? outer : inner;
  for (std::size_t o = 0; o < calls; ++o) {
    RowCall call = row_call<T>(length);
    call.ignored = ignored ? &*ignored : nullptr;
    call.smoothing = smoothing;
    /// An array with so many elements for each row.
    const auto operand = [&]<class U>(std::optional<std::span<U>> a, std::size_t elements) {
      if (!a) return kernels::Operand{};
      constexpr auto item = static_cast<std::ptrdiff_t>(sizeof(U));
      return kernels::Operand{const_cast<std::remove_const_t<U>*>(a->data()) + o * inner * elements,
                              inner == 1 ? static_cast<std::ptrdiff_t>(elements) * item : item,
                              elements == 1 ? 0 : static_cast<std::ptrdiff_t>(inner) * item};
    };
    const auto run = [&](RowFunction which, std::initializer_list<kernels::Operand> operands) {
      std::ranges::copy(operands, call.operands.begin());
      runtime::run(runtime::kernel<T>(which), call, rows, false);
    };
    const kernels::Operand x = operand(std::optional(given.x), length), targets = operand(given.probabilities, length),
                           labels = operand(given.labels, 1), g = operand(given.g, 1), loss = operand(given.loss, 1),
                           dx = operand(given.dx, length);
    if (given.probabilities || !weights.empty() || smoothing > 0) {
      call.labels = labels;
      kernels::Operand w = {};
      if (!weights.empty()) w = {const_cast<T*>(weights.data()), 0, sizeof(T)};
      if (given.dx) {
        run(RowFunction::weighted_cross_entropy_backward, {x, targets, w, g, loss, dx});
      } else if (given.loss) {
        run(RowFunction::weighted_cross_entropy, {x, targets, w, loss});
      }
    } else if (given.loss && given.dx && !given.g) {
      run(RowFunction::softmax_cross_entropy_with_gradient, {x, labels, loss, dx});
    } else {
      if (given.loss) run(RowFunction::softmax_cross_entropy, {x, labels, loss});
      if (given.dx) run(RowFunction::softmax_cross_entropy_backward, {x, labels, g, dx});
    }
  }
}

template <class T, class... Spans>
void call(RowFunction which, Axis axis, Spans... arguments) {
  compute<T>(which, axis, {arguments...});
}
template <class T, class... Spans>
void call(std::span<const std::uint8_t> where, RowFunction which, Axis axis, Spans... arguments) {
  compute<T>(which, axis, {arguments...}, where);
}
template <class T, class... Spans>
void call(RowFunction which, std::size_t inner, Spans... arguments) {
  learn<T>(which, arguments..., inner);
}

}  // namespace

#define FASTACT_DEFINE_FOR(T, name, parameters, ...) \
  void name parameters { call<T>(RowFunction::name, __VA_ARGS__); }
#define FASTACT_DEFINE(form, name) \
  FASTACT_FORM_##form(FASTACT_DEFINE_FOR, float, name) FASTACT_FORM_##form(FASTACT_DEFINE_FOR, double, name)
#define FASTACT_INNER std::size_t inner
FASTACT_ROWWISE(FASTACT_DEFINE)

#define FASTACT_DEFINE_WHERE_FOR(T, name, parameters, ...) \
  void name FASTACT_MASKED parameters { call<T>(where, RowFunction::name, __VA_ARGS__); }
#define FASTACT_DEFINE_WHERE(form, name) \
  FASTACT_FORM_##form(FASTACT_DEFINE_WHERE_FOR, float, name) FASTACT_FORM_##form(FASTACT_DEFINE_WHERE_FOR, double, name)
FASTACT_MASKABLE(FASTACT_DEFINE_WHERE)

#define FASTACT_DEFINE_OPTIONS(T, L, kind)                                                                        \
  void softmax_cross_entropy(std::span<const T> x, std::span<const L> labels, std::span<T> loss, Axis axis,       \
                             const CrossEntropy<T>& options) {                                                    \
    compute_cross_entropy<T>("softmax_cross_entropy",                                                             \
                             {.x = x, .axis = axis, .options = options, .kind = labels, .loss = loss});           \
  }                                                                                                               \
  void softmax_cross_entropy_backward(std::span<const T> x, std::span<const L> labels, std::span<const T> g,      \
                                      std::span<T> dx, Axis axis, const CrossEntropy<T>& options) {               \
    compute_cross_entropy<T>("softmax_cross_entropy_backward",                                                    \
                             {.x = x, .axis = axis, .options = options, .kind = labels, .g = g, .dx = dx});       \
  }                                                                                                               \
  void softmax_cross_entropy_with_gradient(std::span<const T> x, std::span<const L> labels, std::span<T> loss,    \
                                           std::span<T> dx, Axis axis, const CrossEntropy<T>& options) {          \
    compute_cross_entropy<T>("softmax_cross_entropy_with_gradient",                                               \
                             {.x = x, .axis = axis, .options = options, .kind = labels, .loss = loss, .dx = dx}); \
  }
FASTACT_DEFINE_OPTIONS(float, std::int64_t, labels)
FASTACT_DEFINE_OPTIONS(double, std::int64_t, labels)
FASTACT_DEFINE_OPTIONS(float, float, probabilities)
FASTACT_DEFINE_OPTIONS(double, double, probabilities)

void api::compute(const CrossEntropyCall<float>& call, const char* function) { compute_cross_entropy(function, call); }
void api::compute(const CrossEntropyCall<double>& call, const char* function) { compute_cross_entropy(function, call); }

}  // namespace fastact
