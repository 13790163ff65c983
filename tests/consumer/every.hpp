// Calls every function of the list, for the programs that test them all.
#pragma once

#include <fastact/fastact.hpp>

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <type_traits>
#include <vector>

/// A function of the library, called on as many of these as it takes; gives all that it writes. One of elements heeds
/// neither labels nor axis.
template <class T>
struct Function {
  const char* name;
  bool of_rows;
  std::vector<T> (*call)(std::span<const T> x, std::span<const T> g, std::span<const std::int64_t> labels,
                         fastact::Axis axis);
};

#define FUNCTION(name, of_rows, size, ...)                                                                     \
  Function<T>{#name, of_rows,                                                                                  \
              []([[maybe_unused]] std::span<const T> x, [[maybe_unused]] std::span<const T> g,                 \
                 [[maybe_unused]] std::span<const std::int64_t> labels, [[maybe_unused]] fastact::Axis axis) { \
                std::vector<T> y(size);                                                                        \
                fastact::name(__VA_ARGS__);                                                                    \
                return y;                                                                                      \
              }},
// A parameter's default; 0.3 where it has none.
#define PARAMETER(name, ...) , FIRST(__VA_OPT__(__VA_ARGS__, ) 0.3, )
#define FIRST(first, ...) first
#define ACTIVATION(name, ...)                                                          \
  FUNCTION(name, false, x.size(), x, y FASTACT_EACH_PARAMETER(PARAMETER, __VA_ARGS__)) \
  FUNCTION(name##_backward, false, x.size(), x, g, y FASTACT_EACH_PARAMETER(PARAMETER, __VA_ARGS__))
#define LEARNABLE(name, ...) FUNCTION(name, false, x.size(), x, y, 0.3)
#define LOSS(name, ...)                                                                   \
  FUNCTION(name, false, x.size(), x, g, y FASTACT_EACH_PARAMETER(PARAMETER, __VA_ARGS__)) \
  FUNCTION(name##_backward, false, x.size(), x, g, g, y FASTACT_EACH_PARAMETER(PARAMETER, __VA_ARGS__))
#define GATE(name)                                                                           \
  FUNCTION(name##_gate, false, x.size(), x, g, y)                                            \
  FUNCTION(name##_gate_backward, false, 2 * x.size(), x, g, g, std::span(y).first(x.size()), \
           std::span(y).last(x.size()))
#define DROPOUT(name) FUNCTION(name, false, x.size(), x, y, 0.3, 0x299F31D0A4093822U, 7)
#define ROWWISE(form, name) ROWWISE_##form(name)
#define ROWWISE_MAP(name) FUNCTION(name, true, x.size(), x, y, axis)
#define ROWWISE_MAP_BACKWARD(name) FUNCTION(name, true, x.size(), x, g, y, axis)
#define ROWWISE_FROM_OUTPUT(name) ROWWISE_MAP_BACKWARD(name)
#define ROWWISE_REDUCE(name) FUNCTION(name, true, labels.size(), x, y, axis)
#define ROWWISE_REDUCE_BACKWARD(name) FUNCTION(name, true, x.size(), x, g.first(labels.size()), y, axis)
#define ROWWISE_GATE(name) FUNCTION(name, true, x.size() / 2, x, y, axis)
#define ROWWISE_GATE_BACKWARD(name) FUNCTION(name, true, x.size(), x, g.first(x.size() / 2), y, axis)
#define ROWWISE_LABEL(name) FUNCTION(name, true, labels.size(), x, labels, y, axis)
#define ROWWISE_LABEL_BACKWARD(name) FUNCTION(name, true, x.size(), x, labels, g.first(labels.size()), y, axis)
#define ROWWISE_LABEL_WITH_GRADIENT(name)                                                      \
  FUNCTION(name, true, labels.size() + x.size(), x, labels, std::span(y).first(labels.size()), \
           std::span(y).last(x.size()), axis)
#define ROWWISE_LEARN(name)                                                                              \
  FUNCTION(name, true, x.size() + axis.length, x, g, g.first(axis.length), std::span(y).first(x.size()), \
           std::span(y).last(axis.length), axis.inner)

#define NORMS                                                                                                         \
  FUNCTION(layer_norm, true, x.size(), x, g.first(axis.length), g.last(axis.length), y, axis)                         \
  FUNCTION(layer_norm_backward, true, x.size() + 2 * axis.length, x, g, g.first(axis.length),                         \
           std::span(y).first(x.size()), std::span(y).subspan(x.size(), axis.length), std::span(y).last(axis.length), \
           axis)                                                                                                      \
  FUNCTION(rms_norm, true, x.size(), x, g.first(axis.length), y, axis)                                                \
  FUNCTION(rms_norm_backward, true, x.size() + axis.length, x, g, g.first(axis.length), std::span(y).first(x.size()), \
           std::span(y).last(axis.length), axis)                                                                      \
  FUNCTION(batch_norm, true, x.size() + 2 * axis.length, x, g.first(axis.length), g.last(axis.length),                \
           std::span(y).first(x.size()), std::span(y).subspan(x.size(), axis.length), std::span(y).last(axis.length), \
           axis)                                                                                                      \
  FUNCTION(batch_norm_backward, true, x.size() + 2 * axis.length, x, g, g.first(axis.length),                         \
           std::span(y).first(x.size()), std::span(y).subspan(x.size(), axis.length), std::span(y).last(axis.length), \
           axis)

template <class T>
const std::vector<Function<T>> functions = {FASTACT_ACTIVATIONS(ACTIVATION) FASTACT_LEARNABLE(LEARNABLE) FASTACT_LOSSES(
    LOSS) FASTACT_GATES(GATE) FASTACT_DROPOUT(DROPOUT) FASTACT_ROWWISE(ROWWISE) NORMS};

template <class T>
using Bits = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;

/// Every other one is any number at all, the rest lie in [-16, 16].
template <class T>
std::vector<T> inputs(std::uint64_t state, std::size_t count) {
  std::vector<T> x(count);
  for (std::size_t i = 0; i < count; ++i) {
    state = state * 6364136223846793005U + 1442695040888963407U;  // Knuth, MMIX
    x[i] = i % 2 == 0 ? std::bit_cast<T>(static_cast<Bits<T>>(state >> (64 - 8 * sizeof(T))))
                      : T(32) * (T(state >> 40) / T(1 << 24)) - T(16);
  }
  return x;
}

/// FNV-1a. All NaNs count as one: which NaN an operation gives is each processor's own affair.
template <class T>
std::uint64_t hash(std::span<const T> y, std::uint64_t h = 14695981039346656037U) {
  for (const T value : y) {
    auto bits = value == value ? std::bit_cast<Bits<T>>(value) : ~Bits<T>{0};
    for (std::size_t byte = 0; byte < sizeof(T); ++byte, bits >>= 8) h = (h ^ (bits & 0xFF)) * 1099511628211U;
  }
  return h;
}
