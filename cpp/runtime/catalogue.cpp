// Collects the traits of all functions; the only source file outside kernels/ that includes their definitions.
#include "runtime/catalogue.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "functions/activations/list.hpp"
#include "functions/rows/list.hpp"

namespace fastact::runtime {
namespace {

template <class A, std::size_t... i>
constexpr std::array<Constraint, kernels::pass_count> constraints(std::index_sequence<i...>) {
  Constraint input = {}, output = {};
  if constexpr (A::allowed != nullptr) {
    input = output = {[](const double* p) { return A::allows(p[i]...); }, A::allowed};
  }
  if constexpr (A::output_allowed != nullptr) {
    output = {[](const double* p) { return A::output_allows(p[i]...); }, A::output_allowed};
  }
  return {input, input, output, {}};
}

}  // namespace

constinit const std::array<Description, kernels::activation_count> catalogue = {{
#define FASTACT_PARAMETER(name, ...) Parameter{#name __VA_OPT__(, ) __VA_ARGS__},
#define FASTACT_ONE(...) +1
#define FASTACT_DESCRIBE(name, ...)                          \
  {#name,                                                    \
   activations::name::arrays,                                \
   {FASTACT_EACH_PARAMETER(FASTACT_PARAMETER, __VA_ARGS__)}, \
   0 FASTACT_EACH_PARAMETER(FASTACT_ONE, __VA_ARGS__),       \
   activations::Learnable<activations::name>,                \
   activations::name::cost.f32,                              \
   activations::name::cost.f64,                              \
   constraints<activations::name>(std::make_index_sequence<0 FASTACT_EACH_PARAMETER(FASTACT_ONE, __VA_ARGS__)>{})},
    FASTACT_ACTIVATIONS(FASTACT_DESCRIBE) FASTACT_LEARNABLE(FASTACT_DESCRIBE) FASTACT_LOSSES(FASTACT_DESCRIBE)
#undef FASTACT_DESCRIBE
#undef FASTACT_ONE
#undef FASTACT_PARAMETER
}};

constinit const std::array<RowDescription, kernels::row_function_count> row_catalogue = {{
#define FASTACT_DESCRIBE(form, name) \
  {#name, RowSignature(FASTACT_SIGNATURE_##form), rowwise::name().nonempty, rowwise::name().maskable},
    FASTACT_ROWWISE(FASTACT_DESCRIBE)
#undef FASTACT_DESCRIBE
}};

std::string violation(const Description& activation, kernels::Pass pass, const double* parameters, bool in_single) {
  const Constraint& constraint = activation.constraint(pass);
  if (constraint.holds == nullptr) return {};
  std::array<double, kernels::most_parameters> numbers = {};
  std::copy_n(parameters, activation.parameter_count, numbers.begin());
  const bool holds = constraint.holds(parameters);
  if (holds && (!in_single || constraint.holds_in_single(numbers))) return {};
  std::string text = activation.function(pass) + ":";
  for (std::size_t i = 0; i < activation.parameter_count; ++i) {
    char value[32];
    std::snprintf(value, sizeof value, " = %.15g", parameters[i]);
    text.append(i == 0 ? " " : ", ").append(activation.parameters[i].name).append(value);
  }
  return text + " is not allowed; " + constraint.text + " is required" + (holds ? " in float32" : "");
}

}  // namespace fastact::runtime
