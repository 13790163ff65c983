#include <fastact/fastact.hpp>

#include <algorithm>
#include <array>
#include <cstdio>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <vector>

#include "runtime/dispatch.hpp"
#include "runtime/rows.hpp"
#include "runtime/streaming.hpp"
#include "runtime/threads.hpp"
#include "simd/environment.hpp"

namespace fastact {

std::string violation(const Description& activation, Pass pass, const double* parameters) {
  std::string text = activation.function(pass) + ":";
  for (std::size_t i = 0; i < activation.parameter_count; ++i) {
    char value[32];
    std::snprintf(value, sizeof value, " = %.17g", parameters[i]);
    text.append(i == 0 ? " " : ", ").append(activation.parameters[i].name).append(value);
  }
  return text + " is not allowed; " + activation.constraints[static_cast<std::size_t>(pass)].text + " is required";
}

namespace {

template <class T>
void call(Activation which, Pass pass, std::initializer_list<std::span<const T>> arrays, std::span<T> out,
          std::initializer_list<double> parameters) {
  const Description& activation = catalogue[static_cast<std::size_t>(which)];
  constexpr std::array<const char*, 2> names = {"x", "g"};
  std::array<const void*, names.size() + most_parameters> inputs = {};
  std::size_t i = 0;
  for (const std::span<const T> array : arrays) {
    if (array.size() != out.size()) {
      throw std::invalid_argument(activation.function(pass) + ": " + names[i] + " has " + std::to_string(array.size()) +
                                  " elements, the output " + std::to_string(out.size()));
    }
    inputs[i++] = array.data();
  }
  const Constraint constraint = activation.constraints[static_cast<std::size_t>(pass)];
  if (constraint.holds != nullptr && !constraint.holds(parameters.begin())) {
    throw std::invalid_argument(violation(activation, pass, parameters.begin()));
  }
  std::array<T, most_parameters> values = {};
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    values[k] = static_cast<T>(parameters.begin()[k]);
    inputs[i + k] = &values[k];
  }
  const Kernel kernel = fastact::kernel<T>(which, pass);
  const bool streaming = streams(std::span(inputs).first(arrays.size()), out.data(), out.size(), sizeof(T));
  split(out.size(), {activation.cost<T>()}, [&](std::size_t begin, std::size_t end) {
    const simd::FloatEnvironment clean;
    auto from = inputs;
    for (std::size_t k = 0; k < arrays.size(); ++k) from[k] = static_cast<const T*>(inputs[k]) + begin;
    kernel(from.data(), out.data() + begin, end - begin, {.uniform = true, .streaming = streaming});
  });
}

template <class T>
constexpr Format format = std::is_same_v<T, float> ? Format::f32 : Format::f64;

/// An argument of a function of rows: `along` elements to a row, or one number where it is 0.
struct Argument {
  const char* name;
  const void* data;
  std::size_t size, item, along;
};

template <class T>
Argument argument(const char* name, std::span<T> data, std::size_t along) {
  return {name, data.data(), data.size(), sizeof(T), along};
}

[[noreturn]] void refuse(const std::string& function, const std::string& what) {
  throw std::invalid_argument(function + ": " + what);
}

template <class T>
void call(RowFunction which, Axis axis, std::initializer_list<Argument> arguments,
          std::span<const std::int64_t> labels = {}) {
  const RowDescription& function = row_catalogue[static_cast<std::size_t>(which)];
  const auto [length, inner] = axis;
  const std::size_t size = arguments.begin()->size, slice = length * inner;
  if (slice == 0 ? size != 0 : size % slice != 0) {
    refuse(function.name, "x has " + std::to_string(size) + " elements, not a multiple of the axis' " +
                              std::to_string(length) + " times " + std::to_string(inner));
  }
  if (function.gated && length % 2 != 0)
    refuse(function.name, "the axis' length " + std::to_string(length) + " is odd");
  const std::size_t outer = slice == 0 ? 0 : size / slice;
  for (const Argument& a : arguments) {
    const std::size_t expected = outer * inner * (a.along == 0 ? 1 : a.along);
    if (a.size != expected) {
      refuse(function.name,
             std::string(a.name) + " has " + std::to_string(a.size) + " elements, not " + std::to_string(expected));
    }
  }
  for (const std::int64_t label : labels) {
    if (label < 0 || static_cast<std::size_t>(label) >= length) {
      refuse(function.name,
             "labels has " + std::to_string(label) + "; 0 <= label < " + std::to_string(length) + " is required");
    }
  }
  // Rows that follow one another are one call, rows side by side one for each index before the axis.
  const std::size_t calls = inner == 1 ? 1 : outer, rows = inner == 1 ? outer : inner;
  for (std::size_t o = 0; o < calls; ++o) {
    RowCall c = {};
    c.length = length;
    c.rows_format = c.format = format<T>;
    for (std::size_t k = 0; k < arguments.size(); ++k) {
      const Argument& a = arguments.begin()[k];
      const std::size_t along = std::max<std::size_t>(a.along, 1);
      const auto item = static_cast<std::ptrdiff_t>(a.item);
      c.operands[k] = {static_cast<char*>(const_cast<void*>(a.data)) + o * inner * along * a.item,
                       inner == 1 ? static_cast<std::ptrdiff_t>(along) * item : item,
                       static_cast<std::ptrdiff_t>(inner) * item};
    }
    run(kernel<T>(which), c, rows, function.gated);
  }
}

/// How x, [outer][channels][inner], lies around a parameter's channels; inner is all of x where there is one channel.
struct Channels {
  std::size_t outer, channels, inner;

