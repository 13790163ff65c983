// The interface between kernels and their callers: how a kernel is called, and the tables that contain it.
#pragma once

#include <fastact/list.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <tuple>

#include "simd/half.hpp"

namespace fastact::kernels {

enum class Activation : std::size_t {
#define FASTACT_NAME(name, ...) name,
  FASTACT_ACTIVATIONS(FASTACT_NAME) FASTACT_LEARNABLE(FASTACT_NAME) FASTACT_LOSSES(FASTACT_NAME)
#undef FASTACT_NAME
};

/// Kernels of row functions that the list does not contain in this form: the cross-entropies with targets and weights.
#define FASTACT_ROW_VARIANTS(X)      \
  X(VARIANT, weighted_cross_entropy) \
  X(VARIANT, weighted_cross_entropy_backward)

enum class RowFunction : std::size_t {
#define FASTACT_NAME(form, name) name,
  FASTACT_ROWWISE(FASTACT_NAME) FASTACT_ROW_VARIANTS(FASTACT_NAME)
#undef FASTACT_NAME
};

#define FASTACT_ONE(...) +1
constexpr std::size_t activation_count =
    0 FASTACT_ACTIVATIONS(FASTACT_ONE) FASTACT_LEARNABLE(FASTACT_ONE) FASTACT_LOSSES(FASTACT_ONE);
constexpr std::size_t row_function_count = 0 FASTACT_ROWWISE(FASTACT_ONE);
constexpr std::size_t row_kernel_count = row_function_count FASTACT_ROW_VARIANTS(FASTACT_ONE);
#undef FASTACT_ONE

/// The activations with a gate that is a function of its own.
inline constexpr std::array gates = {
#define FASTACT_NAME(name) Activation::name,
    FASTACT_GATES(FASTACT_NAME)
#undef FASTACT_NAME
};

enum class Pass : std::size_t { forward, backward, backward_from_output, gate };
constexpr std::size_t pass_count = 4;
/// The passes that an activation may have.
inline constexpr std::array passes = {Pass::forward, Pass::backward, Pass::backward_from_output};

constexpr std::size_t most_parameters = 2, most_inputs = 4;

/// How an elementwise kernel is called. `uniform`: each parameter is one number, not one for each element of the
/// output. `streaming`: the output is written with non-temporal stores.
struct Mode {
  bool uniform, streaming;
};

/// Computes n contiguous elements. The inputs are the arrays (x or y, then g; x, t, g; a, b), of the output's element
/// type, then the parameters, of the type in which the kernel computes. The output may be one of the arrays.
using Kernel = void (*)(const void* const* inputs, void* output, std::size_t n, Mode mode);

/// The kernels of one activation and element type, by pass; nullptr where there is none.
using Kernels = std::array<Kernel, pass_count>;

/// Computes both gradients of n floats of a gate f(a) b: g b f'(a) for a, then g f(a) for b. The inputs are a, b and g,
/// any of which an output may be.
using GateKernel = void (*)(const void* const* inputs, void* const* outputs, std::size_t n);

/// The kernels for arrays of half precision have parameters of type float. There are some for functions that take less
/// time than the conversion of the arrays to float and back.
struct ElementEntry {
  Kernels f32, f64, f16, bf16;
  GateKernel gate_gradients;  // where this takes less time than one kernel for each; else nullptr
};
using ElementTable = std::array<ElementEntry, activation_count>;

/// An array in a call of a row function. Strides are in bytes and are multiples of the size of an element.
struct Operand {
  void* data;
  std::ptrdiff_t row, element;
  char* at(std::size_t r, std::size_t j) const {
    return static_cast<char*>(data) + static_cast<std::ptrdiff_t>(r) * row + static_cast<std::ptrdiff_t>(j) * element;
  }
};

/// The types in which numbers are stored.
enum class Format { f64, f32, f16, bf16 };
constexpr std::ptrdiff_t size_of(Format format) { return format == Format::f64 ? 8 : format == Format::f32 ? 4 : 2; }

constexpr std::size_t most_operands = 6;

/// Rows of one length. The operands are the inputs, rows before single numbers, then the outputs in the same order. An
/// output may be an input of the same strides. Single numbers without data are 1. Where `split` is given, it divides
/// the parts of each row, of that cost, among threads.
struct RowCall {
  std::array<Operand, most_operands> operands;
  std::size_t length;
  /// The formats of rows and of the single numbers beside them. Labels are int64; a learned parameter has the type in
  /// which the kernel computes, and its gradient is double.
  Format rows_format, format;
  /// For functions that are `maskable`, booleans of one byte and of the rows' length. An element whose boolean is false
  /// takes no part, whatever it holds. Where data is null, every element takes part.
  Operand mask;
  /// For functions of labels, the label whose rows have the result and the gradient 0. Where it is null, there is none.
  const std::int64_t* ignored;
  /// For functions with `targets`, the labels that are 1 where the operand of the targets has no data, and by how much
  /// targets are smoothed. Weights have the type in which the kernel computes; without data they are 1.
  Operand labels;
  double smoothing;
  void (*split)(std::size_t n, std::size_t cost, void (*body)(const void*, std::size_t, std::size_t), const void*);
};

/// Computes the rows from begin to end.
using RowKernel = void (*)(const RowCall&, std::size_t begin, std::size_t end);

struct RowEntry {
  RowKernel f32, f64;
};
using RowTable = std::array<RowEntry, row_kernel_count>;

/// Dropout with the numbers of the stream that has this key. An element whose number is below `threshold` becomes 0,
/// any other is multiplied by the sum of the scales. The numbers have 32 bits; a threshold of 2^32 is above all of
/// them.
struct DropoutCall {
  std::uint64_t seed, threshold;
  double scale[2];
};

/// Computes n contiguous elements; `first` is the place of the first one's number in the stream.
using DropoutKernel = void (*)(const DropoutCall&, const void* x, void* y, std::size_t n, std::uint64_t first,
                               bool streaming);

struct DropoutEntry {
  DropoutKernel f32, f64;
};

/// Normalizations: of rows by mean and deviation, of rows by their root mean square, of channels by mean and deviation.
enum class Norm : std::size_t { layer, rms, batch };

/// The passes of a norm. `given` is the forward pass with mean and variance that are given.
enum class NormPass : std::size_t { forward, backward, given };

/// An array of rows, of which each consists of segments that are `segment` bytes apart.
struct Segments {
  Operand rows;
  std::ptrdiff_t segment;
};

/// Rows that are normalized. x, g and the result, which may be x or g, have rows of `length` elements, `segment` of
/// them in each of their segments.
struct NormCall {
  Norm norm;
  NormPass pass;
  Segments x, g, result;
  std::size_t length, segment;
  Format format;
  /// The factor and what is added, or null, of the type computed in: one for each row of a batch norm, else contiguous
  /// ones for the elements of every row.
  Operand gamma, beta;
  double eps;
  /// A batch norm has two numbers for each row here: mean and variance or, in a backward pass, the gradients of gamma
  /// and beta. In the backward passes of other norms, kernels add these gradients to `length` sums each, which are
  /// followed by their low parts if the kernel computes in double.
  double *first, *second;
};

/// Normalizes the rows from begin to end.
using NormKernel = void (*)(const NormCall&, std::size_t begin, std::size_t end);

struct NormEntry {
  NormKernel f32, f64;
};

/// Conversions of n elements between float and the half-precision type S.
template <class S>
struct Conversion {
  void (*widen)(const S* from, float* to, std::size_t n);
  void (*narrow)(const float* from, S* to, std::size_t n);
};

/// The address of a function. Only the caller knows its type.
using Address = void (*)();

/// Functions of single numbers, T(T x, T parameters…) or T(T x, T g, T parameters…), for compilers that call them from
/// their own loops; nullptr for a function that does not exist. They compute in the floating-point environment of the
/// caller and may leave exception flags set. The vector functions take and return registers of vector_bytes instead of
/// numbers, by the C calling convention of the platform.
struct Singles {
  using Lookup = Address (*)(Activation, Pass);
  Lookup f32, f64, vector_f32 = nullptr, vector_f64 = nullptr;
  std::size_t vector_bytes = 0;
};

/// All kernels for one instruction set.
struct InstructionSet {
  std::string_view name;
  bool (*supported)();
  std::tuple<Conversion<simd::Half>, Conversion<simd::Bfloat16>> conversions;
  const ElementTable& elements;
  const RowTable& rows;
  const NormEntry& norms;
  const DropoutEntry& dropout;
  const Singles& singles;
};

// runtime/dispatch.cpp knows which of these are part of the build.
extern const InstructionSet avx512, avx2, neon, portable;

}  // namespace fastact::kernels
