// The C interface of fastact.
#ifndef FASTACT_FASTACT_H
#define FASTACT_FASTACT_H

#include <stddef.h>
#include <stdint.h>
#include <fastact/list.hpp>

/// The functions of fastact.hpp for C, and for every language that calls C; _f32 is for float, _f64 for double.
///
///     int error = fastact_gelu_f32(x, y, n);
///     error = fastact_gelu_backward_f32(x, g, dx, n);
///     error = fastact_leaky_relu_f32(x, y, n, 0.2);            // parameters follow, all of them
///     error = fastact_silu_gate_f32(a, b, y, n);               // y = f(a) b
///     error = fastact_softmax_f32(x, y, outer, length, inner);  // rows along the middle of [outer][length][inner]
///     error = fastact_softmax_where_f32(x, where, y, outer, length, inner);  // without elements where the mask is 0
///     if (error != FASTACT_OK) fprintf(stderr, "%s\n", fastact_error_message(error));
///
/// Every function returns FASTACT_OK or an error code; with an error code, it has written nothing. The output may be an
/// input of its size (in place); any other overlap is undefined.

#if defined(_WIN32)
#define FASTACT_API __declspec(dllexport)
#else
#define FASTACT_API __attribute__((visibility("default")))
#endif

// The list is expanded with __VA_OPT__, which compilers had long before C23.
#ifdef __GNUC__
#pragma GCC system_header
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum {
  FASTACT_OK = 0,
  FASTACT_INVALID_ARGUMENT = 1,  // a parameter, a label or a length that is not allowed
  FASTACT_OUT_OF_MEMORY = 2,
  FASTACT_FAILURE = 3  // any other exception of the C++ library
};

/// The meaning of an error code. For the code of the last failed call in this thread, it is the message of that call,
/// such as "softplus: beta = -1 is not allowed; beta > 0 is required". It is valid until the next failed call.
FASTACT_API const char* fastact_error_message(int code);

#define FASTACT_PARAMETER(name, ...) , double name
#define FASTACT_FORWARD(name, ...)                                                                       \
  FASTACT_API int fastact_##name##_f32(const float* x, float* y,                                         \
                                       size_t n FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)); \
  FASTACT_API int fastact_##name##_f64(const double* x, double* y,                                       \
                                       size_t n FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__));
#define FASTACT_BACKWARD(name, ...)                                                                               \
  FASTACT_API int fastact_##name##_backward_f32(const float* x, const float* g, float* dx,                        \
                                                size_t n FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)); \
  FASTACT_API int fastact_##name##_backward_f64(const double* x, const double* g, double* dx,                     \
                                                size_t n FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__));
FASTACT_ACTIVATIONS(FASTACT_FORWARD)
FASTACT_ACTIVATIONS(FASTACT_BACKWARD)
FASTACT_LEARNABLE(FASTACT_FORWARD)
#define FASTACT_LOSS_FOR(T, bits, name, ...)                                                                \
  FASTACT_API int fastact_##name##_##bits(const T* x, const T* t, T* y,                                     \
                                          size_t n FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)); \
  FASTACT_API int fastact_##name##_backward_##bits(const T* x, const T* t, const T* g, T* dx,               \
                                                   size_t n FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__));
#define FASTACT_LOSS(...) FASTACT_LOSS_FOR(float, f32, __VA_ARGS__) FASTACT_LOSS_FOR(double, f64, __VA_ARGS__)
FASTACT_LOSSES(FASTACT_LOSS)
#undef FASTACT_LOSS
#undef FASTACT_LOSS_FOR
#define FASTACT_GATE_FOR(name, T, bits)                                                 \
  FASTACT_API int fastact_##name##_gate_##bits(const T* a, const T* b, T* y, size_t n); \
  FASTACT_API int fastact_##name##_gate_backward_##bits(const T* a, const T* b, const T* g, T* da, T* db, size_t n);
