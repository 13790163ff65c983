// The C++ functions of norms.
#include "runtime/norms.hpp"

#include <fastact/fastact.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "api/channels.hpp"
#include "runtime/elements.hpp"

namespace fastact {
namespace {

using kernels::Norm;
using kernels::NormPass;

/// An array with one element for each index of the axis, or none.
template <class U>
struct Numbers {
  const char* name;
  std::span<U> span;
};

template <class T>
struct NormArrays {
  std::span<const T> x, g;
  std::span<T> result;
  Numbers<const T> gamma, beta = {"beta", {}};
  std::array<Numbers<T>, 2> results = {};      // of the numbers that the kernel computes
  std::array<Numbers<const T>, 2> given = {};  // mean and variance
};

/// Checks sizes, then normalizes.
template <class T>
void normalize(const char* function, Norm norm, NormPass pass, const NormArrays<T>& of, Axis axis, double eps) {
  const auto [length, inner] = axis;
  const std::size_t size = of.x.size(), slice = length * inner;
  const auto check = [&](const char* name, std::size_t given, std::size_t wanted) {
    if (given != wanted) {
      api::refuse(function,
                  std::string(name) + " has " + std::to_string(given) + " elements, not " + std::to_string(wanted));
    }
  };
  const auto check_optional = [&](const auto& numbers) {
    if (!numbers.span.empty()) check(numbers.name, numbers.span.size(), length);
  };
  const bool backward = pass == NormPass::backward, is_given = pass == NormPass::given, per_row = norm == Norm::batch;
  if (slice == 0 ? size != 0 : size % slice != 0) {
    api::refuse(function, "x has " + std::to_string(size) + " elements; a multiple of length * inner = " +
                              std::to_string(length) + " * " + std::to_string(inner) + " is required");
  }
  if (backward) check("g", of.g.size(), size);
  check(backward ? "dx" : "y", of.result.size(), size);
  check_optional(of.gamma);
  check_optional(of.beta);
  for (const Numbers<T>& numbers : of.results) check_optional(numbers);
  for (const Numbers<const T>& numbers : of.given) {
    if (is_given) check(numbers.name, numbers.span.size(), length);
  }
  if (!(eps >= 0) || std::isinf(eps)) {
    api::refuse(function, "eps is " + std::to_string(eps) + "; 0 <= eps < inf is required");
  }

  constexpr auto item = static_cast<std::ptrdiff_t>(sizeof(T));
  const std::size_t outer = slice == 0 ? 0 : size / slice;
  const auto element = static_cast<std::ptrdiff_t>(inner) * item, row = static_cast<std::ptrdiff_t>(slice) * item;
  const auto rows_of = [&](auto span) {
    T* const data = const_cast<T*>(span.data());
    if (!per_row) return kernels::Segments{{data, 0, element}, 0};
    return inner == 1 ? kernels::Segments{{data, 0, row}, 0} : kernels::Segments{{data, 0, item}, row};
  };
  const auto shared = [](std::span<const T> span) {
    return kernels::Operand{span.empty() ? nullptr : const_cast<T*>(span.data()), item, 0};
  };
  std::array<std::vector<double>, 2> numbers;
  for (std::size_t k = 0; k < 2; ++k) {
    numbers[k].assign(length, backward ? 0.0 : std::numeric_limits<double>::quiet_NaN());
    if (is_given) std::ranges::copy(of.given[k].span, numbers[k].begin());
  }
  const std::size_t row_length = per_row ? outer * inner : length;
  const kernels::NormCall call = {.norm = norm,
                                  .pass = pass,
                                  .x = rows_of(of.x),
                                  .g = rows_of(of.g),
                                  .result = rows_of(of.result),
                                  .length = row_length,
                                  .segment = per_row && inner != 1 ? inner : row_length,
                                  .format = runtime::format<T>,
                                  .gamma = shared(of.gamma.span),
                                  .beta = shared(of.beta.span),
                                  .eps = eps,
                                  .first = numbers[0].data(),
                                  .second = numbers[1].data()};
  if (size != 0) {
    const runtime::NormAxis outermost = {outer, {row, row, row}}, within = {inner, {item, item, item}},
                            channels = {length, {element, element, element}}, both[] = {outermost, within};
    runtime::run(call, per_row ? std::span(&channels, 1) : std::span(both).first(inner == 1 ? 1 : 2));
  }
  for (std::size_t k = 0; k < 2; ++k) {
    const std::span<T> to = of.results[k].span;
    for (std::size_t i = 0; i < to.size(); ++i) to[i] = static_cast<T>(numbers[k][i]);
  }
}

}  // namespace

#define FASTACT_DEFINE_NORMS(T)                                                                                        \
  void layer_norm(std::span<const T> x, std::span<const T> gamma, std::span<const T> beta, std::span<T> y, Axis axis,  \
                  double eps) {                                                                                        \
    normalize<T>("layer_norm", Norm::layer, NormPass::forward, {x, {}, y, {"gamma", gamma}, {"beta", beta}}, axis,     \
                 eps);                                                                                                 \
  }                                                                                                                    \
  void layer_norm_backward(std::span<const T> x, std::span<const T> g, std::span<const T> gamma, std::span<T> dx,      \
                           std::span<T> dgamma, std::span<T> dbeta, Axis axis, double eps) {                           \
    normalize<T>("layer_norm_backward", Norm::layer, NormPass::backward,                                               \
                 {x, g, dx, {"gamma", gamma}, {}, {{{"dgamma", dgamma}, {"dbeta", dbeta}}}}, axis, eps);               \
  }                                                                                                                    \
  void rms_norm(std::span<const T> x, std::span<const T> gamma, std::span<T> y, Axis axis, double eps) {               \
    normalize<T>("rms_norm", Norm::rms, NormPass::forward, {x, {}, y, {"gamma", gamma}}, axis, eps);                   \
  }                                                                                                                    \
  void rms_norm_backward(std::span<const T> x, std::span<const T> g, std::span<const T> gamma, std::span<T> dx,        \
                         std::span<T> dgamma, Axis axis, double eps) {                                                 \
    normalize<T>("rms_norm_backward", Norm::rms, NormPass::backward,                                                   \
                 {x, g, dx, {"gamma", gamma}, {}, {{{"dgamma", dgamma}, {}}}}, axis, eps);                             \
  }                                                                                                                    \
  void batch_norm(std::span<const T> x, std::span<const T> gamma, std::span<const T> beta, std::span<T> y,             \
                  std::span<T> mean, std::span<T> variance, Axis axis, double eps) {                                   \
    normalize<T>("batch_norm", Norm::batch, NormPass::forward,                                                         \
                 {x, {}, y, {"gamma", gamma}, {"beta", beta}, {{{"mean", mean}, {"variance", variance}}}}, axis, eps); \
  }                                                                                                                    \
  void batch_norm_backward(std::span<const T> x, std::span<const T> g, std::span<const T> gamma, std::span<T> dx,      \
                           std::span<T> dgamma, std::span<T> dbeta, Axis axis, double eps) {                           \
    normalize<T>("batch_norm_backward", Norm::batch, NormPass::backward,                                               \
                 {x, g, dx, {"gamma", gamma}, {}, {{{"dgamma", dgamma}, {"dbeta", dbeta}}}}, axis, eps);               \
  }                                                                                                                    \
  void batch_norm_inference(std::span<const T> x, std::span<const T> mean, std::span<const T> variance,                \
                            std::span<const T> gamma, std::span<const T> beta, std::span<T> y, Axis axis,              \
                            double eps) {                                                                              \
    normalize<T>("batch_norm_inference", Norm::batch, NormPass::given,                                                 \
                 {x, {}, y, {"gamma", gamma}, {"beta", beta}, {}, {{{"mean", mean}, {"variance", variance}}}}, axis,   \
                 eps);                                                                                                 \
  }
FASTACT_DEFINE_NORMS(float)
FASTACT_DEFINE_NORMS(double)

}  // namespace fastact