  Channels(const std::string& function, std::size_t size, std::size_t parameter, std::size_t given_inner)
      : channels(parameter), inner(parameter == 1 ? size : given_inner) {
    const std::size_t slice = channels * inner;
    if (slice == 0 ? size != 0 : size % slice != 0) {
      refuse(function, "x has " + std::to_string(size) + " elements, not a multiple of the parameter's " +
                           std::to_string(channels) + " times " + std::to_string(inner));
    }
    outer = slice == 0 ? 0 : size / slice;
  }
};

template <class T>
void call(Activation which, std::span<const T> x, std::span<const T> p, std::span<T> y, std::size_t given_inner) {
  const Description& activation = catalogue[static_cast<std::size_t>(which)];
  const auto [outer, channels, inner] = Channels(std::string(activation.name), x.size(), p.size(), given_inner);
  if (y.size() != x.size()) refuse(std::string(activation.name), "x and the output differ in size");
  const Kernel kernel = fastact::kernel<T>(which, Pass::forward);
  // One call for all channels where they lie side by side, else one for each.
  const std::size_t count = inner == 1 ? channels : inner;
  const auto some = [&](std::size_t begin, std::size_t end) {
    const simd::FloatEnvironment clean;
    for (std::size_t i = begin; i < end; ++i) {
      const T* const parameter = p.data() + (inner == 1 ? 0 : i % channels);
      const std::array<const void*, 2> inputs = {x.data() + i * count, parameter};
      kernel(inputs.data(), y.data() + i * count, count, {.uniform = inner != 1, .streaming = false});
    }
  };
  split(inner == 1 ? outer : outer * channels, {.cost = count * activation.cost<T>(), .border = 1}, some);
}

/// The gradients of f(x, p) for x and for p, x being [outer][p.size()][inner].
template <class T>
void learn(RowFunction which, std::span<const T> x, std::span<const T> g, std::span<const T> p, std::span<T> dx,
           std::span<T> dp, std::size_t given_inner) {
  const RowDescription& function = row_catalogue[static_cast<std::size_t>(which)];
  const auto [outer, channels, inner] = Channels(function.name, x.size(), p.size(), given_inner);
  const std::size_t slice = channels * inner;
  if (g.size() != x.size() || dx.size() != x.size()) refuse(function.name, "x, g and dx differ in size");
  if (dp.size() != p.size()) refuse(function.name, "the parameter and its gradient differ in size");
  const RowKernel kernel = fastact::kernel<T>(which);
  std::vector<double> total(channels), sums;
  const auto rows = [&](std::size_t begin, std::size_t first, std::size_t count, std::size_t stride, std::size_t length,
                        std::size_t element) {
    sums.assign(count, 0.0);
    constexpr auto item = static_cast<std::ptrdiff_t>(sizeof(T));
    const std::ptrdiff_t row = static_cast<std::ptrdiff_t>(stride) * item;
    const std::ptrdiff_t next = static_cast<std::ptrdiff_t>(element) * item;
    RowCall c = {};
    c.length = length;
    c.rows_format = c.format = format<T>;
    c.operands = {{{const_cast<T*>(x.data()) + begin, row, next},
                   {const_cast<T*>(g.data()) + begin, row, next},
                   {const_cast<T*>(p.data()) + first, count == channels ? item : 0, 0},
                   {dx.data() + begin, row, next},
                   {sums.data(), sizeof(double), 0}}};
    run(kernel, c, count, false);
  };
  // A row is the longer way along which the parameter is shared; what the rows of the other add is summed here.
  if (inner >= outer) {
    for (std::size_t o = 0; o < outer; ++o) {
      rows(o * slice, 0, channels, inner, inner, 1);
      for (std::size_t k = 0; k < channels; ++k) total[k] += sums[k];
    }
  } else {
    for (std::size_t k = 0; k < (inner == 1 ? 1 : channels); ++k) {
      const std::size_t count = inner == 1 ? channels : inner;
      rows(k * inner, k, count, 1, outer, slice);
      for (std::size_t i = 0; i < count; ++i) total[inner == 1 ? i : k] += sums[i];
    }
  }
  std::ranges::transform(total, dp.begin(), [](double sum) { return static_cast<T>(sum); });
}

}  // namespace

#define FASTACT_PARAMETER(name, ...) , double name
#define FASTACT_ARGUMENT(name, ...) name,
#define FASTACT_DEFINE_FORWARD(T, name, ...)                                                                   \
  void name(std::span<const T> x, std::span<T> y FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)) {     \
    call<T>(Activation::name, Pass::forward, {x}, y, {FASTACT_EACH_PARAMETER(FASTACT_ARGUMENT, __VA_ARGS__)}); \
  }
