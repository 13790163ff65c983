#pragma once

/// The one list of activations: X(name, (parameter, default)…). All else follows from it: kernels, C++ functions,
/// ufuncs, benchmarks, tests.
#define FASTACT_ACTIVATIONS(X)          \
  X(identity)                           \
  X(binary_step)                        \
  X(relu)                               \
  X(relu6)                              \
  X(leaky_relu, (negative_slope, 0.01)) \
  X(sigmoid)                            \
  X(tanh)                               \
  X(softplus, (beta, 1.0))              \
  X(elu, (alpha, 1.0))                  \
  X(selu)                               \
  X(silu)                               \
  X(gelu)                               \
  X(mish)

/// M(parameter, default) for each of up to two parameters.
#define FASTACT_EACH_PARAMETER(M, ...) __VA_OPT__(FASTACT_EACH_PARAMETER_1(M, __VA_ARGS__))
#define FASTACT_EACH_PARAMETER_1(M, first, ...) M first __VA_OPT__(FASTACT_EACH_PARAMETER_2(M, __VA_ARGS__))
#define FASTACT_EACH_PARAMETER_2(M, second) M second
