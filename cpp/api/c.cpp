// The C functions, which call the C++ ones and turn exceptions into error codes.
#include <fastact/fastact.h>
#include <fastact/fastact.hpp>

#include <algorithm>
#include <exception>
#include <new>
#include <stdexcept>

#include "api/cross_entropy.hpp"

namespace {

/// The calling thread's last failed call. The struct has no destructor, since that would run at the end of the thread,
/// perhaps after the library was unloaded.
struct Failure {
  int code;
  char message[256];
};
thread_local Failure last = {};

int fail(int code, std::string_view message) {
  last = {code, {}};
  std::copy_n(message.begin(), std::min(message.size(), sizeof last.message - 1), last.message);
  return code;
}

template <class F>
int guarded(F call) {
#ifdef __cpp_exceptions
  try {
    call();
  } catch (const std::invalid_argument& error) {
    return fail(FASTACT_INVALID_ARGUMENT, error.what());
  } catch (const std::bad_alloc&) {
    return fail(FASTACT_OUT_OF_MEMORY, "out of memory");
  } catch (const std::exception& error) {
    return fail(FASTACT_FAILURE, error.what());
  }
#else
  call();
#endif
  return FASTACT_OK;
}

/// The shape [outer][length][inner], with rows along the middle dimension.
struct Shape {
  std::size_t outer, length, inner;

  fastact::Axis axis() const { return {length, inner}; }
  template <class T>
  std::span<T> rows(T* data) const {
    return {data, outer * length * inner};
  }
  template <class T>
  std::span<T> halves(T* data) const {  // an odd length is refused by the C++ function
    return {data, outer * (length / 2) * inner};
  }
  template <class T>
  std::span<T> numbers(T* data) const {
    return {data, outer * inner};
  }
  template <class T>
  std::span<T> along(T* data) const {  // data is null if the argument is left out
    return {data, data == nullptr ? 0 : length};
  }
};

}  // namespace

const char* fastact_error_message(int code) {
  if (code == last.code && code != FASTACT_OK) return last.message;
  switch (code) {
    case FASTACT_OK:
      return "no error";
    case FASTACT_INVALID_ARGUMENT:
      return "a parameter, a label or a length is not allowed";
    case FASTACT_OUT_OF_MEMORY:
      return "out of memory";
    case FASTACT_FAILURE:
      return "the C++ library failed";
    default:
      return "not an error code of fastact";
  }
}

#define FASTACT_PARAMETER(name, ...) , double name
#define FASTACT_C_ARGUMENT(name, ...) , name
#define FASTACT_C_FORWARD_FOR(T, bits, name, ...)                                                                  \
  int fastact_##name##_##bits(const T* x, T* y, size_t n FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)) { \
    return guarded([&] {                                                                                           \
      fastact::name(std::span(x, n), std::span(y, n) FASTACT_EACH_PARAMETER(FASTACT_C_ARGUMENT, __VA_ARGS__));     \
    });                                                                                                            \
  }
#define FASTACT_C_BACKWARD_FOR(T, bits, name, ...)                                                        \
  int fastact_##name##_backward_##bits(const T* x, const T* g, T* dx,                                     \
                                       size_t n FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)) { \
    return guarded([&] {                                                                                  \
      fastact::name##_backward(std::span(x, n), std::span(g, n),                                          \
                               std::span(dx, n) FASTACT_EACH_PARAMETER(FASTACT_C_ARGUMENT, __VA_ARGS__)); \
    });                                                                                                   \
  }
#define FASTACT_C_FORWARD(...) \
  FASTACT_C_FORWARD_FOR(float, f32, __VA_ARGS__) FASTACT_C_FORWARD_FOR(double, f64, __VA_ARGS__)
#define FASTACT_C_BACKWARD(...) \
  FASTACT_C_BACKWARD_FOR(float, f32, __VA_ARGS__) FASTACT_C_BACKWARD_FOR(double, f64, __VA_ARGS__)
FASTACT_ACTIVATIONS(FASTACT_C_FORWARD)
FASTACT_ACTIVATIONS(FASTACT_C_BACKWARD)
FASTACT_LEARNABLE(FASTACT_C_FORWARD)

