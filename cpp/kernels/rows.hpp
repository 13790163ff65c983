#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <type_traits>
#include <utility>

#include "rowwise/list.hpp"
#include "runtime/dispatch.hpp"
#include "simd/simd.hpp"

namespace fastact::kernels {
// Of each instruction set's own, for none may run what was compiled for another.
namespace {

/// The order of every sum, whatever the instruction set, the strides and the threads: a row is cut into pieces; element
/// j of a row is added to its piece's sum j modulo `sums_of_piece`; these are added in halves, and the pieces' sums in
/// turn.
template <class T>
constexpr std::size_t sums_of_piece = 128 / sizeof(T);

/// Pieces begin at multiples of 64, where a vector and the first of the sums do too.
struct Pieces {
  static constexpr std::size_t most = 16, least_length = 32768;
  std::size_t length, count, size;

  explicit Pieces(std::size_t n)
      : length(n), count(n < least_length ? 1 : most), size((n + 64 * count - 1) / (64 * count) * 64) {}
  std::size_t begin(std::size_t i) const { return std::min(length, i * size); }
};

/// A place in an array, and how far apart its neighbours are, in bytes.
struct Place {
  char* p;
  std::ptrdiff_t stride;
  template <class S>
  S& at(std::size_t i) const {
    return *reinterpret_cast<S*>(p + static_cast<std::ptrdiff_t>(i) * stride);
  }
};

/// Element j of row r, and on along the row, or across the rows.
Place along(const Operand& o, std::size_t r, std::size_t j = 0) { return {o.at(r, j), o.element}; }
Place across(const Operand& o, std::size_t r, std::size_t j = 0) { return {o.at(r, j), o.row}; }

template <class T>
constexpr Format native = std::is_same_v<T, double> ? Format::f64 : Format::f32;

/// Whether results come in S; double is computed from floats too, but not stored as such.
template <class T, class S>
constexpr bool is_stored_as = std::is_same_v<T, S> || std::is_same_v<T, float>;

/// f(S*), S being the type of the format that T can be computed from.
template <class T, class F>
auto with_type(Format format, F f) {
  if (format == native<T>) return f(static_cast<T*>(nullptr));
  if (format == Format::f16) return f(static_cast<simd::Half*>(nullptr));
  if (format == Format::bf16) return f(static_cast<simd::Bfloat16*>(nullptr));
  return f(static_cast<float*>(nullptr));
}

/// A vector of the first elements of a buffer of floats, or of less, as doubles.
template <class V, class S>
V load_buffer(const S* buffer) {
  if constexpr (is_stored_as<typename V::Element, S>) {
    return V::load(buffer);
  } else {
    float floats[V::template Of<float>::size];
    double doubles[V::size];
    V::template Of<float>::load(buffer, V::size).store(floats);
    std::copy_n(floats, V::size, doubles);
    return V::load(doubles);
  }
}

/// What does not lie contiguous in the type computed in. Not inlined, for the sake of what does.
template <class V>
[[gnu::noinline]] V gather(Format format, Place from, std::size_t count) {
  return with_type<typename V::Element>(format, [&]<class S>(S*) {
    if constexpr (is_stored_as<typename V::Element, S>) {
      if (from.stride == sizeof(S) && count == V::size) return V::load(reinterpret_cast<const S*>(from.p));
    }
    S buffer[V::size] = {};
    for (std::size_t i = 0; i < count; ++i) buffer[i] = from.at<S>(i);
    return load_buffer<V>(buffer);
  });
}

template <class V>
[[gnu::noinline]] void scatter(Format format, V v, Place to, std::size_t count) {
  with_type<typename V::Element>(format, [&]<class S>(S*) {
    if constexpr (is_stored_as<typename V::Element, S>) {
      if (to.stride == sizeof(S) && count == V::size) return v.store(reinterpret_cast<S*>(to.p));
      S buffer[V::size];
      v.store(buffer);
      for (std::size_t i = 0; i < count; ++i) to.at<S>(i) = buffer[i];
    }
  });
}

/// A vector of `count` neighbours from the place on, the other lanes 0.
template <class V>
V load(Format format, Place from, std::size_t count) {
  using T = typename V::Element;
  if (format != native<T> || from.stride != sizeof(T)) return gather<V>(format, from, count);
  const T* const p = reinterpret_cast<const T*>(from.p);
  return count == V::size ? V::load(p) : V::load(p, count);
}

template <class V>
void store(Format format, V v, Place to, std::size_t count) {
  using T = typename V::Element;
  if (format != native<T> || to.stride != sizeof(T)) return scatter(format, v, to, count);
  T* const p = reinterpret_cast<T*>(to.p);
  return count == V::size ? v.store(p) : v.store(p, count);
}

/// Short rows that do not lie side by side are brought so, a block at a time.
constexpr std::size_t short_row = 256;
template <class V>
using Block = typename V::Element[short_row][V::size];

/// block[j][i] = element j of row i.
template <class V>
[[gnu::noinline, gnu::flatten]] void read(Block<V>& block, std::size_t length, std::size_t rows, Format format,
                                          const Operand& from) {
  using T = typename V::Element;
  using Isa = typename V::InstructionSet;
  if (format == native<T> && from.element == sizeof(T)) {
    for (std::size_t i = 0; i < rows; i += V::lanes) {
      for (std::size_t j = 0; j < length; j += V::lanes) {
        const std::size_t n = std::min(V::lanes, length - j);
        typename V::Square square;
        for (std::size_t k = 0; k < V::lanes; ++k) {
          const T* const p = reinterpret_cast<const T*>(from.at(std::min(i + k, rows - 1), j));
          square.rows[k] = n == V::lanes ? Isa::load(p) : Isa::load(p, n);
        }
        square.transpose();
        for (std::size_t k = 0; k < n; ++k) Isa::store(block[j + k] + i, square.rows[k]);
      }
    }
    return;
  }
  T line[short_row];
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < length; j += V::size) {
      load<V>(format, along(from, i, j), std::min(V::size, length - j)).store(line + j);
    }
    for (std::size_t j = 0; j < length; ++j) block[j][i] = line[j];
  }
}

