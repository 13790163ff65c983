// The C++ functions of activations.
#include <fastact/fastact.hpp>

#include <array>
#include <initializer_list>
#include <string>

#include "api/channels.hpp"
#include "runtime/catalogue.hpp"
#include "runtime/channels.hpp"
#include "runtime/dispatch.hpp"
#include "runtime/elements.hpp"
#include "runtime/gates.hpp"

namespace fastact {
namespace {

using kernels::Activation;
using kernels::Pass;

std::string sizes(const char* name, std::size_t size, std::size_t expected) {
  return std::string(name) + " has " + std::to_string(size) + " elements, the output " + std::to_string(expected);
}

/// A call on contiguous arrays.
template <class T>
runtime::ElementCall element_call(Activation which, Pass pass, std::initializer_list<std::span<const T>> arrays,
                                  std::span<T> out) {
  const runtime::Description& activation = runtime::describe(which);
  runtime::ElementCall call = {.kernel = runtime::kernel<T>(which, pass),
                               .cost = activation.cost<T>(),
                               .arrays = 0,
                               .parameters = activation.parameter_count,
                               .format = runtime::format<T>,
                               .array_type = runtime::ArrayType::as_format,
                               .parameter_type = runtime::ParameterType::float64,
                               .inputs = {},
                               .output = out.data(),
                               .output_stride = sizeof(T)};
  for (const std::span<const T> array : arrays) {
    if (array.size() != out.size()) {
      api::refuse(activation.function(pass), sizes(activation.inputs(pass)[call.arrays], array.size(), out.size()));
    }
    call.inputs[call.arrays++] = {array.data(), sizeof(T)};
  }
  return call;
}

/// Computes with parameters that are numbers.
template <class T>
void compute(Activation which, Pass pass, std::initializer_list<std::span<const T>> arrays, std::span<T> out,
             std::initializer_list<double> parameters) {
  runtime::ElementCall call = element_call(which, pass, arrays, out);
  const std::string violation =
      runtime::violation(runtime::describe(which), pass, parameters.begin(), sizeof(T) == sizeof(float));
  if (!violation.empty()) throw std::invalid_argument(violation);
  for (std::size_t k = 0; k < parameters.size(); ++k) call.inputs[call.arrays + k] = {parameters.begin() + k, 0};
  runtime::run(call, out.size());
}

/// Computes with a parameter that has one element for each channel.
template <class T>
void compute(Activation which, std::span<const T> x, std::span<const T> parameter, std::span<T> y, std::size_t inner) {
  const api::ChannelLayout layout(runtime::describe(which).name, x.size(), parameter.size(), inner);
  runtime::ElementCall call = element_call(which, Pass::forward, {x}, y);
  call.parameter_type = runtime::ParameterType::computed;
  call.inputs[1] = {parameter.data(), sizeof(T)};
  if (!x.empty()) runtime::run(call, runtime::Channels{layout.channels, layout.inner}, x.size());
}

template <class T>
void compute_gate_gradients(Activation which, std::array<std::span<const T>, 3> inputs,
                            std::array<std::span<T>, 2> outputs) {
  const std::size_t n = outputs[0].size();
  const auto check = [&](const char* name, std::size_t size) {
    if (size != n) {
      api::refuse(runtime::describe(which).function(Pass::gate) + "_backward", sizes(name, size, n));
    }
  };
  constexpr std::array names = {"a", "b", "g"};
  for (std::size_t k = 0; k < inputs.size(); ++k) check(names[k], inputs[k].size());
  check("db", outputs[1].size());
  runtime::GateGradientCall call = {.activation = which, .format = runtime::format<T>, .inputs = {}, .outputs = {}};
  for (std::size_t k = 0; k < inputs.size(); ++k) call.inputs[k] = {inputs[k].data(), sizeof(T)};
  for (std::size_t k = 0; k < outputs.size(); ++k) call.outputs[k] = {outputs[k].data(), sizeof(T)};
  runtime::run(call, n);
}

}  // namespace

#define FASTACT_PARAMETER(name, ...) , double name
#define FASTACT_ARGUMENT(name, ...) name,
#define FASTACT_FORWARD(T, name, ...)                                                                             \
  void name(std::span<const T> x, std::span<T> y FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)) {        \
    compute<T>(Activation::name, Pass::forward, {x}, y, {FASTACT_EACH_PARAMETER(FASTACT_ARGUMENT, __VA_ARGS__)}); \
  }