#define FASTACT_C_LOSS_FOR(T, bits, name, ...)                                                            \
  int fastact_##name##_##bits(const T* x, const T* t, T* y,                                               \
                              size_t n FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)) {          \
    return guarded([&] {                                                                                  \
      fastact::name(std::span(x, n), std::span(t, n),                                                     \
                    std::span(y, n) FASTACT_EACH_PARAMETER(FASTACT_C_ARGUMENT, __VA_ARGS__));             \
    });                                                                                                   \
  }                                                                                                       \
  int fastact_##name##_backward_##bits(const T* x, const T* t, const T* g, T* dx,                         \
                                       size_t n FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)) { \
    return guarded([&] {                                                                                  \
      fastact::name##_backward(std::span(x, n), std::span(t, n), std::span(g, n),                         \
                               std::span(dx, n) FASTACT_EACH_PARAMETER(FASTACT_C_ARGUMENT, __VA_ARGS__)); \
    });                                                                                                   \
  }
#define FASTACT_C_LOSS(...) FASTACT_C_LOSS_FOR(float, f32, __VA_ARGS__) FASTACT_C_LOSS_FOR(double, f64, __VA_ARGS__)
FASTACT_LOSSES(FASTACT_C_LOSS)

#define FASTACT_C_NAMED_GATE_FOR(name, bits, T)                                                           \
  int fastact_##name##_gate_##bits(const T* a, const T* b, T* y, size_t n) {                              \
    return guarded([&] { fastact::name##_gate(std::span(a, n), std::span(b, n), std::span(y, n)); });     \
  }                                                                                                       \
  int fastact_##name##_gate_backward_##bits(const T* a, const T* b, const T* g, T* da, T* db, size_t n) { \
    return guarded([&] {                                                                                  \
      fastact::name##_gate_backward(std::span(a, n), std::span(b, n), std::span(g, n), std::span(da, n),  \
                                    std::span(db, n));                                                    \
    });                                                                                                   \
  }
#define FASTACT_C_NAMED_GATE(name) \
  FASTACT_C_NAMED_GATE_FOR(name, f32, float) FASTACT_C_NAMED_GATE_FOR(name, f64, double)
FASTACT_GATES(FASTACT_C_NAMED_GATE)

#define FASTACT_C_DROPOUT_FOR(name, bits, T)                                                             \
  int fastact_##name##_##bits(const T* x, T* y, size_t n, double rate, uint64_t seed, uint64_t offset) { \
    return guarded([&] { fastact::name(std::span(x, n), std::span(y, n), rate, seed, offset); });        \
  }
#define FASTACT_C_DROPOUT(name) FASTACT_C_DROPOUT_FOR(name, f32, float) FASTACT_C_DROPOUT_FOR(name, f64, double)
FASTACT_DROPOUT(FASTACT_C_DROPOUT)

#define FASTACT_C_CHANNELS_FOR(name, bits, T)                                                          \
  int fastact_##name##_channels_##bits(const T* x, const T* parameter, T* y, FASTACT_SHAPE) {          \
    const Shape a = {outer, length, inner};                                                            \
    return guarded([&] { fastact::name(a.rows(x), std::span(parameter, length), a.rows(y), inner); }); \
  }
#define FASTACT_C_CHANNELS(name, ...) FASTACT_C_CHANNELS_FOR(name, f32, float) FASTACT_C_CHANNELS_FOR(name, f64, double)
FASTACT_LEARNABLE(FASTACT_C_CHANNELS)

#define FASTACT_C_UNARY(name, bits, T, along)                                \
  int fastact_##name##_##bits(const T* x, T* y, FASTACT_SHAPE) {             \
    const Shape a = {outer, length, inner};                                  \
    return guarded([&] { fastact::name(a.rows(x), a.along(y), a.axis()); }); \
  }
#define FASTACT_C_GRADIENT(name, bits, T, along)                                         \
  int fastact_##name##_##bits(const T* x, const T* g, T* dx, FASTACT_SHAPE) {            \
    const Shape a = {outer, length, inner};                                              \
    return guarded([&] { fastact::name(a.rows(x), a.along(g), a.rows(dx), a.axis()); }); \
  }
#define FASTACT_C_MAP(name, bits, T) FASTACT_C_UNARY(name, bits, T, rows)
#define FASTACT_C_MAP_BACKWARD(name, bits, T) FASTACT_C_GRADIENT(name, bits, T, rows)
#define FASTACT_C_FROM_OUTPUT(name, bits, T) FASTACT_C_GRADIENT(name, bits, T, rows)
#define FASTACT_C_REDUCE(name, bits, T) FASTACT_C_UNARY(name, bits, T, numbers)
#define FASTACT_C_REDUCE_BACKWARD(name, bits, T) FASTACT_C_GRADIENT(name, bits, T, numbers)
#define FASTACT_C_GATE(name, bits, T) FASTACT_C_UNARY(name, bits, T, halves)
#define FASTACT_C_GATE_BACKWARD(name, bits, T) FASTACT_C_GRADIENT(name, bits, T, halves)
#define FASTACT_C_LABEL(name, bits, T)                                                               \
  int fastact_##name##_##bits(const T* x, const int64_t* labels, T* loss, FASTACT_SHAPE) {           \
    const Shape a = {outer, length, inner};                                                          \
    return guarded([&] { fastact::name(a.rows(x), a.numbers(labels), a.numbers(loss), a.axis()); }); \
  }