/// Element first + j of row + i = block[j][i].
template <class V>
[[gnu::noinline, gnu::flatten]] void write(const Block<V>& block, std::size_t length, std::size_t rows, Format format,
                                           const Operand& to, std::size_t row, std::size_t first) {
  using T = typename V::Element;
  using Isa = typename V::InstructionSet;
  if (format == native<T> && to.element == sizeof(T)) {
    for (std::size_t i = 0; i < rows; i += V::lanes) {
      for (std::size_t j = 0; j < length; j += V::lanes) {
        const std::size_t n = std::min(V::lanes, length - j);
        typename V::Square square;
        for (std::size_t k = 0; k < V::lanes; ++k) square.rows[k] = Isa::load(block[std::min(j + k, length - 1)] + i);
        square.transpose();
        for (std::size_t k = 0; k < std::min(V::lanes, rows - i); ++k) {
          T* const p = reinterpret_cast<T*>(to.at(row + i + k, first + j));
          n == V::lanes ? Isa::store(p, square.rows[k]) : Isa::store(p, square.rows[k], n);
        }
      }
    }
    return;
  }
  T line[short_row];
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < length; ++j) line[j] = block[j][i];
    for (std::size_t j = 0; j < length; j += V::size) {
      store(format, V::load(line + j), along(to, row + i, first + j), std::min(V::size, length - j));
    }
  }
}

/// The gradient of a float parameter is summed in double.
template <class V>
struct Wide {
  using D = typename V::template Of<double>;
  std::array<D, V::size / D::size> parts;

