// The lists of functions, from which all other definitions follow.
#pragma once

/// The activations, X(name, (parameter, default)…). Kernels, C++ functions, ufuncs, benchmarks and tests follow from
/// this list.
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
  X(sparse_plus)                                    \
  X(softcap, (cap))                                 \
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

/// The activations whose one parameter is learnable, that is, has a gradient; it may have no default.
#define FASTACT_LEARNABLE(X) \
  X(prelu, (alpha))          \
  X(swish, (beta, 1.0))

/// Losses of x and a target t, element by element; the gradient is that for x.
#define FASTACT_LOSSES(X) X(sigmoid_cross_entropy, (pos_weight, 1.0))

/// The activations f that also have a gate, f(a) b of two arrays.
#define FASTACT_GATES(X) \
  X(sigmoid)             \
  X(relu)                \
  X(gelu)                \
  X(gelu_tanh)           \
  X(quick_gelu)          \
  X(silu)

/// Dropout and its gradient, which is the same function of another array.
#define FASTACT_DROPOUT(X) \
  X(dropout)               \
  X(dropout_backward)

/// Functions of rows, X(form, name). The form is a signature and the parameters of the C++ functions that have it.
#define FASTACT_ROWWISE(X)                                    \
  X(MAP, softmax)                                             \
  X(MAP_BACKWARD, softmax_backward)                           \
  X(FROM_OUTPUT, softmax_backward_from_output)                \
  X(MAP, log_softmax)                                         \
  X(MAP_BACKWARD, log_softmax_backward)                       \
  X(FROM_OUTPUT, log_softmax_backward_from_output)            \
  X(REDUCE, logsumexp)                                        \
  X(REDUCE_BACKWARD, logsumexp_backward)                      \
  X(MAP, sparsemax)                                           \
  X(MAP_BACKWARD, sparsemax_backward)                         \
  X(FROM_OUTPUT, sparsemax_backward_from_output)              \
  X(REDUCE, maxout)                                           \
  X(REDUCE_BACKWARD, maxout_backward)                         \
  X(GATE, glu)                                                \
  X(GATE_BACKWARD, glu_backward)                              \
  X(GATE, reglu)                                              \
  X(GATE_BACKWARD, reglu_backward)                            \
  X(GATE, geglu)                                              \
  X(GATE_BACKWARD, geglu_backward)                            \
  X(GATE, geglu_tanh)                                         \
  X(GATE_BACKWARD, geglu_tanh_backward)                       \
  X(GATE, swiglu)                                             \
  X(GATE_BACKWARD, swiglu_backward)                           \
  X(LABEL, softmax_cross_entropy)                             \
  X(LABEL_BACKWARD, softmax_cross_entropy_backward)           \
  X(LABEL_WITH_GRADIENT, softmax_cross_entropy_with_gradient) \
  X(LEARN, prelu_backward)                                    \
  X(LEARN, swish_backward)

/// The functions of rows that also take a mask.
#define FASTACT_MASKABLE(X)             \
  X(MAP, softmax)                       \
  X(MAP_BACKWARD, softmax_backward)     \
  X(MAP, log_softmax)                   \
  X(MAP_BACKWARD, log_softmax_backward) \
  X(REDUCE, logsumexp)                  \
  X(REDUCE_BACKWARD, logsumexp_backward)

/// The signature of each form: its operands, each with n elements, m = n / 2 elements or one number for each row. The
/// name `labels` means int64 numbers, `parameter` a learnable parameter, and `dparameter` its gradient, a float64 sum.
#define FASTACT_SIGNATURE_MAP "x(n)->y(n)"
#define FASTACT_SIGNATURE_MAP_BACKWARD "x(n),g(n)->dx(n)"
#define FASTACT_SIGNATURE_FROM_OUTPUT "y(n),g(n)->dx(n)"
#define FASTACT_SIGNATURE_REDUCE "x(n)->y()"
#define FASTACT_SIGNATURE_REDUCE_BACKWARD "x(n),g()->dx(n)"
#define FASTACT_SIGNATURE_GATE "x(n)->y(m)"
#define FASTACT_SIGNATURE_GATE_BACKWARD "x(n),g(m)->dx(n)"
#define FASTACT_SIGNATURE_LABEL "logits(n),labels()->loss()"
#define FASTACT_SIGNATURE_LABEL_BACKWARD "logits(n),labels(),g()->dlogits(n)"
#define FASTACT_SIGNATURE_LABEL_WITH_GRADIENT "logits(n),labels()->loss(),dlogits(n)"
#define FASTACT_SIGNATURE_LEARN "x(n),g(n),parameter()->dx(n),dparameter()"

/// M(parameter, default), or M(parameter), for each of up to two parameters.
#define FASTACT_EACH_PARAMETER(M, ...) __VA_OPT__(FASTACT_EACH_PARAMETER_1(M, __VA_ARGS__))
#define FASTACT_EACH_PARAMETER_1(M, first, ...) M first __VA_OPT__(FASTACT_EACH_PARAMETER_2(M, __VA_ARGS__))
#define FASTACT_EACH_PARAMETER_2(M, second) M second