#define FASTACT_BACKWARD(T, name, ...)                                                                                 \
  void name##_backward(std::span<const T> x, std::span<const T> g,                                                     \
                       std::span<T> dx FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)) {                       \
    compute<T>(Activation::name, Pass::backward, {x, g}, dx, {FASTACT_EACH_PARAMETER(FASTACT_ARGUMENT, __VA_ARGS__)}); \
  }
#define FASTACT_BY_CHANNEL(T, name)                                                                  \
  void name(std::span<const T> x, std::span<const T> parameter, std::span<T> y, std::size_t inner) { \
    compute<T>(Activation::name, x, parameter, y, inner);                                            \
  }
#define FASTACT_DEFINE_ACTIVATION(...) \
  FASTACT_FORWARD(float, __VA_ARGS__)  \
  FASTACT_FORWARD(double, __VA_ARGS__) \
  FASTACT_BACKWARD(float, __VA_ARGS__) \
  FASTACT_BACKWARD(double, __VA_ARGS__)
#define FASTACT_DEFINE_LEARNABLE(name, ...)                \
  FASTACT_FORWARD(float, name __VA_OPT__(, ) __VA_ARGS__)  \
  FASTACT_FORWARD(double, name __VA_OPT__(, ) __VA_ARGS__) \
  FASTACT_BY_CHANNEL(float, name)                          \
  FASTACT_BY_CHANNEL(double, name)
#define FASTACT_DEFINE_LOSS_FOR(T, name, ...)                                                                        \
  void name(std::span<const T> x, std::span<const T> t,                                                              \
            std::span<T> y FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)) {                                 \
    compute<T>(Activation::name, Pass::forward, {x, t}, y, {FASTACT_EACH_PARAMETER(FASTACT_ARGUMENT, __VA_ARGS__)}); \
  }                                                                                                                  \
  void name##_backward(std::span<const T> x, std::span<const T> t, std::span<const T> g,                             \
                       std::span<T> dx FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)) {                     \
    compute<T>(Activation::name, Pass::backward, {x, t, g}, dx,                                                      \
               {FASTACT_EACH_PARAMETER(FASTACT_ARGUMENT, __VA_ARGS__)});                                             \
  }
#define FASTACT_DEFINE_LOSS(...) \
  FASTACT_DEFINE_LOSS_FOR(float, __VA_ARGS__) FASTACT_DEFINE_LOSS_FOR(double, __VA_ARGS__)
FASTACT_LOSSES(FASTACT_DEFINE_LOSS)
FASTACT_ACTIVATIONS(FASTACT_DEFINE_ACTIVATION)
FASTACT_LEARNABLE(FASTACT_DEFINE_LEARNABLE)

#define FASTACT_DEFINE_GATE_FOR(T, name)                                                                       \
  void name##_gate(std::span<const T> a, std::span<const T> b, std::span<T> y) {                               \
    compute<T>(Activation::name, Pass::gate, {a, b}, y, {});                                                   \
  }                                                                                                            \
  void name##_gate_backward(std::span<const T> a, std::span<const T> b, std::span<const T> g, std::span<T> da, \
                            std::span<T> db) {                                                                 \
    compute_gate_gradients<T>(Activation::name, {a, b, g}, {da, db});                                          \
  }
#define FASTACT_DEFINE_GATE(name) FASTACT_DEFINE_GATE_FOR(float, name) FASTACT_DEFINE_GATE_FOR(double, name)
FASTACT_GATES(FASTACT_DEFINE_GATE)

}  // namespace fastact