#define FASTACT_GATE(name) FASTACT_GATE_FOR(name, float, f32) FASTACT_GATE_FOR(name, double, f64)
FASTACT_GATES(FASTACT_GATE)
#undef FASTACT_GATE
#undef FASTACT_GATE_FOR
#undef FASTACT_FORWARD
#undef FASTACT_BACKWARD
#undef FASTACT_PARAMETER

#define FASTACT_DROPOUT_FOR(T, bits, name) \
  FASTACT_API int fastact_##name##_##bits(const T* x, T* y, size_t n, double rate, uint64_t seed, uint64_t offset);
#define FASTACT_C(name) FASTACT_DROPOUT_FOR(float, f32, name) FASTACT_DROPOUT_FOR(double, f64, name)
FASTACT_DROPOUT(FASTACT_C)
#undef FASTACT_C
#undef FASTACT_DROPOUT_FOR

// Functions of rows. An array with one number for each row is [outer][inner], one with half a row is
// [outer][length / 2][inner].
#define FASTACT_SHAPE size_t outer, size_t length, size_t inner
#define FASTACT_C_MAP(name, T) FASTACT_API int name(const T* x, T* y, FASTACT_SHAPE);
#define FASTACT_C_MAP_BACKWARD(name, T) FASTACT_API int name(const T* x, const T* g, T* dx, FASTACT_SHAPE);
#define FASTACT_C_FROM_OUTPUT(name, T) FASTACT_API int name(const T* y, const T* g, T* dx, FASTACT_SHAPE);
#define FASTACT_C_REDUCE(name, T) FASTACT_C_MAP(name, T)
#define FASTACT_C_REDUCE_BACKWARD(name, T) FASTACT_C_MAP_BACKWARD(name, T)
#define FASTACT_C_GATE(name, T) FASTACT_C_MAP(name, T)
#define FASTACT_C_GATE_BACKWARD(name, T) FASTACT_C_MAP_BACKWARD(name, T)
#define FASTACT_C_LABEL(name, T) FASTACT_API int name(const T* x, const int64_t* labels, T* loss, FASTACT_SHAPE);
#define FASTACT_C_LABEL_BACKWARD(name, T) \
  FASTACT_API int name(const T* x, const int64_t* labels, const T* g, T* dx, FASTACT_SHAPE);
#define FASTACT_C_LABEL_WITH_GRADIENT(name, T) \
  FASTACT_API int name(const T* x, const int64_t* labels, T* loss, T* dx, FASTACT_SHAPE);
// A learnable parameter has `length` elements, one for each index of the middle dimension.
#define FASTACT_C_LEARN(name, T) \
  FASTACT_API int name(const T* x, const T* g, const T* parameter, T* dx, T* dparameter, FASTACT_SHAPE);
#define FASTACT_C_CHANNELS(name, ...)                                                                             \
  FASTACT_API int fastact_##name##_channels_f32(const float* x, const float* parameter, float* y, FASTACT_SHAPE); \
  FASTACT_API int fastact_##name##_channels_f64(const double* x, const double* parameter, double* y, FASTACT_SHAPE);
#define FASTACT_C(form, name) \
  FASTACT_C_##form(fastact_##name##_f32, float) FASTACT_C_##form(fastact_##name##_f64, double)
FASTACT_ROWWISE(FASTACT_C)
FASTACT_LEARNABLE(FASTACT_C_CHANNELS)
#undef FASTACT_C
// With a mask, which is like x: an element where it is 0 takes no part, whatever it holds.
#define FASTACT_C_WHERE_MAP(name, T) FASTACT_API int name(const T* x, const uint8_t* where, T* y, FASTACT_SHAPE);
#define FASTACT_C_WHERE_MAP_BACKWARD(name, T) \
  FASTACT_API int name(const T* x, const T* g, const uint8_t* where, T* dx, FASTACT_SHAPE);
#define FASTACT_C_WHERE_REDUCE(name, T) FASTACT_C_WHERE_MAP(name, T)
#define FASTACT_C_WHERE_REDUCE_BACKWARD(name, T) FASTACT_C_WHERE_MAP_BACKWARD(name, T)
#define FASTACT_C(form, name) \
  FASTACT_C_WHERE_##form(fastact_##name##_where_f32, float) FASTACT_C_WHERE_##form(fastact_##name##_where_f64, double)