  friend Wide operator+(Wide a, const Wide& b) {
    for (std::size_t i = 0; i < a.parts.size(); ++i) a.parts[i] = a.parts[i] + b.parts[i];
    return a;
  }
  friend Wide operator+(const Wide& a, math::Pair<V> b) {
    const V low = select(b.lo == b.lo, b.lo, V(0.0));  // infinity leaves NaN there
    return a + widened(b.hi) + widened(low);
  }

 private:
  static Wide widened(V v) {
    float floats[V::size];
    double doubles[V::size];
    v.store(floats);
    std::copy_n(floats, V::size, doubles);
    Wide w;
    for (std::size_t i = 0; i < w.parts.size(); ++i) w.parts[i] = D::load(doubles + i * D::size);
    return w;
  }
};

/// A row function (see rowwise/softmax.hpp), computed in V. A vector holds one element of each of several
/// rows where `side_by_side`, else several elements of one row.
template <class V, class F, bool side_by_side>
class Rows {
  using T = typename V::Element;
  static constexpr rowwise::Shape shape = F::shape;
  static constexpr std::size_t step = side_by_side ? 1 : V::size;
  static constexpr std::size_t sums_at_once = sums_of_piece<T> / step;

  static constexpr bool resumes = requires { &F::template from_early<V>; };
  static constexpr bool has_early = requires { &F::template early<V>; };
  static constexpr bool has_late = requires { &F::template late<V>; };
  static constexpr bool has_result = requires { &F::template result<V>; };
  static constexpr std::size_t inputs = shape.rows + shape.scalars;
  static constexpr std::size_t result_index = inputs + (has_early || has_late ? 1 : 0);
  static constexpr auto each_row = std::make_index_sequence<shape.rows>{};
  static constexpr auto each_scalar = std::make_index_sequence<shape.scalars>{};

  using Sum = std::conditional_t<shape.parameter && std::is_same_v<T, float>, Wide<V>, math::Pair<V>>;
  using Sums = std::array<Sum, shape.sums>;
  using Scalars = std::array<V, shape.scalars>;

  const RowCall& call_;
  const std::size_t row_, rows_;  // of which rows_ side by side
  Block<V>* const block_;
  Scalars scalars_;

 public:
  /// Where a block is given, rows side by side are written by way of it to rows that are not.
  Rows(const RowCall& call, std::size_t row, std::size_t rows, Block<V>* block = nullptr)
      : call_(call), row_(row), rows_(rows), block_(block) {
    for (std::size_t k = 0; k < shape.scalars; ++k) {
      if constexpr (shape.labelled) {
        if (k == 0) {
          scalars_[k] = at_labels();
          continue;
        }
      }
      // A learned parameter stays as precise as the arithmetic.
      scalars_[k] = per_row(shape.parameter ? native<T> : call.format, call.operands[shape.rows + k]);
    }
  }

  void operator()() const {
    const auto state = this->state();
    if constexpr (has_late) {
      each_piece([&](std::size_t begin, std::size_t end, std::size_t) { late(state, begin, end); });
    }
    if constexpr (has_late && shape.labelled) {
      with_type<T>(call_.rows_format, [&]<class S>(S*) {
        if constexpr (is_stored_as<T, S>) {
          S at_label[V::size];
          F::at_label(state).store(at_label);
          for (std::size_t i = 0; i < rows_; ++i) {
            if (has_label(i)) along(call_.operands[inputs], row_ + i).template at<S>(label(i)) = at_label[i];
          }
        }
      });
    }
    if constexpr (has_result) put_result(F::result(state));
  }

  auto state() const {
    V largest = 0.0;
    if constexpr (shape.shifted) {
      std::array<V, Pieces::most> peaks;
      each_piece([&](std::size_t begin, std::size_t end, std::size_t i) { peaks[i] = peak(begin, end); });
      largest = peaks[0];
      for (std::size_t i = 1; i < Pieces(call_.length).count; ++i) largest = max(peaks[i], largest);
      if constexpr (!side_by_side) fold<V::size / 2>([](V a, V b) { return max(b, a); }, largest);
    }
    std::array<Sums, Pieces::most> sums;
    each_piece([&](std::size_t begin, std::size_t end, std::size_t i) { sums[i] = sum(largest, begin, end); });
    for (std::size_t i = 1; i < Pieces(call_.length).count; ++i) add(sums[0], sums[i]);
    return with_scalars([&](auto... scalars) { return F::state(largest, sums[0], scalars...); });
  }