#define FASTACT_C_LABEL_BACKWARD(name, bits, T)                                                               \
  int fastact_##name##_##bits(const T* x, const int64_t* labels, const T* g, T* dx, FASTACT_SHAPE) {          \
    const Shape a = {outer, length, inner};                                                                   \
    return guarded([&] { fastact::name(a.rows(x), a.numbers(labels), a.numbers(g), a.rows(dx), a.axis()); }); \
  }
#define FASTACT_C_LABEL_WITH_GRADIENT(name, bits, T)                                                             \
  int fastact_##name##_##bits(const T* x, const int64_t* labels, T* loss, T* dx, FASTACT_SHAPE) {                \
    const Shape a = {outer, length, inner};                                                                      \
    return guarded([&] { fastact::name(a.rows(x), a.numbers(labels), a.numbers(loss), a.rows(dx), a.axis()); }); \
  }
#define FASTACT_C_LEARN(name, bits, T)                                                                             \
  int fastact_##name##_##bits(const T* x, const T* g, const T* parameter, T* dx, T* dparameter, FASTACT_SHAPE) {   \
    const Shape a = {outer, length, inner};                                                                        \
    return guarded([&] {                                                                                           \
      fastact::name(a.rows(x), a.rows(g), std::span(parameter, length), a.rows(dx), std::span(dparameter, length), \
                    inner);                                                                                        \
    });                                                                                                            \
  }
#define FASTACT_C(form, name) FASTACT_C_##form(name, f32, float) FASTACT_C_##form(name, f64, double)
FASTACT_ROWWISE(FASTACT_C)

#define FASTACT_C_WHERE_UNARY(name, bits, T, along)                                          \
  int fastact_##name##_where_##bits(const T* x, const uint8_t* where, T* y, FASTACT_SHAPE) { \
    const Shape a = {outer, length, inner};                                                  \
    return guarded([&] { fastact::name(a.rows(x), a.along(y), a.axis(), a.rows(where)); });  \
  }
#define FASTACT_C_WHERE_GRADIENT(name, bits, T, along)                                                    \
  int fastact_##name##_where_##bits(const T* x, const T* g, const uint8_t* where, T* dx, FASTACT_SHAPE) { \
    const Shape a = {outer, length, inner};                                                               \
    return guarded([&] { fastact::name(a.rows(x), a.along(g), a.rows(dx), a.axis(), a.rows(where)); });   \
  }
#define FASTACT_C_WHERE_MAP(name, bits, T) FASTACT_C_WHERE_UNARY(name, bits, T, rows)
#define FASTACT_C_WHERE_MAP_BACKWARD(name, bits, T) FASTACT_C_WHERE_GRADIENT(name, bits, T, rows)
#define FASTACT_C_WHERE_REDUCE(name, bits, T) FASTACT_C_WHERE_UNARY(name, bits, T, numbers)
#define FASTACT_C_WHERE_REDUCE_BACKWARD(name, bits, T) FASTACT_C_WHERE_GRADIENT(name, bits, T, numbers)
#define FASTACT_C_WHERE(form, name) FASTACT_C_WHERE_##form(name, f32, float) FASTACT_C_WHERE_##form(name, f64, double)
FASTACT_MASKABLE(FASTACT_C_WHERE)

