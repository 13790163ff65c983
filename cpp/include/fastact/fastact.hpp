// The C++ interface of fastact.
#pragma once

#include <fastact/list.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

/// Activation functions, forward and backward, on contiguous float and double data.
///
///     std::vector<float> x(n), g(n), y(n), dx(n);
///     fastact::gelu(x, y);               // y = f(x)
///     fastact::gelu_backward(x, g, dx);  // dx = g f'(x)
///     fastact::leaky_relu(x, y, 0.2);    // parameters follow, with defaults
///     fastact::silu_gate(a, b, y);       // y = f(a) b
///     fastact::sigmoid_cross_entropy(x, t, y);  // a loss of logits and targets
///     fastact::dropout(x, y, 0.1, seed);        // a tenth of x becomes 0
///     fastact::softmax(x, y, {.length = 10});  // rows of 10 that follow one another; see Axis
///     fastact::layer_norm(x, gamma, beta, y, {.length = 10});
///
/// The output may be an input of its size (in place); any other overlap is undefined. If sizes differ or a parameter is
/// not allowed, a function throws std::invalid_argument and writes nothing. Formulas, defaults, accuracy and special
/// values are those of the Python functions with the same names.
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
#define FASTACT_DECLARE_LOSS_FOR(T, name, ...)                                           \
  void name(std::span<const T> x, std::span<const T> t,                                  \
            std::span<T> y FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__));      \
  void name##_backward(std::span<const T> x, std::span<const T> t, std::span<const T> g, \
                       std::span<T> dx FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__));
#define FASTACT_DECLARE_LOSS(...) \
  FASTACT_DECLARE_LOSS_FOR(float, __VA_ARGS__) FASTACT_DECLARE_LOSS_FOR(double, __VA_ARGS__)
FASTACT_LOSSES(FASTACT_DECLARE_LOSS)
#undef FASTACT_DECLARE_LOSS
#undef FASTACT_DECLARE_LOSS_FOR
#define FASTACT_DECLARE_GATE_FOR(T, name)                                                                      \
  void name##_gate(std::span<const T> a, std::span<const T> b, std::span<T> y);                                \
  void name##_gate_backward(std::span<const T> a, std::span<const T> b, std::span<const T> g, std::span<T> da, \
                            std::span<T> db);
#define FASTACT_DECLARE_GATE(name) FASTACT_DECLARE_GATE_FOR(float, name) FASTACT_DECLARE_GATE_FOR(double, name)
FASTACT_GATES(FASTACT_DECLARE_GATE)
#undef FASTACT_DECLARE_GATE
#undef FASTACT_DECLARE_GATE_FOR
#undef FASTACT_DECLARE_FORWARD
#undef FASTACT_DECLARE_BACKWARD
#undef FASTACT_PARAMETER

/// Element i is kept where number offset + i of the seed's stream is at least rate, and divided by 1 - rate; else it is
/// 0. The stream is documented with the Python function. 0 <= rate < 1 and offset < 2^63 are required.
#define FASTACT_DECLARE_FOR(T, name) \
  void name(std::span<const T> x, std::span<T> y, double rate, std::uint64_t seed, std::uint64_t offset = 0);
#define FASTACT_DECLARE(name) FASTACT_DECLARE_FOR(float, name) FASTACT_DECLARE_FOR(double, name)
FASTACT_DROPOUT(FASTACT_DECLARE)
#undef FASTACT_DECLARE
#undef FASTACT_DECLARE_FOR

/// Where the rows of an array lie: it is [outer][length][inner] in C order, with rows along the middle dimension; outer
/// follows from the size. An array with one number for each row is [outer][inner].
struct Axis {
  std::size_t length;
  std::size_t inner = 1;
};

// A learnable parameter has one element for each index of the middle dimension of x, which is
// [outer][parameter.size()][inner]; its gradient is summed over all other indices.
#define FASTACT_DECLARE_FOR(T, name) \
  void name(std::span<const T> x, std::span<const T> parameter, std::span<T> y, std::size_t inner = 1);