 private:
  template <class Body>
  void each_piece(const Body& body) const {
    const Pieces pieces(call_.length);
    const auto one = [&](std::size_t first, std::size_t last) {
      for (std::size_t i = first; i < last; ++i) body(pieces.begin(i), pieces.begin(i + 1), i);
    };
    if (side_by_side || call_.split == nullptr || pieces.count == 1) return one(0, pieces.count);
    call_.split(
        pieces.count, pieces.size,
        [](const void* context, std::size_t first, std::size_t last) {
          (*static_cast<const decltype(one)*>(context))(first, last);
        },
        &one);
  }

  Place place(std::size_t operand, std::size_t j) const {
    const Operand& o = call_.operands[operand];
    return side_by_side ? across(o, row_, j) : along(o, row_, j);
  }
  std::size_t count(std::size_t j, std::size_t end) const { return side_by_side ? rows_ : std::min(V::size, end - j); }

  /// Beyond the row's end: -inf, of which the exponential is 0; 0 in the other arrays, which it or 0 multiplies.
  V get(std::size_t operand, std::size_t j, std::size_t end) const {
    const std::size_t n = count(j, end);
    const V x = load<V>(call_.rows_format, place(operand, j), n);
    if (side_by_side || !shape.shifted || operand != 0 || n == V::size) return x;
    return select(V::indices() < V(static_cast<double>(n)), x, V(-std::numeric_limits<double>::infinity()));
  }
  void put(V y, std::size_t j, std::size_t end) const {
    if (!side_by_side || block_ == nullptr) return store(call_.rows_format, y, place(inputs, j), count(j, end));
    y.store((*block_)[j % short_row]);
    const std::size_t next = j + 1;
    if (next % short_row == 0 || next == end) {
      const std::size_t first = j / short_row * short_row;
      write<V>(*block_, next - first, rows_, call_.rows_format, call_.operands[inputs], row_, first);
    }
  }
  /// What is to be resumed is too much for 16 bits, and not found again where it was written by way of a block.
  bool writes_early() const { return !resumes || (call_.rows_format == native<T> && block_ == nullptr); }
  template <class G>
  auto with_rows(std::size_t j, std::size_t end, G g) const {
    return [&]<std::size_t... k>(std::index_sequence<k...>) { return g(get(k, j, end)...); }(each_row);
  }
  template <class G>
  auto with_scalars(G g) const {
    return [&]<std::size_t... k>(std::index_sequence<k...>) { return g(scalars_[k]...); }(each_scalar);
  }

  [[gnu::flatten]] V peak(std::size_t begin, std::size_t end) const {
    V largest = -std::numeric_limits<double>::infinity();
    for (std::size_t j = begin; j < end; j += step) largest = max(get(0, j, end), largest);
    return largest;
  }

  [[gnu::flatten]] Sums sum(V largest, std::size_t begin, std::size_t end) const {
    std::array<Sums, sums_at_once> sums;
    const std::size_t used = std::min(sums_at_once, (end - begin + step - 1) / step);
    sums[0] = {};
    for (std::size_t j = begin; j < end; j += step) {
      with_rows(j, end, [&](auto... x) {
        with_scalars([&](auto... scalars) {
          const auto terms = F::terms(largest, x..., scalars...);
          Sums& s = sums[j / step % sums_at_once];
          if (j - begin < sums_of_piece<T>) s = {};
          add(s, terms);
          if constexpr (has_early) {
            if (writes_early()) put(F::early(terms, x..., scalars...), j, end);
          }
        });
      });
    }
    for (std::size_t half = sums_at_once / 2; half > 0; half /= 2) {
      for (std::size_t i = 0; i < half && i + half < used; ++i) add(sums[i], sums[i + half]);
    }
    if constexpr (!side_by_side) {
      for (Sum& s : sums[0]) fold<V::size / 2>([](auto a, auto b) { return a + b; }, s);
    }
    return sums[0];
  }

