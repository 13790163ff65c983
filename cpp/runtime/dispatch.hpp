#pragma once

#include <array>
#include <cstddef>
#include <string_view>
#include <tuple>
#include <vector>

#include "runtime/catalogue.hpp"
#include "simd/half.hpp"

namespace fastact {

/// How a kernel goes about its arrays: each parameter is one element, rather than one for each element of the output;
/// and the output is written past the caches.
struct Mode {
  bool uniform, streaming;
};

/// f over n contiguous elements. Inputs are the arrays (x or y, then g), then the parameters, all of the output's
/// element type. The output may be one of the arrays.
using Kernel = void (*)(const void* const* inputs, void* output, std::size_t n, Mode mode);

/// The kernels of one activation and element type, by pass; nullptr where there is none.
using Kernels = std::array<Kernel, pass_suffixes.size()>;

struct Entry {
  Kernels f32, f64;
};
using Table = std::array<Entry, std::size(catalogue)>;

/// An array of a row-wise call: element j of row r; strides in bytes, multiples of the element's size.
struct Operand {
  void* data;
  std::ptrdiff_t row, element;
  char* at(std::size_t r, std::size_t j) const {
    return static_cast<char*>(data) + static_cast<std::ptrdiff_t>(r) * row + static_cast<std::ptrdiff_t>(j) * element;
  }
};

/// How numbers lie in memory.
enum class Format { f64, f32, f16, bf16 };
constexpr std::ptrdiff_t size_of(Format format) { return format == Format::f64 ? 8 : format == Format::f32 ? 4 : 2; }

constexpr std::size_t most_operands = 5;

/// Rows of one length. Inputs come first, rows before single numbers, then outputs, likewise. An output may be an
/// input of the same strides. Where `split` is given, it divides the pieces of each row, of that cost, among
/// threads.
struct RowCall {
  std::array<Operand, most_operands> operands;
  std::size_t length;
  /// Of rows, and of the single numbers beside them; but labels are int64, a learned parameter is as computed with, and
  /// its gradient double.
  Format rows_format, format;
  void (*split)(std::size_t n, std::size_t cost, void (*body)(const void*, std::size_t, std::size_t), const void*);
};

/// A row function over rows begin to end.
using RowKernel = void (*)(const RowCall&, std::size_t begin, std::size_t end);

struct RowEntry {
  RowKernel f32, f64;
};
using RowTable = std::array<RowEntry, std::size(row_catalogue)>;

/// Between n floats and the type S they are stored as.
template <class S>
struct Conversion {
  void (*widen)(const S* from, float* to, std::size_t n);
  void (*narrow)(const float* from, S* to, std::size_t n);
};

struct InstructionSet {
  std::string_view name;
  bool (*supported)();
  std::tuple<Conversion<simd::Half>, Conversion<simd::Bfloat16>> conversions;
  Table table;
  RowTable rows;
};

// What this build has is in dispatch.cpp.
extern const InstructionSet avx512, avx2, neon, portable;

/// Every instruction set of this build, best first.
std::vector<const InstructionSet*> built();
/// Those that this processor runs.
std::vector<const InstructionSet*> available();
/// The one in use: the best, unless FASTACT_ISA or a call of use() names another.
const InstructionSet& current();
/// std::invalid_argument, naming those available, unless name is one of them.
void use(std::string_view name);

/// The kernel in use, nullptr where there is none.
template <class T>
Kernel kernel(Activation activation, Pass pass) {
  const Entry& entry = current().table[static_cast<std::size_t>(activation)];
  return (sizeof(T) == sizeof(float) ? entry.f32 : entry.f64)[static_cast<std::size_t>(pass)];
}

template <class T>
RowKernel kernel(RowFunction function) {
  const RowEntry& entry = current().rows[static_cast<std::size_t>(function)];
  return sizeof(T) == sizeof(float) ? entry.f32 : entry.f64;
}

/// The conversion in use.
template <class S>
const Conversion<S>& conversion() {
  return std::get<Conversion<S>>(current().conversions);
}

}  // namespace fastact