#define FASTACT_DEFINE_BACKWARD(T, name, ...)                                                                       \
  void name##_backward(std::span<const T> x, std::span<const T> g,                                                  \
                       std::span<T> dx FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)) {                    \
    call<T>(Activation::name, Pass::backward, {x, g}, dx, {FASTACT_EACH_PARAMETER(FASTACT_ARGUMENT, __VA_ARGS__)}); \
  }
#define FASTACT_FORWARD(...)                 \
  FASTACT_DEFINE_FORWARD(float, __VA_ARGS__) \
  FASTACT_DEFINE_FORWARD(double, __VA_ARGS__)
#define FASTACT_BACKWARD(...)                 \
  FASTACT_DEFINE_BACKWARD(float, __VA_ARGS__) \
  FASTACT_DEFINE_BACKWARD(double, __VA_ARGS__)
FASTACT_ACTIVATIONS(FASTACT_FORWARD)
FASTACT_ACTIVATIONS(FASTACT_BACKWARD)
FASTACT_LEARNABLE(FASTACT_FORWARD)

#define FASTACT_DEFINE_LEARNABLE_FOR(name, T)                                                        \
  void name(std::span<const T> x, std::span<const T> parameter, std::span<T> y, std::size_t inner) { \
    call<T>(Activation::name, x, parameter, y, inner);                                               \
  }
#define FASTACT_DEFINE_LEARNABLE(name, ...) \
  FASTACT_DEFINE_LEARNABLE_FOR(name, float) FASTACT_DEFINE_LEARNABLE_FOR(name, double)
FASTACT_LEARNABLE(FASTACT_DEFINE_LEARNABLE)

#define FASTACT_DEFINE_MAP(name, T)                                                                            \
  void name(std::span<const T> x, std::span<T> y, Axis axis) {                                                 \
    call<T>(RowFunction::name, axis, {argument("x", x, axis.length), argument("the output", y, axis.length)}); \
  }
#define FASTACT_DEFINE_MAP_BACKWARD(name, T)                                                                  \
  void name(std::span<const T> x, std::span<const T> g, std::span<T> dx, Axis axis) {                         \
    call<T>(RowFunction::name, axis,                                                                          \
            {argument("x", x, axis.length), argument("g", g, axis.length), argument("dx", dx, axis.length)}); \
  }
#define FASTACT_DEFINE_REDUCE(name, T)                                                               \
  void name(std::span<const T> x, std::span<T> y, Axis axis) {                                       \
    call<T>(RowFunction::name, axis, {argument("x", x, axis.length), argument("the output", y, 0)}); \
  }
#define FASTACT_DEFINE_REDUCE_BACKWARD(name, T)                                                     \
  void name(std::span<const T> x, std::span<const T> g, std::span<T> dx, Axis axis) {               \
    call<T>(RowFunction::name, axis,                                                                \
            {argument("x", x, axis.length), argument("g", g, 0), argument("dx", dx, axis.length)}); \
  }
#define FASTACT_DEFINE_GATE(name, T)                                                                               \
  void name(std::span<const T> x, std::span<T> y, Axis axis) {                                                     \
    call<T>(RowFunction::name, axis, {argument("x", x, axis.length), argument("the output", y, axis.length / 2)}); \
  }
#define FASTACT_DEFINE_GATE_BACKWARD(name, T)                                                                     \
  void name(std::span<const T> x, std::span<const T> g, std::span<T> dx, Axis axis) {                             \
    call<T>(RowFunction::name, axis,                                                                              \
            {argument("x", x, axis.length), argument("g", g, axis.length / 2), argument("dx", dx, axis.length)}); \
  }
#define FASTACT_DEFINE_LABEL(name, T)                                                                           \
  void name(std::span<const T> x, std::span<const std::int64_t> labels, std::span<T> loss, Axis axis) {         \
    call<T>(RowFunction::name, axis,                                                                            \
            {argument("x", x, axis.length), argument("labels", labels, 0), argument("loss", loss, 0)}, labels); \
  }
#define FASTACT_DEFINE_LABEL_BACKWARD(name, T)                                                                 \
  void name(std::span<const T> x, std::span<const std::int64_t> labels, std::span<const T> g, std::span<T> dx, \
            Axis axis) {                                                                                       \
    call<T>(RowFunction::name, axis,                                                                           \
            {argument("x", x, axis.length), argument("labels", labels, 0), argument("g", g, 0),                \
             argument("dx", dx, axis.length)},                                                                 \
            labels);                                                                                           \
  }
#define FASTACT_DEFINE_LEARN(name, T)                                                                  \
  void name(std::span<const T> x, std::span<const T> g, std::span<const T> parameter, std::span<T> dx, \
            std::span<T> dparameter, std::size_t inner) {                                              \
    learn<T>(RowFunction::name, x, g, parameter, dx, dparameter, inner);                               \
  }
#define FASTACT_DEFINE(form, name) FASTACT_DEFINE_##form(name, float) FASTACT_DEFINE_##form(name, double)
FASTACT_ROWWISE(FASTACT_DEFINE)

}  // namespace fastact