#define FASTACT_DECLARE(name, ...) FASTACT_DECLARE_FOR(float, name) FASTACT_DECLARE_FOR(double, name)
FASTACT_LEARNABLE(FASTACT_DECLARE)
#undef FASTACT_DECLARE
#undef FASTACT_DECLARE_FOR

// Functions of rows, D(T, name, (parameters), arguments…), by their form: the layout, then the arguments in the order
// of the form's signature in list.hpp.
#define FASTACT_FORM_MAP(D, T, name) D(T, name, (std::span<const T> x, std::span<T> y, Axis axis), axis, x, y)
#define FASTACT_FORM_MAP_BACKWARD(D, T, name) \
  D(T, name, (std::span<const T> x, std::span<const T> g, std::span<T> dx, Axis axis), axis, x, g, dx)
#define FASTACT_FORM_FROM_OUTPUT(D, T, name) \
  D(T, name, (std::span<const T> y, std::span<const T> g, std::span<T> dx, Axis axis), axis, y, g, dx)
#define FASTACT_FORM_REDUCE(D, T, name) FASTACT_FORM_MAP(D, T, name)
#define FASTACT_FORM_REDUCE_BACKWARD(D, T, name) FASTACT_FORM_MAP_BACKWARD(D, T, name)
#define FASTACT_FORM_GATE(D, T, name) FASTACT_FORM_MAP(D, T, name)
#define FASTACT_FORM_GATE_BACKWARD(D, T, name) FASTACT_FORM_MAP_BACKWARD(D, T, name)
#define FASTACT_FORM_LABEL(D, T, name)                                                                            \
  D(T, name, (std::span<const T> x, std::span<const std::int64_t> labels, std::span<T> loss, Axis axis), axis, x, \
    labels, loss)
#define FASTACT_FORM_LABEL_BACKWARD(D, T, name)                                                                     \
  D(T, name,                                                                                                        \
    (std::span<const T> x, std::span<const std::int64_t> labels, std::span<const T> g, std::span<T> dx, Axis axis), \
    axis, x, labels, g, dx)
#define FASTACT_FORM_LABEL_WITH_GRADIENT(D, T, name)                                                                   \
  D(T, name,                                                                                                           \
    (std::span<const T> x, std::span<const std::int64_t> labels, std::span<T> loss, std::span<T> dx, Axis axis), axis, \
    x, labels, loss, dx)
#define FASTACT_FORM_LEARN(D, T, name)                                                          \
  D(T, name,                                                                                    \
    (std::span<const T> x, std::span<const T> g, std::span<const T> parameter, std::span<T> dx, \
     std::span<T> dparameter, FASTACT_INNER),                                                   \
    inner, x, g, parameter, dx, dparameter)
#define FASTACT_INNER std::size_t inner = 1
#define FASTACT_DECLARE_FOR(T, name, parameters, ...) void name parameters;
#define FASTACT_DECLARE(form, name) \
  FASTACT_FORM_##form(FASTACT_DECLARE_FOR, float, name) FASTACT_FORM_##form(FASTACT_DECLARE_FOR, double, name)
FASTACT_ROWWISE(FASTACT_DECLARE)
#undef FASTACT_DECLARE
#undef FASTACT_DECLARE_FOR
#undef FASTACT_INNER

// The same with a mask, which is like x: an element where it is 0 takes no part, whatever it holds.
#define FASTACT_MASKED(...) (__VA_ARGS__, std::span<const std::uint8_t> where)
#define FASTACT_DECLARE_FOR(T, name, parameters, ...) void name FASTACT_MASKED parameters;
#define FASTACT_DECLARE(form, name) \
  FASTACT_FORM_##form(FASTACT_DECLARE_FOR, float, name) FASTACT_FORM_##form(FASTACT_DECLARE_FOR, double, name)
FASTACT_MASKABLE(FASTACT_DECLARE)
#undef FASTACT_DECLARE
#undef FASTACT_DECLARE_FOR