  template <class State>
  [[gnu::flatten]] void late(const State& state, std::size_t begin, std::size_t end) const {
    for (std::size_t j = begin; j < end; j += step) {
      if constexpr (resumes) {
        if (writes_early()) {
          put(F::from_early(state, load<V>(call_.rows_format, place(inputs, j), count(j, end))), j, end);
          continue;
        }
      }
      put(with_rows(j, end, [&](auto... x) { return F::late(state, x...); }), j, end);
    }
  }

  template <class Terms>
  static void add(Sums& sums, const Terms& terms) {
    for (std::size_t k = 0; k < shape.sums; ++k) sums[k] = sums[k] + terms[k];
  }

  template <std::size_t distance>
  static V swapped(V v) {
    return v.template swap<distance>();
  }
  template <std::size_t distance>
  static math::Pair<V> swapped(math::Pair<V> p) {
    return {swapped<distance>(p.hi), swapped<distance>(p.lo)};
  }
  template <std::size_t distance>
  static Wide<V> swapped(Wide<V> w) {
    constexpr std::size_t size = Wide<V>::D::size;
    Wide<V> r;
    for (std::size_t i = 0; i < w.parts.size(); ++i) {
      if constexpr (distance >= size) {
        r.parts[i] = w.parts[i ^ (distance / size)];
      } else {
        r.parts[i] = w.parts[i].template swap<distance>();
      }
    }
    return r;
  }
  /// Joins all lanes, halves first; each lane then has the result.
  template <std::size_t distance, class Join, class X>
  static void fold(Join join, X& x) {
    if constexpr (distance > 0) {
      x = join(x, swapped<distance>(x));
      fold<distance / 2>(join, x);
    }
  }

  /// One number of each row: a vector of them side by side, or all lanes the same.
  V per_row(Format format, const Operand& operand) const {
    const Place first = across(operand, row_);
    return side_by_side ? load<V>(format, first, rows_) : gather<V>(format, {first.p, 0}, V::size);
  }
  std::size_t label(std::size_t i) const {
    return static_cast<std::size_t>(across(call_.operands[shape.rows], row_).template at<std::int64_t>(i));
  }
  /// Callers refuse labels out of range, but a lazy array's have not been seen.
  bool has_label(std::size_t i) const { return label(i) < call_.length; }
  V at_labels() const {
    return with_type<T>(call_.rows_format, [&]<class S>(S*) {
      S x[V::size] = {};
      T doubt[V::size] = {};
      for (std::size_t i = 0; i < V::size; ++i) {
        const std::size_t r = side_by_side ? i : 0;
        if (r >= rows_) break;
        if (has_label(r)) {
          x[i] = along(call_.operands[0], row_ + r).template at<S>(label(r));
        } else {
          doubt[i] = std::numeric_limits<T>::quiet_NaN();
        }
      }
      return load_buffer<V>(x) + V::load(doubt);
    });
  }

