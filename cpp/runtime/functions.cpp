#include <fastact/fastact.hpp>

#include <array>
#include <cstdio>
#include <initializer_list>
#include <stdexcept>
#include <string>

#include "runtime/dispatch.hpp"
#include "runtime/threads.hpp"
#include "simd/environment.hpp"

namespace fastact {

std::string violation(const Description& activation, Pass pass, const double* parameters) {
  std::string text = activation.function(pass) + ":";
  for (std::size_t i = 0; i < activation.parameter_count; ++i) {
    char value[32];
    std::snprintf(value, sizeof value, " = %.17g", parameters[i]);
    text.append(i == 0 ? " " : ", ").append(activation.parameters[i].name).append(value);
  }
  return text + " is not allowed; " + activation.constraints[static_cast<std::size_t>(pass)].text + " is required";
}

namespace {

template <class T>
void call(Activation which, Pass pass, std::initializer_list<std::span<const T>> arrays, std::span<T> out,
          std::initializer_list<double> parameters) {
  const Description& activation = catalogue[static_cast<std::size_t>(which)];
  constexpr std::array<const char*, 2> names = {"x", "g"};
  std::array<const T*, names.size() + most_parameters> inputs = {};
  std::size_t i = 0;
  for (const std::span<const T> array : arrays) {
    if (array.size() != out.size()) {
      throw std::invalid_argument(activation.function(pass) + ": " + names[i] + " has " + std::to_string(array.size()) +
                                  " elements, the output " + std::to_string(out.size()));
    }
    inputs[i++] = array.data();
  }
  const Constraint constraint = activation.constraints[static_cast<std::size_t>(pass)];
  if (constraint.holds != nullptr && !constraint.holds(parameters.begin())) {
    throw std::invalid_argument(violation(activation, pass, parameters.begin()));
  }
  std::array<T, most_parameters> values = {};
  for (std::size_t k = 0; k < parameters.size(); ++k) {
    values[k] = static_cast<T>(parameters.begin()[k]);
    inputs[i + k] = &values[k];
  }
  const Kernel kernel = fastact::kernel<T>(which, pass);
  split(out.size(), [&](std::size_t begin, std::size_t end) {
    const simd::FloatEnvironment clean;
    std::array<const void*, inputs.size()> from = {};
    for (std::size_t k = 0; k < from.size(); ++k) from[k] = k < arrays.size() ? inputs[k] + begin : inputs[k];
    kernel(from.data(), out.data() + begin, end - begin, true);
  });
}

}  // namespace

#define FASTACT_PARAMETER(name, ...) , double name
#define FASTACT_ARGUMENT(name, ...) name,
#define FASTACT_DEFINE_FORWARD(T, name, ...)                                                                   \
  void name(std::span<const T> x, std::span<T> y FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)) {     \
    call<T>(Activation::name, Pass::forward, {x}, y, {FASTACT_EACH_PARAMETER(FASTACT_ARGUMENT, __VA_ARGS__)}); \
  }
#define FASTACT_DEFINE_BACKWARD(T, name, ...)                                                                       \
  void name##_backward(std::span<const T> x, std::span<const T> g,                                                  \
                       std::span<T> dx FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)) {                    \
    call<T>(Activation::name, Pass::backward, {x, g}, dx, {FASTACT_EACH_PARAMETER(FASTACT_ARGUMENT, __VA_ARGS__)}); \
  }
#define FASTACT_FORWARD(...)                 \
  FASTACT_DEFINE_FORWARD(float, __VA_ARGS__) \
  FASTACT_DEFINE_FORWARD(double, __VA_ARGS__)
#define FASTACT_BACKWARD(...)                 \
  FASTACT_DEFINE_BACKWARD(float, __VA_ARGS__) \
  FASTACT_DEFINE_BACKWARD(double, __VA_ARGS__)
FASTACT_ACTIVATIONS(FASTACT_FORWARD)
FASTACT_ACTIVATIONS(FASTACT_BACKWARD)
FASTACT_LEARNABLE(FASTACT_FORWARD)

}  // namespace fastact
