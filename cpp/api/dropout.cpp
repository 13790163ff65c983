// The C++ functions of dropout.
#include <fastact/fastact.hpp>

#include <string>

#include "api/channels.hpp"
#include "runtime/dropout.hpp"
#include "runtime/elements.hpp"

namespace fastact {
namespace {

template <class T>
void compute(const char* name, std::span<const T> x, std::span<T> y, double rate, std::uint64_t seed,
             std::uint64_t offset) {
  if (x.size() != y.size()) {
    api::refuse(name,
                "the input has " + std::to_string(x.size()) + " elements, the output " + std::to_string(y.size()));
  }
  if (offset >> 63 != 0) api::refuse(name, "offset is " + std::to_string(offset) + "; offset < 2^63 is required");
  const kernels::DropoutCall call = runtime::dropout_call(name, rate, seed, runtime::format<T>);
  runtime::drop(call, runtime::format<T>, x.data(), y.data(), offset, {{x.size(), sizeof(T), sizeof(T), 1}});
}

}  // namespace

#define FASTACT_DEFINE_DROPOUT_FOR(T, name)                                                                \
  void name(std::span<const T> x, std::span<T> y, double rate, std::uint64_t seed, std::uint64_t offset) { \
    compute<T>(#name, x, y, rate, seed, offset);                                                           \
  }
#define FASTACT_DEFINE_DROPOUT(name) FASTACT_DEFINE_DROPOUT_FOR(float, name) FASTACT_DEFINE_DROPOUT_FOR(double, name)
FASTACT_DROPOUT(FASTACT_DEFINE_DROPOUT)

}  // namespace fastact
