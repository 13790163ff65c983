#pragma once

/// The one list of activations: X(name, (parameter, default)…). All else follows from it: kernels, C++ functions,
/// ufuncs, benchmarks, tests.
#define FASTACT_ACTIVATIONS(X)                      \
  X(identity)                                       \
  X(binary_step)                                    \
  X(relu)                                           \
  X(relu6)                                          \
  X(relu_squared)                                   \
  X(leaky_relu, (negative_slope, 0.01))             \
  X(threshold, (threshold, 0.0), (value, 0.0))      \
  X(sigmoid)                                        \
  X(log_sigmoid)                                    \
  X(hard_sigmoid, (slope, 1.0 / 6), (offset, 0.5))  \
  X(tanh)                                           \
  X(tanh_shrink)                                    \
  X(hard_tanh, (min_value, -1.0), (max_value, 1.0)) \
  X(softsign)                                       \
  X(softplus, (beta, 1.0))                          \
  X(squareplus, (b, 4.0))                           \
  X(elu, (alpha, 1.0))                              \
  X(celu, (alpha, 1.0))                             \
  X(selu)                                           \
  X(exponential)                                    \
  X(silu)                                           \
  X(quick_gelu)                                     \
  X(hard_swish)                                     \
  X(gelu)                                           \
  X(gelu_tanh)                                      \
  X(mish)                                           \
  X(hard_shrink, (lambd, 0.5))                      \
  X(soft_shrink, (lambd, 0.5))

/// Those that also have a gradient for their one parameter; it may be without a default.
#define FASTACT_LEARNABLE(X) \
  X(prelu, (alpha))          \
  X(swish, (beta, 1.0))

/// M(parameter, default), or M(parameter), for each of up to two parameters.
#define FASTACT_EACH_PARAMETER(M, ...) __VA_OPT__(FASTACT_EACH_PARAMETER_1(M, __VA_ARGS__))
#define FASTACT_EACH_PARAMETER_1(M, first, ...) M first __VA_OPT__(FASTACT_EACH_PARAMETER_2(M, __VA_ARGS__))
#define FASTACT_EACH_PARAMETER_2(M, second) M second
