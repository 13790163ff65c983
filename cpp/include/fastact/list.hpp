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

/// Functions of rows: X(form, name). A form is a signature, as NumPy writes those of generalized ufuncs, and the C++
/// functions that have it.
#define FASTACT_ROWWISE(X)                          \
  X(MAP, softmax)                                   \
  X(MAP_BACKWARD, softmax_backward)                 \
  X(MAP_BACKWARD, softmax_backward_from_output)     \
  X(MAP, log_softmax)                               \
  X(MAP_BACKWARD, log_softmax_backward)             \
  X(MAP_BACKWARD, log_softmax_backward_from_output) \
  X(REDUCE, logsumexp)                              \
  X(REDUCE_BACKWARD, logsumexp_backward)            \
  X(REDUCE, maxout)                                 \
  X(REDUCE_BACKWARD, maxout_backward)               \
  X(GATE, glu)                                      \
  X(GATE_BACKWARD, glu_backward)                    \
  X(GATE, reglu)                                    \
  X(GATE_BACKWARD, reglu_backward)                  \
  X(GATE, geglu)                                    \
  X(GATE_BACKWARD, geglu_backward)                  \
  X(GATE, swiglu)                                   \
  X(GATE_BACKWARD, swiglu_backward)                 \
  X(LABEL, softmax_cross_entropy)                   \
  X(LABEL_BACKWARD, softmax_cross_entropy_backward) \
  X(LEARN, prelu_backward)                          \
  X(LEARN, swish_backward)

#define FASTACT_SIGNATURE_MAP "(n)->(n)"
#define FASTACT_SIGNATURE_MAP_BACKWARD "(n),(n)->(n)"
#define FASTACT_SIGNATURE_REDUCE "(n)->()"
#define FASTACT_SIGNATURE_REDUCE_BACKWARD "(n),()->(n)"
#define FASTACT_SIGNATURE_GATE "(n)->(m)"
#define FASTACT_SIGNATURE_GATE_BACKWARD "(n),(m)->(n)"
#define FASTACT_SIGNATURE_LABEL "(n),()->()"
#define FASTACT_SIGNATURE_LABEL_BACKWARD "(n),(),()->(n)"
#define FASTACT_SIGNATURE_LEARN "(n),(n),()->(n),()"

/// M(parameter, default), or M(parameter), for each of up to two parameters.
#define FASTACT_EACH_PARAMETER(M, ...) __VA_OPT__(FASTACT_EACH_PARAMETER_1(M, __VA_ARGS__))
#define FASTACT_EACH_PARAMETER_1(M, first, ...) M first __VA_OPT__(FASTACT_EACH_PARAMETER_2(M, __VA_ARGS__))
#define FASTACT_EACH_PARAMETER_2(M, second) M second
