#pragma once

#include <fastact/list.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

/// Activation functions, forward and backward, on contiguous float and double data.
///
///     std::vector<float> x(n), g(n), y(n), dx(n);
///     fastact::gelu(x, y);               // y = f(x)
///     fastact::gelu_backward(x, g, dx);  // dx = g f'(x)
///     fastact::leaky_relu(x, y, 0.2);    // parameters follow, with defaults
///
/// The output may be an input (in place); any other overlap is undefined. Sizes that differ and impossible parameters
/// throw std::invalid_argument, and nothing is written. Formulas, defaults, accuracy and special values are those of
/// the Python functions of the same names.
namespace fastact {

#define FASTACT_PARAMETER(name, ...) , double name __VA_OPT__(=) __VA_ARGS__
#define FASTACT_DECLARE_FORWARD(name, ...)                                                                        \
  void name(std::span<const float> x, std::span<float> y FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)); \
  void name(std::span<const double> x, std::span<double> y FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__));
#define FASTACT_DECLARE_BACKWARD(name, ...)                                                         \
  void name##_backward(std::span<const float> x, std::span<const float> g,                          \
                       std::span<float> dx FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)); \
  void name##_backward(std::span<const double> x, std::span<const double> g,                        \
                       std::span<double> dx FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__));
FASTACT_ACTIVATIONS(FASTACT_DECLARE_FORWARD)
FASTACT_ACTIVATIONS(FASTACT_DECLARE_BACKWARD)
FASTACT_LEARNABLE(FASTACT_DECLARE_FORWARD)
#undef FASTACT_DECLARE_FORWARD
#undef FASTACT_DECLARE_BACKWARD
#undef FASTACT_PARAMETER

/// Where the rows of an array lie: it is [outer][length][inner] in C order, a row along the middle, and outer follows
/// from the size. An array of single numbers, one to a row, is [outer][inner].
struct Axis {
  std::size_t length;
  std::size_t inner = 1;
};

// Functions of rows, by their form: softmax(x, y, {.length = 10}), with rows that follow one another.
#define FASTACT_FORM_MAP(name, T) void name(std::span<const T> x, std::span<T> y, Axis axis);
#define FASTACT_FORM_MAP_BACKWARD(name, T) \
  void name(std::span<const T> x_or_y, std::span<const T> g, std::span<T> dx, Axis axis);
#define FASTACT_FORM_REDUCE(name, T) FASTACT_FORM_MAP(name, T)
#define FASTACT_FORM_REDUCE_BACKWARD(name, T) \
  void name(std::span<const T> x, std::span<const T> g, std::span<T> dx, Axis axis);
#define FASTACT_FORM_GATE(name, T) FASTACT_FORM_MAP(name, T)
#define FASTACT_FORM_GATE_BACKWARD(name, T) FASTACT_FORM_REDUCE_BACKWARD(name, T)
#define FASTACT_FORM_LABEL(name, T) \
  void name(std::span<const T> x, std::span<const std::int64_t> labels, std::span<T> loss, Axis axis);
#define FASTACT_FORM_LABEL_BACKWARD(name, T)                                                                   \
  void name(std::span<const T> x, std::span<const std::int64_t> labels, std::span<const T> g, std::span<T> dx, \
            Axis axis);
// A learned parameter has one element for each index along the middle of x, [outer][parameter.size()][inner]; its
// gradient is summed over all other indices.
#define FASTACT_DECLARE_LEARNABLE(name, ...)                                                                        \
  void name(std::span<const float> x, std::span<const float> parameter, std::span<float> y, std::size_t inner = 1); \
  void name(std::span<const double> x, std::span<const double> parameter, std::span<double> y, std::size_t inner = 1);
FASTACT_LEARNABLE(FASTACT_DECLARE_LEARNABLE)
#undef FASTACT_DECLARE_LEARNABLE
#define FASTACT_FORM_LEARN(name, T)                                                                    \
  void name(std::span<const T> x, std::span<const T> g, std::span<const T> parameter, std::span<T> dx, \
            std::span<T> dparameter, std::size_t inner = 1);
#define FASTACT_DECLARE(form, name) FASTACT_FORM_##form(name, float) FASTACT_FORM_##form(name, double)
FASTACT_ROWWISE(FASTACT_DECLARE)
#undef FASTACT_DECLARE

/// Threads a call may use; by default what OpenMP says, or FASTACT_NUM_THREADS. std::invalid_argument unless n >= 1.
void set_num_threads(int n);
int get_num_threads();

/// Instruction sets this processor can run, best first.
std::vector<std::string_view> instruction_sets();
/// The one in use: the best, or what FASTACT_ISA names.
std::string_view instruction_set();
/// std::invalid_argument unless name is among instruction_sets().
void set_instruction_set(std::string_view name);

}  // namespace fastact