  void put_result(V result) const {
    if constexpr (requires { F::least_in_float; } && std::is_same_v<T, float>) {
      float values[V::size];
      result.store(values);
      for (std::size_t i = 0; i < rows_; ++i) {
        if (std::abs(values[i]) < static_cast<float>(F::least_in_float)) values[i] = in_double(row_ + i);
      }
      result = V::load(values);
    }
    store(call_.format, result, across(call_.operands[result_index], row_), rows_);
  }
  void put_result(math::Pair<V> result) const {
    T hi[V::size], lo[V::size];
    result.hi.store(hi);
    select(result.lo == result.lo, result.lo, V(0.0)).store(lo);  // infinity leaves NaN there
    double sums[V::size];
    for (std::size_t i = 0; i < V::size; ++i) sums[i] = static_cast<double>(hi[i]) + static_cast<double>(lo[i]);
    put_sums(sums);
  }
  void put_result(const Wide<V>& result) const {
    double sums[V::size];
    for (std::size_t i = 0; i < result.parts.size(); ++i) result.parts[i].store(sums + i * Wide<V>::D::size);
    put_sums(sums);
  }
  void put_sums(const double* sums) const {
    const Place to = across(call_.operands[result_index], row_);
    for (std::size_t i = 0; i < rows_; ++i) to.at<double>(i) = sums[i];
  }
  float in_double(std::size_t r) const {
    using D = typename V::template Of<double>;
    double value[D::size];
    F::result(Rows<D, F, false>(call_, r, 1).state()).store(value);
    return static_cast<float>(value[0]);
  }
};

/// Whether vectors may hold elements of neighbouring rows: they lie side by side, and fill enough of a vector to be
/// worth it. Its result does not depend on this.
template <class V>
bool lie_side_by_side(const RowCall& call, std::initializer_list<std::size_t> arrays, std::size_t rows) {
  const std::ptrdiff_t item = call.format == Format::f64 ? 8 : call.format == Format::f32 ? 4 : 2;
  return (rows >= V::size / 4 || call.length <= V::size) &&
         std::ranges::all_of(arrays, [&](std::size_t k) { return call.operands[k].row == item; });
}

template <class V, class F>
void reduce(const RowCall& call, std::size_t begin, std::size_t end) {
  using T = typename V::Element;
  constexpr rowwise::Shape shape = F::shape;
  constexpr std::size_t output = shape.rows + shape.scalars;
  constexpr bool writes_rows = requires { &F::template early<V>; } || requires { &F::template late<V>; };
  if (lie_side_by_side<V>(call, {0, shape.rows - 1}, end - begin)) {
    Block<V> block;
    const bool is_turned = writes_rows && !lie_side_by_side<V>(call, {output}, end - begin);
    for (std::size_t r = begin; r < end; r += V::size) {
      Rows<V, F, true>(call, r, std::min(V::size, end - r), is_turned ? &block : nullptr)();
    }
    return;
  }
  if (call.length > short_row || end - begin < V::size / 4 || V::size == 1) {
    for (std::size_t r = begin; r < end; ++r) Rows<V, F, false>(call, r, 1)();
    return;
  }
  alignas(64) Block<V> blocks[shape.rows + 1];
  for (std::size_t r = begin; r < end; r += V::size) {
    const std::size_t rows = std::min(V::size, end - r);
    RowCall part = call;
    for (Operand& o : part.operands) o.data = o.at(r, 0);
    for (std::size_t k = 0; k < shape.rows; ++k) {
      read<V>(blocks[k], call.length, rows, call.format, part.operands[k]);
      part.operands[k] = {blocks[k], sizeof(T), sizeof(blocks[k][0])};
    }
    part.rows_format = native<T>;
    if constexpr (writes_rows) part.operands[output] = {blocks[shape.rows], sizeof(T), sizeof(blocks[0][0])};
    Rows<V, F, true>(part, 0, rows)();
    if constexpr (writes_rows) {
      write<V>(blocks[shape.rows], call.length, rows, call.format, call.operands[output], r, 0);
    }
  }
}

/// run(place, row, element, count) over half the length of each row, in whichever direction a vector's elements lie.
template <class V, class Run>
void halves(const RowCall& call, std::initializer_list<std::size_t> arrays, std::size_t begin, std::size_t end,
            Run run) {
  const std::size_t half = call.length / 2;
  if (lie_side_by_side<V>(call, arrays, end - begin)) {
    for (std::size_t r = begin; r < end; r += V::size) {
      for (std::size_t j = 0; j < half; ++j) run(across, r, j, std::min(V::size, end - r));
    }
  } else {
    for (std::size_t r = begin; r < end; ++r) {
      for (std::size_t j = 0; j < half; j += V::size) run(along, r, j, std::min(V::size, half - j));
    }
  }
}