// Norms, of rows along the axis. gamma and beta have one element for each index of the axis, or none where they are
// left out; their gradients have one for each index, or none where they are not wanted.
#define FASTACT_DECLARE_NORMS(T)                                                                                      \
  void layer_norm(std::span<const T> x, std::span<const T> gamma, std::span<const T> beta, std::span<T> y, Axis axis, \
                  double eps = 1e-5);                                                                                 \
  void layer_norm_backward(std::span<const T> x, std::span<const T> g, std::span<const T> gamma, std::span<T> dx,     \
                           std::span<T> dgamma, std::span<T> dbeta, Axis axis, double eps = 1e-5);                    \
  void rms_norm(std::span<const T> x, std::span<const T> gamma, std::span<T> y, Axis axis, double eps = 1e-6);        \
  void rms_norm_backward(std::span<const T> x, std::span<const T> g, std::span<const T> gamma, std::span<T> dx,       \
                         std::span<T> dgamma, Axis axis, double eps = 1e-6);                                          \
  void batch_norm(std::span<const T> x, std::span<const T> gamma, std::span<const T> beta, std::span<T> y,            \
                  std::span<T> mean, std::span<T> variance, Axis axis, double eps = 1e-5);                            \
  void batch_norm_backward(std::span<const T> x, std::span<const T> g, std::span<const T> gamma, std::span<T> dx,     \
                           std::span<T> dgamma, std::span<T> dbeta, Axis axis, double eps = 1e-5);                    \
  void batch_norm_inference(std::span<const T> x, std::span<const T> mean, std::span<const T> variance,               \
                            std::span<const T> gamma, std::span<const T> beta, std::span<T> y, Axis axis,             \
                            double eps = 1e-5);
FASTACT_DECLARE_NORMS(float)
FASTACT_DECLARE_NORMS(double)
#undef FASTACT_DECLARE_NORMS
/// The options of a cross-entropy.
template <class T>
struct CrossEntropy {
  std::span<const T> weights = {};                // one for each class, 0 <= weight < inf; if empty, all are 1
  std::optional<std::int64_t> ignore_label = {};  // rows with this label have the loss and the gradient 0
  double label_smoothing = 0;                     // this share of each label is spread over all classes, 0 to 1
};

// softmax_cross_entropy and its gradients with these options, and with probabilities, an array like x, as labels.
#define FASTACT_DECLARE_FOR(T, L, ...)                                                                         \
  void softmax_cross_entropy(std::span<const T> x, std::span<const L> labels, std::span<T> loss, Axis axis,    \
                             const CrossEntropy<T>& options __VA_ARGS__);                                      \
  void softmax_cross_entropy_backward(std::span<const T> x, std::span<const L> labels, std::span<const T> g,   \
                                      std::span<T> dx, Axis axis, const CrossEntropy<T>& options __VA_ARGS__); \
  void softmax_cross_entropy_with_gradient(std::span<const T> x, std::span<const L> labels, std::span<T> loss, \
                                           std::span<T> dx, Axis axis, const CrossEntropy<T>& options __VA_ARGS__);
FASTACT_DECLARE_FOR(float, std::int64_t)
FASTACT_DECLARE_FOR(double, std::int64_t)
FASTACT_DECLARE_FOR(float, float, = {})
FASTACT_DECLARE_FOR(double, double, = {})
#undef FASTACT_DECLARE_FOR

/// The number of threads that a call may use. The default is FASTACT_NUM_THREADS or, if that is not set, OpenMP's
/// number. Throws std::invalid_argument unless n >= 1.
void set_num_threads(int n);
int get_num_threads();

/// The instruction sets that this processor supports, the best first.
std::vector<std::string_view> instruction_sets();
/// The instruction set in use: the best, or the one that FASTACT_ISA names.
std::string_view instruction_set();
/// Throws std::invalid_argument unless name is among instruction_sets().
void set_instruction_set(std::string_view name);

}  // namespace fastact
