// Prints a hash of every function's results over inputs spread over all bit patterns and over the usual range, and of
// the conversions from and to half precision, for the instruction set in use: `FASTACT_ISA=avx2 bits [type…]`. What it
// prints is the same for every instruction set and processor.

#include <algorithm>
#include <cstdio>
#include <string_view>

#include "every.hpp"
#include "runtime/dispatch.hpp"

namespace {

constexpr std::size_t count = 1 << 21, row_count = 1 << 17;

/// Short, middling and long rows, and rows side by side.
constexpr fastact::Axis axes[] = {{8}, {64}, {128}, {32, 64}, {1 << 16}};

void show(const char* name, const char* type, std::uint64_t h) {
  std::printf("%s %s %016llx\n", name, type, static_cast<unsigned long long>(h));
}

template <class T>
const std::vector<T> x = inputs<T>(1, count);
template <class T>
const std::vector<T> g = inputs<T>(2, count);

/// Those in [-16, 16], for rows.
template <class T>
std::vector<T> moderate(const std::vector<T>& all) {
  std::vector<T> some;
  for (std::size_t i = 1; some.size() < row_count; i += 2) some.push_back(all[i]);
  return some;
}

template <class T>
void print(const Function<T>& f) {
  std::uint64_t h = hash(std::span<const T>());
  if (f.of_rows) {
    const std::vector<T> row_x = moderate(x<T>), row_g = moderate(g<T>);
    for (const fastact::Axis axis : axes) {
      std::vector<std::int64_t> labels(row_count / axis.length);
      for (std::size_t r = 0; r < labels.size(); ++r) labels[r] = static_cast<std::int64_t>(r % axis.length);
      h = hash<T>(f.call(row_x, row_g, labels, axis), h);
    }
  } else {
    h = hash<T>(f.call(x<T>, g<T>, {}, {.length = 1}));
  }
  show(f.name, sizeof(T) == 4 ? "float32" : "float64", h);
}

/// Every number of the type as a float, and floats rounded to the type.
template <class S>
void print_conversions(const char* type) {
  const fastact::kernels::Conversion<S>& convert = fastact::runtime::conversion<S>();
  std::vector<S> stored;
  for (unsigned bits = 0; bits < 1U << 16; ++bits) stored.push_back({static_cast<std::uint16_t>(bits)});
  std::vector<float> y(stored.size());
  convert.widen(stored.data(), y.data(), y.size());
  show("widen", type, hash<float>(y));

  stored.resize(count);
  y.resize(count);
  convert.narrow(x<float>.data(), stored.data(), count);
  convert.widen(stored.data(), y.data(), count);
  show("narrow", type, hash<float>(y));
}

}  // namespace

int main(int argc, char** argv) {
  const std::vector<std::string_view> types(argv + 1, argv + argc);
  const auto wanted = [&](std::string_view type) {
    return types.empty() || std::find(types.begin(), types.end(), type) != types.end();
  };
  for (std::size_t i = 0; i < functions<float>.size(); ++i) {
    if (wanted("float32")) print(functions<float>[i]);
    if (wanted("float64")) print(functions<double>[i]);
  }
  if (wanted("float16")) print_conversions<fastact::simd::Half>("float16");
  if (wanted("bfloat16")) print_conversions<fastact::simd::Bfloat16>("bfloat16");
}