#define FASTACT_C_NORMS(T, bits)                                                                                       \
  int fastact_layer_norm_##bits(const T* x, const T* gamma, const T* beta, T* y, FASTACT_SHAPE, double eps) {          \
    const Shape a = {outer, length, inner};                                                                            \
    return guarded([&] { fastact::layer_norm(a.rows(x), a.along(gamma), a.along(beta), a.rows(y), a.axis(), eps); });  \
  }                                                                                                                    \
  int fastact_layer_norm_backward_##bits(const T* x, const T* g, const T* gamma, T* dx, T* dgamma, T* dbeta,           \
                                         FASTACT_SHAPE, double eps) {                                                  \
    const Shape a = {outer, length, inner};                                                                            \
    return guarded([&] {                                                                                               \
      fastact::layer_norm_backward(a.rows(x), a.rows(g), a.along(gamma), a.rows(dx), a.along(dgamma), a.along(dbeta),  \
                                   a.axis(), eps);                                                                     \
    });                                                                                                                \
  }                                                                                                                    \
  int fastact_rms_norm_##bits(const T* x, const T* gamma, T* y, FASTACT_SHAPE, double eps) {                           \
    const Shape a = {outer, length, inner};                                                                            \
    return guarded([&] { fastact::rms_norm(a.rows(x), a.along(gamma), a.rows(y), a.axis(), eps); });                   \
  }                                                                                                                    \
  int fastact_rms_norm_backward_##bits(const T* x, const T* g, const T* gamma, T* dx, T* dgamma, FASTACT_SHAPE,        \
                                       double eps) {                                                                   \
    const Shape a = {outer, length, inner};                                                                            \
    return guarded([&] {                                                                                               \
      fastact::rms_norm_backward(a.rows(x), a.rows(g), a.along(gamma), a.rows(dx), a.along(dgamma), a.axis(), eps);    \
    });                                                                                                                \
  }                                                                                                                    \
  int fastact_batch_norm_##bits(const T* x, const T* gamma, const T* beta, T* y, T* mean, T* variance, FASTACT_SHAPE,  \
                                double eps) {                                                                          \
    const Shape a = {outer, length, inner};                                                                            \
    return guarded([&] {                                                                                               \
      fastact::batch_norm(a.rows(x), a.along(gamma), a.along(beta), a.rows(y), a.along(mean), a.along(variance),       \
                          a.axis(), eps);                                                                              \
    });                                                                                                                \
  }                                                                                                                    \
  int fastact_batch_norm_backward_##bits(const T* x, const T* g, const T* gamma, T* dx, T* dgamma, T* dbeta,           \
                                         FASTACT_SHAPE, double eps) {                                                  \
    const Shape a = {outer, length, inner};                                                                            \
    return guarded([&] {                                                                                               \
      fastact::batch_norm_backward(a.rows(x), a.rows(g), a.along(gamma), a.rows(dx), a.along(dgamma), a.along(dbeta),  \
                                   a.axis(), eps);                                                                     \
    });                                                                                                                \
  }                                                                                                                    \
  int fastact_batch_norm_inference_##bits(const T* x, const T* mean, const T* variance, const T* gamma, const T* beta, \
                                          T* y, FASTACT_SHAPE, double eps) {                                           \
    const Shape a = {outer, length, inner};                                                                            \
    return guarded([&] {                                                                                               \
      fastact::batch_norm_inference(a.rows(x), a.along(mean), a.along(variance), a.along(gamma), a.along(beta),        \
                                    a.rows(y), a.axis(), eps);                                                         \
    });                                                                                                                \
  }
FASTACT_C_NORMS(float, f32)
FASTACT_C_NORMS(double, f64)
#define FASTACT_C_GENERAL(T, bits)                                                                              \
  int fastact_softmax_cross_entropy_general_##bits(                                                             \
      const T* x, const int64_t* labels, const T* probabilities, const T* weights, const int64_t* ignore_label, \
      double label_smoothing, const T* g, T* loss, T* dx, FASTACT_SHAPE) {                                      \
    return guarded([&] {                                                                                        \
      const Shape a = {outer, length, inner};                                                                   \
      fastact::api::CrossEntropyCall<T> call = {.x = a.rows(x), .axis = a.axis()};                              \
      if (labels != nullptr) call.labels = a.numbers(labels);                                                   \
      if (probabilities != nullptr) call.probabilities = a.rows(probabilities);                                 \
      if (weights != nullptr) call.options.weights = {weights, length};                                         \
      if (ignore_label != nullptr) call.options.ignore_label = *ignore_label;                                   \
      call.options.label_smoothing = label_smoothing;                                                           \
      if (g != nullptr) call.g = a.numbers(g);                                                                  \
      if (loss != nullptr) call.loss = a.numbers(loss);                                                         \
      if (dx != nullptr) call.dx = a.rows(dx);                                                                  \
      fastact::api::compute(call, "softmax_cross_entropy_general");                                             \
    });                                                                                                         \
  }
FASTACT_C_GENERAL(float, f32)
FASTACT_C_GENERAL(double, f64)

int fastact_set_num_threads(int n) {
  return guarded([&] { fastact::set_num_threads(n); });
}
int fastact_get_num_threads() { return fastact::get_num_threads(); }

const char* fastact_instruction_set() { return fastact::instruction_set().data(); }  // a literal's, which ends with 0
int fastact_set_instruction_set(const char* name) {
  return guarded([&] { fastact::set_instruction_set(name); });
}