FASTACT_MASKABLE(FASTACT_C)
#undef FASTACT_C
#undef FASTACT_C_WHERE_MAP
#undef FASTACT_C_WHERE_MAP_BACKWARD
#undef FASTACT_C_WHERE_REDUCE
#undef FASTACT_C_WHERE_REDUCE_BACKWARD
#undef FASTACT_C_MAP
#undef FASTACT_C_MAP_BACKWARD
#undef FASTACT_C_FROM_OUTPUT
#undef FASTACT_C_REDUCE
#undef FASTACT_C_REDUCE_BACKWARD
#undef FASTACT_C_GATE
#undef FASTACT_C_GATE_BACKWARD
#undef FASTACT_C_LABEL
#undef FASTACT_C_LABEL_BACKWARD
#undef FASTACT_C_LABEL_WITH_GRADIENT
#undef FASTACT_C_LEARN
#undef FASTACT_C_CHANNELS

// Norms, of rows along the middle dimension. gamma and beta have `length` elements, or are null where they are left
// out; their gradients have `length` elements too, or are null where they are not wanted.
#define FASTACT_C_NORMS(T, bits)                                                                                    \
  FASTACT_API int fastact_layer_norm_##bits(const T* x, const T* gamma, const T* beta, T* y, FASTACT_SHAPE,         \
                                            double eps);                                                            \
  FASTACT_API int fastact_layer_norm_backward_##bits(const T* x, const T* g, const T* gamma, T* dx, T* dgamma,      \
                                                     T* dbeta, FASTACT_SHAPE, double eps);                          \
  FASTACT_API int fastact_rms_norm_##bits(const T* x, const T* gamma, T* y, FASTACT_SHAPE, double eps);             \
  FASTACT_API int fastact_rms_norm_backward_##bits(const T* x, const T* g, const T* gamma, T* dx, T* dgamma,        \
                                                   FASTACT_SHAPE, double eps);                                      \
  FASTACT_API int fastact_batch_norm_##bits(const T* x, const T* gamma, const T* beta, T* y, T* mean, T* variance,  \
                                            FASTACT_SHAPE, double eps);                                             \
  FASTACT_API int fastact_batch_norm_backward_##bits(const T* x, const T* g, const T* gamma, T* dx, T* dgamma,      \
                                                     T* dbeta, FASTACT_SHAPE, double eps);                          \
  FASTACT_API int fastact_batch_norm_inference_##bits(const T* x, const T* mean, const T* variance, const T* gamma, \
                                                      const T* beta, T* y, FASTACT_SHAPE, double eps);
FASTACT_C_NORMS(float, f32)
FASTACT_C_NORMS(double, f64)
#undef FASTACT_C_NORMS
// The cross-entropy of softmax(x) with all of its options, its gradient or both. Either labels or probabilities, which
// are like x, must be given. The rest may be NULL: weights, one for each of the classes, and g are then 1;
// *ignore_label is a label whose rows have the loss and the gradient 0; loss and dx are written if they are given.
#define FASTACT_C_GENERAL(T, bits)                                                                              \
  FASTACT_API int fastact_softmax_cross_entropy_general_##bits(                                                 \
      const T* x, const int64_t* labels, const T* probabilities, const T* weights, const int64_t* ignore_label, \
      double label_smoothing, const T* g, T* loss, T* dx, FASTACT_SHAPE);
FASTACT_C_GENERAL(float, f32)
FASTACT_C_GENERAL(double, f64)
#undef FASTACT_C_GENERAL

/// The number of threads that a call may use; at least 1.
FASTACT_API int fastact_set_num_threads(int n);
FASTACT_API int fastact_get_num_threads(void);

/// Get and set the instruction set in use; it must be one that the processor supports.
FASTACT_API const char* fastact_instruction_set(void);
FASTACT_API int fastact_set_instruction_set(const char* name);

#ifdef __cplusplus
}
#endif

#endif