template <class V, class F>
[[gnu::flatten]] void gate(const RowCall& call, std::size_t begin, std::size_t end) {
  const auto& [x, y, unused_1, unused_2, unused_3] = call.operands;
  halves<V>(call, {0, 1}, begin, end, [&](auto place, std::size_t r, std::size_t j, std::size_t count) {
    const V a = load<V>(call.format, place(x, r, j), count);
    const V b = load<V>(call.format, place(x, r, call.length / 2 + j), count);
    store(call.format, F::apply(a, b), place(y, r, j), count);
  });
}

template <class V, class F>
[[gnu::flatten]] void gate_backward(const RowCall& call, std::size_t begin, std::size_t end) {
  const auto& [x, g, dx, unused_1, unused_2] = call.operands;
  halves<V>(call, {0, 1, 2}, begin, end, [&](auto place, std::size_t r, std::size_t j, std::size_t count) {
    const std::size_t half = call.length / 2;
    const V a = load<V>(call.format, place(x, r, j), count), b = load<V>(call.format, place(x, r, half + j), count);
    const std::array<V, 2> d = F::apply(a, b, load<V>(call.format, place(g, r, j), count));
    store(call.format, d[0], place(dx, r, j), count);
    store(call.format, d[1], place(dx, r, half + j), count);
  });
}

template <class V, class F>
V largest(const RowCall& call, std::size_t r, std::size_t rows) {
  V most = load<V>(call.format, across(call.operands[0], r), rows);
  for (std::size_t j = 1; j < call.length; ++j) {
    most = F::larger(most, load<V>(call.format, across(call.operands[0], r, j), rows));
  }
  return most;
}

template <class V, class F>
[[gnu::flatten]] void choose(const RowCall& call, std::size_t begin, std::size_t end) {
  for (std::size_t r = begin; r < end; r += V::size) {
    const std::size_t rows = std::min(V::size, end - r);
    store(call.format, largest<V, F>(call, r, rows), across(call.operands[1], r), rows);
  }
}

template <class V, class F>
[[gnu::flatten]] void choose_backward(const RowCall& call, std::size_t begin, std::size_t end) {
  const auto& [x, upstream, dx, unused_1, unused_2] = call.operands;
  for (std::size_t r = begin; r < end; r += V::size) {
    const std::size_t rows = std::min(V::size, end - r);
    const V most = largest<V, F>(call, r, rows);
    V g = load<V>(call.format, across(upstream, r), rows);
    for (std::size_t j = 0; j < call.length; ++j) {
      const auto [share, rest] = F::share(most, load<V>(call.format, across(x, r, j), rows), g);
      store(call.format, share, across(dx, r, j), rows);
      g = rest;
    }
  }
}

template <class V, class F>
constexpr RowKernel row_kernel() {
  if constexpr (requires { F::shape; }) {
    return reduce<V, F>;
  } else if constexpr (requires(V v) { F::apply(v, v, v); }) {
    return gate_backward<V, F>;
  } else if constexpr (requires(V v) { F::apply(v, v); }) {
    return gate<V, F>;
  } else if constexpr (requires(V v) { F::share(v, v, v); }) {
    return choose_backward<V, F>;
  } else {
    return choose<V, F>;
  }
}

/// All kernels of row functions, for one instruction set.
template <class Isa>
constexpr RowTable row_kernels() {
  using Single = simd::Vec<Isa, float>;
  using Double = simd::Vec<Isa, double>;
  return {{
#define FASTACT_ENTRY(form, name) {row_kernel<Single, rowwise::name>(), row_kernel<Double, rowwise::name>()},
      FASTACT_ROWWISE(FASTACT_ENTRY)
#undef FASTACT_ENTRY
  }};
}

}  // namespace
}  // namespace fastact::kernels
