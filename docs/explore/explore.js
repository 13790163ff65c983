// The program of the page that computes activations.
"use strict";
// What is drawn is computed by the functions of fastact/fastact.h in a WebAssembly module. module.js gives MODULE, in
// base64, and FUNCTIONS: [{name, parameters: [[name, default]…], required, formula, derivative}…] with formulas in MathML.

const $ = (id) => document.getElementById(id);

// ---- The module: fastact.call("gelu", 32, [x], [parameters]) gives an array; null where an argument is refused.

class Fastact {
  constructor(exports) {
    this.exports = exports;
    this.blocks = [];
  }
  static async load(base64) {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    // Of the system the module is only told that there are no environment variables; all else is not supported, 52.
    let memory;
    const system = {
      environ_get: () => 0,
      environ_sizes_get(count, size) {
        for (const address of [count, size]) new DataView(memory.buffer).setUint32(address, 0, true);
        return 0;
      },
    };
    const others = { get: (functions, name) => functions[name] ?? (() => 52) };
    const { instance } = await WebAssembly.instantiate(bytes, { wasi_snapshot_preview1: new Proxy(system, others) });
    memory = instance.exports.memory;
    instance.exports._initialize?.();
    return new Fastact(instance.exports);
  }
  /** The address of the k-th block, which has at least so many bytes. */
  block(k, bytes) {
    const block = (this.blocks[k] ??= { address: 0, bytes: -1 });
    if (block.bytes < bytes) {
      if (block.address) this.exports.free(block.address);
      block.bytes = 2 * bytes + 64;
      block.address = this.exports.malloc(block.bytes);
    }
    return block.address;
  }
  call(name, bits, inputs, parameters = [], sizes = [inputs[0].length], length = inputs[0].length) {
    const type = bits === 32 ? Float32Array : Float64Array;
    const addresses = inputs.map((input, k) => this.block(k, input.length * type.BYTES_PER_ELEMENT));
    const output = this.block(inputs.length, length * type.BYTES_PER_ELEMENT);
    inputs.forEach((input, k) => new type(this.exports.memory.buffer, addresses[k], input.length).set(input));
    const code = this.exports[`fastact_${name}_f${bits}`](...addresses, output, ...sizes, ...parameters);
    return code === 0 ? new type(this.exports.memory.buffer, output, length).slice() : null;
  }
}

let fastact;

// ---- Numbers.

const float = Math.fround;
const bits = new DataView(new ArrayBuffer(8));

/** The distance between x's neighbors among float32 numbers. */
function ulp(x) {
  bits.setFloat32(0, Math.abs(x));
  const exponent = bits.getUint32(0) >>> 23;
  return 2 ** (Math.max(exponent, 1) - 150);
}
/** The shortest text that gives back a float32, or a float64. */
function show32(x) {
  if (!Number.isFinite(x)) return show64(x);
  for (let digits = 1; digits < 9; ++digits) {
    if (float(Number(x.toPrecision(digits))) === x) return show64(Number(x.toPrecision(digits)));
  }
  return show64(Number(x.toPrecision(9)));
}
function show64(x) {
  if (Number.isNaN(x)) return "NaN";
  if (!Number.isFinite(x)) return x > 0 ? "∞" : "−∞";
  return (Object.is(x, -0) ? "-0" : String(x)).replaceAll("-", "−");
}
function showError(given, exact) {
  if (given === exact || Number.isNaN(exact)) return "0";
  const error = Math.abs(given - exact) / ulp(exact);
  if (!Number.isFinite(error)) return "no number near";
  return (error < 1000 ? error.toFixed(2) : error.toExponential(1).replace("e+", "e")) + " ulp";
}

// ---- The usual formulas, each operation rounded to float32 as NumPy, JAX or a C compiler would.

const exp = (x) => float(Math.exp(x)), tanh = (x) => float(Math.tanh(x)), log = (x) => float(Math.log(x));
const add = (a, b) => float(a + b), sub = (a, b) => float(a - b), mul = (a, b) => float(a * b), div = (a, b) => float(a / b);
const log1p = (x) => float(Math.log1p(x)), expm1 = (x) => float(Math.expm1(x)), sqrt = (x) => float(Math.sqrt(x));
const sigma = (x) => div(1, add(1, exp(-x)));
const softplus = (x) => log(add(1, exp(x)));
const cube = (x) => mul(mul(x, x), x);
const inner = (x) => mul(float(0.7978845608), add(x, mul(float(0.044715), cube(x))));
const LAMBDA = float(1.0507009873554805), ALPHA = float(1.6732632423543772);
/** The error function by its power series; beyond 4 its float32 is 1. */
function erf(x) {
  if (Math.abs(x) > 4) return Math.sign(x);
  let term = x, total = x;
  for (let n = 1; n < 120; ++n) {
    term *= (-x * x) / n;
    total += term / (2 * n + 1);
  }
  return float((total * 2) / Math.sqrt(Math.PI));
}
const phi = (x) => mul(float(0.3989422804), exp(mul(float(-0.5), mul(x, x))));
const half = (x) => mul(float(0.5), x);
const normal = (x) => half(add(1, erf(div(x, float(Math.SQRT2)))));
const q = float(1.702);
const USUAL = {
  sigmoid: ["1 / (1 + exp(-x))", sigma, "y (1 - y)", (x) => mul(sigma(x), sub(1, sigma(x)))],
  log_sigmoid: ["log(1 / (1 + exp(-x)))", (x) => log(sigma(x)), "1 - σ(x)", (x) => sub(1, sigma(x))],
  tanh: ["tanh(x)", tanh, "1 - y²", (x) => sub(1, mul(tanh(x), tanh(x)))],
  tanh_shrink: ["x - tanh(x)", (x) => sub(x, tanh(x)), "1 - (1 - tanh²(x))", (x) => sub(1, sub(1, mul(tanh(x), tanh(x))))],
  softplus: ["log(1 + exp(x))", softplus, "1 / (1 + exp(-x))", sigma],
  exponential: ["exp(x)", exp, "exp(x)", exp],
  silu: ["x / (1 + exp(-x))", (x) => div(x, add(1, exp(-x))), "σ(x) (1 + x (1 - σ(x)))", (x) => mul(sigma(x), add(1, mul(x, sub(1, sigma(x)))))],
  quick_gelu: ["x σ(1.702 x)", (x) => mul(x, sigma(mul(q, x))), "s + 1.702 x s (1 - s)", (x) => { const s = sigma(mul(q, x)); return add(s, mul(mul(mul(q, x), s), sub(1, s))); }],
  gelu: ["x (1 + erf(x / √2)) / 2", (x) => mul(x, normal(x)), "(1 + erf(x / √2)) / 2 + x φ(x)", (x) => add(normal(x), mul(x, phi(x)))],
  gelu_tanh: ["x/2 (1 + tanh(√(2/π) (x + 0.044715 x³)))", (x) => mul(half(x), add(1, tanh(inner(x)))), "its derivative, by 1 - tanh²", (x) => {
    const t = tanh(inner(x));
    const slope = mul(float(0.7978845608), add(1, mul(float(0.134145), mul(x, x))));
    return add(half(add(1, t)), mul(mul(half(x), sub(1, mul(t, t))), slope));
  }],
  mish: ["x tanh(log(1 + exp(x)))", (x) => mul(x, tanh(softplus(x))), "t + x (1 - t²) σ(x), t = tanh(log(1 + exp(x)))", (x) => {
    const t = tanh(softplus(x));
    return add(t, mul(mul(x, sub(1, mul(t, t))), sigma(x)));
  }],
  elu: ["x > 0 ? x : exp(x) - 1", (x) => (x > 0 ? x : sub(exp(x), 1)), "x > 0 ? 1 : y + 1", (x) => (x > 0 ? 1 : add(sub(exp(x), 1), 1))],
  celu: ["x > 0 ? x : exp(x) - 1", (x) => (x > 0 ? x : sub(exp(x), 1)), "x > 0 ? 1 : exp(x)", (x) => (x > 0 ? 1 : exp(x))],
  selu: ["x > 0 ? λx : λα (exp(x) - 1)", (x) => (x > 0 ? mul(LAMBDA, x) : mul(mul(LAMBDA, ALPHA), sub(exp(x), 1))), "x > 0 ? λ : y + λα", (x) =>
    x > 0 ? LAMBDA : add(mul(mul(LAMBDA, ALPHA), sub(exp(x), 1)), mul(LAMBDA, ALPHA))],
  squareplus: ["(x + √(x² + 4)) / 2", (x) => half(add(x, sqrt(add(mul(x, x), 4)))), "(1 + x / √(x² + 4)) / 2", (x) => half(add(1, div(x, sqrt(add(mul(x, x), 4)))))],
  softsign: ["x / (1 + |x|)", (x) => div(x, add(1, Math.abs(x))), "1 / (1 + |x|)²", (x) => div(1, mul(add(1, Math.abs(x)), add(1, Math.abs(x))))],
  hard_swish: ["x min(max(x + 3, 0), 6) / 6", (x) => div(mul(x, Math.min(Math.max(add(x, 3), 0), 6)), 6), "(2x + 3) / 6 inside", (x) => (x <= -3 ? 0 : x >= 3 ? 1 : div(add(mul(2, x), 3), 6))],
};

// ---- State, which is the page's address too: explore/#name=gelu&x=-8.

const START = {
  name: "sigmoid", other: "", x: -100, range: 0.78, values: [],
  depth: "tanh", initialization: "glorot", layers: 10, bias: 0, seed: 1,
  logits: [2, 1, 0.5, -1, 0], masked: [], temperature: 1, offset: 0,
};
const NUMBERS = ["x", "range", "layers", "bias", "seed", "temperature", "offset"], LISTS = ["logits", "masked"];
const described = (name) => FUNCTIONS.find((f) => f.name === name);
const CHOICES = {
  name: described,
  other: (name) => name === "" || described(name),
  depth: (name) => described(name)?.learnable === false,
  initialization: (name) => name in VARIANCES,
};
const state = { ...START };
const within = (low, value, high) => Math.min(high, Math.max(low, value));

/** Takes what the address tells, and returns the part of the page that it asks for. */
function readAddress() {
  if (!location.hash.includes("=")) return; // the way to a part of the page
  const given = new URLSearchParams(location.hash.slice(1));
  for (const key in CHOICES) {
    const value = given.get(key);
    if (CHOICES[key](value)) state[key] = value;
  }
  for (const key of NUMBERS) {
    if (given.get(key) && !Number.isNaN(Number(given.get(key)))) state[key] = Number(given.get(key));
  }
  for (const key of LISTS) {
    const numbers = (given.get(key) || null)?.split(",").map(Number) ?? (given.has(key) ? [] : state[key]);
    if (numbers.every(Number.isFinite)) state[key] = numbers;
  }
  state.range = within(0, state.range, 2);
  state.layers = within(1, Math.round(state.layers), 40);
  state.temperature = within(0.01, state.temperature, 100);
  if (state.logits.length < 2 || state.logits.length > LOGITS.length) state.logits = START.logits;
  state.values = described(state.name).parameters.map(([parameter, value]) => {
    const number = Number(given.get(parameter) ?? NaN);
    return Number.isNaN(number) ? value : number;
  });
  if (!isAllowed(state.name, state.values)) state.values = defaults(state.name);
  return given.get("at");
}
/** What a state is read from. */
function settings({ values, ...others }) {
  const parameters = described(others.name).parameters.map(([parameter], i) => [parameter, values[i]]);
  return { ...others, ...Object.fromEntries(parameters) };
}
function writeAddress() {
  const usual = settings({ ...START, name: state.name, values: defaults(state.name) });
  usual.name = START.name;
  const changed = Object.entries(settings(state)).filter(([key, value]) => String(value) !== String(usual[key]));
  // Not at each step of a slider, since browsers bound how often an address may change.
  clearTimeout(writeAddress.waiting);
  writeAddress.waiting = setTimeout(() => history.replaceState(null, "", "#" + new URLSearchParams(changed)), 200);
}

/** Whether a function's parameters are allowed: the module could but end. */
function isAllowed(name, values) {
  const { required, parameters } = described(name);
  return !required || Function(...parameters.map(([parameter]) => parameter), `return ${required}`)(...values);
}
const forward = (name, width, x, values) => fastact.call(name, width, [x], values);
const backward = (name, width, x, g, values) => described(name).learnable ? slope(name, width, x, g, values) : fastact.call(name + "_backward", width, [x, g], values);
/** Of a learnable parameter there is a gradient too, which is not shown. */
function slope(name, width, x, g, values) {
  const unused = fastact.block(4, 8);
  return fastact.call(name + "_backward", width, [x, g, x.constructor.from(values)], [], [unused, 1, 1, x.length], x.length);
}
const defaults = (name) => described(name).parameters.map(([, value]) => value);
const ones = (x) => x.map(() => 1);

// ---- A function and its derivative.

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);
/** A color of the style sheet, in the scheme that is in use. */
function color(name) {
  const probe = color.probe ??= document.body.appendChild(Object.assign(document.createElement("i"), { hidden: true }));
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}
function context(canvas) {
  const scale = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  canvas.width = width * scale;
  canvas.height = height * scale;
  const c = canvas.getContext("2d");
  c.scale(scale, scale);
  return [c, width, height];
}

let view; // of the graph: from pixels to numbers
function drawCurve() {
  const canvas = $("curve");
  const [c, width, height] = context(canvas);
  const limit = 10 ** state.range, count = Math.max(2, Math.round(width * 2));
  const x = Float64Array.from({ length: count }, (_, i) => limit * (2 * i / (count - 1) - 1));
  const lines = [[forward(state.name, 64, x, state.values), "--f", []]];
  lines.push([backward(state.name, 64, x, ones(x), state.values), "--d", [6, 4]]);
  if (state.other) lines.push([forward(state.other, 64, x, defaults(state.other)), "--o", [2, 3]]);
  const all = lines.flatMap(([y]) => (y ? [...y] : [])).filter(Number.isFinite).sort((a, b) => a - b);
  const low = Math.max(Math.min(0, all[0] ?? 0), -limit), high = Math.min(Math.max(0.2, all.at(-1) ?? 1), limit);
  const pad = 24, margin = (high - low) * 0.06 + 1e-300;
  const toX = (v) => pad + (v + limit) / (2 * limit) * (width - 2 * pad);
  const toY = (v) => height - pad - (v - low + margin) / (high - low + 2 * margin) * (height - 2 * pad);
  view = { fromX: (p) => (p - pad) / (width - 2 * pad) * 2 * limit - limit, limit };
  c.font = "12px system-ui, sans-serif";
  c.lineWidth = 1;
  const grid = (span) => { const step = 10 ** Math.floor(Math.log10(span)); return span / step >= 5 ? step : span / step >= 2 ? step / 2 : step / 5; };
  c.fillStyle = color("--muted");
  for (const [size, from, to, vertical] of [[limit * 2, -limit, limit, true], [high - low, low, high, false]]) {
    const step = grid(size || 1);
    for (let i = Math.ceil(from / step); i * step <= to; ++i) {
      const v = i * step, text = String(Number(v.toPrecision(6))).replace("-", "−");
      c.strokeStyle = i === 0 ? color("--muted") : color("--line");
      c.beginPath();
      if (vertical) { c.moveTo(toX(v), pad / 2); c.lineTo(toX(v), height - pad / 2); } else { c.moveTo(pad / 2, toY(v)); c.lineTo(width - pad / 2, toY(v)); }
      c.stroke();
      if (vertical) c.fillText(text, toX(v) + 3, height - 6); else if (i !== 0) c.fillText(text, 2, toY(v) - 3);
    }
  }
  c.lineWidth = 2;
  for (const [y, line, dash] of lines) {
    if (!y) continue;
    c.strokeStyle = color(line);
    c.setLineDash(dash);
    c.beginPath();
    let drawing = false;
    for (let i = 0; i < count; ++i) {
      const visible = Number.isFinite(y[i]) && Math.abs(y[i]) < 1e6 * limit;
      const jump = drawing && Math.abs(y[i] - y[i - 1]) > 0.2 * (high - low) && Math.abs(y[i] - y[i - 1]) > 20 * (x[1] - x[0]);
      if (visible) drawing && !jump ? c.lineTo(toX(x[i]), toY(y[i])) : c.moveTo(toX(x[i]), toY(y[i]));
      drawing = visible;
    }
    c.stroke();
  }
  c.setLineDash([]);
  if (Math.abs(state.x) <= limit) {
    const at = Float64Array.of(state.x);
    c.strokeStyle = color("--muted");
    c.lineWidth = 1;
    c.beginPath(); c.moveTo(toX(state.x), pad / 2); c.lineTo(toX(state.x), height - pad / 2); c.stroke();
    const dots = [[forward(state.name, 64, at, state.values), "--f"], [backward(state.name, 64, at, ones(at), state.values), "--d"]];
    for (const [y, dot] of dots) {
      c.fillStyle = color(dot);
      c.beginPath(); c.arc(toX(state.x), toY(y[0]), 5, 0, 7); c.fill();
    }
  }
}

function showPoint() {
  const x32 = Float32Array.of(state.x), x64 = Float64Array.from(x32); // the exact value of the same float32 number
  const usual = defaults(state.name).every((v, i) => v === state.values[i]) ? USUAL[state.name] : undefined;
  const rows = [["f", forward(state.name, 32, x32, state.values), forward(state.name, 64, x64, state.values), usual?.[1]]];
  rows.push(["d", backward(state.name, 32, x32, ones(x32), state.values), backward(state.name, 64, x64, ones(x64), state.values), usual?.[3]]);
  for (const [id, y, exact, formula] of rows) {
    $(id).textContent = y ? show32(y[0]) : "";
    $(id).dataset.value = y ? y[0] : "";
    $(id + "-exact").textContent = exact ? show64(exact[0]) : "";
    $(id + "-exact").dataset.value = exact ? exact[0] : "";
    const value = formula ? formula(x32[0]) : undefined;
    $(id + "-usual").textContent = value === undefined ? "—" : show32(value);
    $(id + "-error").textContent = value === undefined || !exact ? "—" : showError(value, exact[0]);
    const bad = value !== undefined && exact && !(Math.abs(value - exact[0]) <= 4 * ulp(exact[0]));
    $(id + "-error").classList.toggle("bad", Boolean(bad && !Number.isNaN(exact[0])));
  }
  $("usual").textContent = usual ? `f: ${usual[0]};  f′: ${usual[2]}` : "there is no other in use here.";
}

function showFunction() {
  const { formula, derivative } = described(state.name);
  $("formula").innerHTML = formula + (derivative ? "&emsp; " + derivative : "");
  $("range-value").textContent = Number((10 ** state.range).toPrecision(3));
  $("other-legend").hidden = !state.other;
  $("other-legend").textContent = state.other;
  if (document.activeElement !== $("x")) $("x").value = String(float(state.x)) === String(state.x) ? state.x : show32(float(state.x)).replace("−", "-");
  drawCurve();
  showPoint();
  writeAddress();
}

function showParameters() {
  const boxes = described(state.name).parameters.map(([parameter, value], i) => {
    const label = document.createElement("label");
    const input = Object.assign(document.createElement("input"), { type: "range", min: -3, max: 6, step: 0.01, id: "p-" + parameter });
    const output = document.createElement("output");
    const show = () => (output.textContent = Number(state.values[i].toPrecision(4)));
    input.value = state.values[i];
    input.addEventListener("input", () => {
      const values = state.values.with(i, Number(input.value));
      if (isAllowed(state.name, values)) state.values = values;
      show();
      showFunction();
    });
    show();
    label.append(parameter + " ", input, output);
    return label;
  });
  $("parameters").replaceChildren(...boxes);
}

// ---- Through many layers.

const VARIANCES = { he: (n) => 2 / n, glorot: (n) => 1 / n, small: () => 1e-4, large: (n) => 16 / n };
const WIDTH = 64, BATCH = 128;

/** Normal numbers from a seed: mulberry32 and Box and Muller's transform. */
function normals(seed) {
  let a = seed >>> 0;
  const uniform = () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return (n, deviation = 1) => Float32Array.from({ length: n }, () => deviation * Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()));
}
/** [rows][n] times [n][m], or by the transpose of [m][n]. */
function product(a, b, n, m, transposed) {
  const rows = a.length / n, c = new Float32Array(rows * m);
  for (let i = 0; i < rows; ++i) for (let j = 0; j < m; ++j) {
    let sum = 0;
    for (let k = 0; k < n; ++k) sum += a[i * n + k] * (transposed ? b[j * n + k] : b[k * m + j]);
    c[i * m + j] = sum;
  }
  return c;
}
const deviation = (a) => {
  const mean = a.reduce((s, v) => s + v, 0) / a.length;
  return Math.sqrt(a.reduce((s, v) => s + (v - mean) ** 2, 0) / a.length);
};

function propagate() {
  const random = normals(state.seed), name = state.depth, values = defaults(name);
  const scale = Math.sqrt(VARIANCES[state.initialization](WIDTH));
  let y = random(BATCH * WIDTH);
  const layers = [];
  for (let k = 0; k < state.layers; ++k) {
    const weights = random(WIDTH * WIDTH, scale);
    const z = product(y, weights, WIDTH, WIDTH, false).map((v) => v + state.bias);
    y = forward(name, 32, z, values);
    layers.push({ weights, z, y });
  }
  let g = random(BATCH * WIDTH);
  for (const layer of [...layers].reverse()) {
    layer.gradient = g;
    const slope = backward(name, 32, layer.z, ones(layer.z), values);
    layer.saturated = slope.filter((v) => v !== 0 && Math.abs(v) < 0.1).length / slope.length;
    let dead = 0;
    for (let j = 0; j < WIDTH; ++j) dead += slope.every((v, i) => i % WIDTH !== j || v === 0) ? 1 : 0;
    layer.dead = dead / WIDTH;
    g = product(backward(name, 32, layer.z, g, values), layer.weights, WIDTH, WIDTH, true);
  }
  return { layers, gradient: g };
}

function drawHistogram(canvas, values, line) {
  const [c, width, height] = context(canvas);
  const finite = values.filter(Number.isFinite), largest = finite.reduce((m, v) => Math.max(m, Math.abs(v)), 0) || 1;
  const counts = new Float64Array(41);
  for (const v of finite) ++counts[Math.round((v / largest + 1) * 20)];
  const most = Math.max(...counts, 1);
  c.strokeStyle = color("--line");
  c.beginPath(); c.moveTo(width / 2, 0); c.lineTo(width / 2, height); c.stroke();
  c.fillStyle = color(line);
  counts.forEach((n, i) => c.fillRect((i / 41) * width, height * (1 - Math.sqrt(n / most)), width / 41 - 1, height * Math.sqrt(n / most)));
}
const brief = (v) => (!Number.isFinite(v) ? show64(v) : v !== 0 && (v < 0.001 || v >= 10000) ? v.toExponential(1) : v.toFixed(3)).replace(/-/g, "−").replace("e+", "e");
const percent = (v) => Math.round(100 * v) + " %";

function showDepth() {
  $("layers-value").textContent = state.layers;
  $("bias-value").textContent = state.bias.toFixed(1).replace("-", "−");
  const { layers, gradient } = propagate();
  const body = $("layers-table").tBodies[0];
  body.replaceChildren(...layers.map((layer, k) => {
    const row = document.createElement("tr");
    row.innerHTML = `<td>${k + 1}</td><td><canvas></canvas></td><td class="deviation"></td><td class="saturated"></td><td class="dead"></td><td><canvas></canvas></td><td class="gradient"></td>`;
    row.querySelector(".deviation").textContent = brief(deviation(layer.y));
    row.querySelector(".saturated").textContent = percent(layer.saturated);
    row.querySelector(".dead").textContent = percent(layer.dead);
    row.querySelector(".gradient").textContent = brief(deviation(layer.gradient));
    row.querySelector(".saturated").classList.toggle("bad", layer.saturated > 0.5);
    row.querySelector(".dead").classList.toggle("bad", layer.dead > 0.5);
    return row;
  }));
  layers.forEach((layer, k) => {
    const [first, second] = body.rows[k].querySelectorAll("canvas");
    drawHistogram(first, layer.y, "--f");
    drawHistogram(second, layer.gradient, "--d");
  });
  const first = deviation(gradient), last = deviation(layers.at(-1).y), dead = layers.reduce((m, l) => Math.max(m, l.dead), 0);
  const saturated = layers.reduce((s, l) => s + l.saturated, 0) / layers.length;
  const faults = [];
  if (!(first < 100)) faults.push("the gradient explodes");
  else if (first < 0.01) faults.push("the gradient vanishes");
  if (!(last < 100)) faults.push("what is computed explodes");
  else if (last < 0.01) faults.push("what is computed vanishes");
  if (saturated > 0.5) faults.push("units are saturated");
  if (dead > 0.5) faults.push("most units of a layer are dead: no input of the batch gives them a gradient");
  $("verdict").textContent = `A gradient of deviation 1 arrives at the input with ${brief(first)}: ` + (faults.join("; ") || "all is well") + ".";
  $("verdict").classList.toggle("bad", faults.length > 0);
  writeAddress();
}

// ---- Softmax.

const LOGITS = [2, 1, 0.5, -1, 0, 1.5, -0.5, 0.25, -2, 3]; // of elements that are added

function showSoftmax() {
  const { logits, masked, temperature, offset } = state;
  $("temperature-value").textContent = Number(temperature.toPrecision(3));
  const kept = logits.map((_, i) => i).filter((i) => !masked.includes(i));
  const x = Float32Array.from(kept, (i) => float(float(logits[i] + offset) / float(temperature)));
  const p = kept.length ? fastact.call("softmax", 32, [x], [], [1, x.length, 1]) : x;
  const sum = kept.length ? fastact.call("logsumexp", 32, [x], [], [1, x.length, 1], 1)[0] : -Infinity;
  const all = logits.map(() => 0);
  kept.forEach((i, k) => (all[i] = p[k]));
  all.forEach((v, i) => {
    const bar = $("bars").children[i];
    bar.querySelector(".fill").style.height = 100 * v + "%";
    bar.querySelector("code").textContent = show32(float(Number(v.toPrecision(3))));
    bar.querySelector(".logit").textContent = Number((logits[i] + offset).toFixed(2));
  });
  $("probabilities").textContent = all.map(show32).join("  ");
  $("probabilities").dataset.value = JSON.stringify(all);
  $("logsumexp").textContent = show32(sum);
  $("logsumexp").dataset.value = sum;
  $("entropy").textContent = all.reduce((s, v) => s - (v > 0 ? v * Math.log(v) : 0), 0).toFixed(4) + " nats";
  writeAddress();
}
function showBars() {
  $("count").value = $("count-value").textContent = state.logits.length;
  $("temperature").value = Math.log10(state.temperature);
  $("bars").replaceChildren(...state.logits.map((logit, i) => {
    const bar = Object.assign(document.createElement("div"), { className: "bar" });
    bar.innerHTML = `<div class="column"><div class="fill"></div></div><code></code>
      <input type="range" min="-6" max="6" step="0.05" aria-label="logit ${i}"><span class="logit"></span>
      <label><input type="checkbox" aria-label="mask ${i}"> mask</label>`;
    const [slider, box] = bar.querySelectorAll("input");
    slider.value = logit;
    box.checked = state.masked.includes(i);
    slider.addEventListener("input", () => { state.logits = state.logits.with(i, Number(slider.value)); showSoftmax(); });
    box.addEventListener("change", () => {
      state.masked = box.checked ? [...state.masked, i] : state.masked.filter((j) => j !== i);
      showSoftmax();
    });
    return bar;
  }));
  showSoftmax();
}

// ---- Controls.

function fill(select, names, empty) {
  select.replaceChildren(...(empty === undefined ? [] : [new Option(empty, "")]), ...names.map((name) => new Option(name, name)));
}
const PLACES = [["root of gelu′", -0.7517916], ["−100", -100], ["−20", -20], ["−6", -6], ["0", 0], ["1e−6", 1e-6], ["9.5", 9.5], ["20", 20]];

function connect() {
  const names = FUNCTIONS.map((f) => f.name);
  fill($("name"), names);
  fill($("other"), names, "none");
  fill($("depth-name"), FUNCTIONS.filter((f) => !f.learnable).map((f) => f.name));
  $("places").replaceChildren(...PLACES.map(([text, x]) => {
    const button = Object.assign(document.createElement("button"), { type: "button", textContent: text });
    button.addEventListener("click", () => { state.x = x; showFunction(); });
    return button;
  }));
  $("name").addEventListener("change", () => {
    state.name = $("name").value;
    state.values = defaults(state.name);
    showParameters();
    showFunction();
  });
  $("other").addEventListener("change", () => { state.other = $("other").value; showFunction(); });
  $("range").addEventListener("input", () => { state.range = Number($("range").value); showFunction(); });
  $("x").addEventListener("input", () => {
    const value = Number($("x").value.replace("−", "-").replace(",", "."));
    if ($("x").value.trim() !== "" && !Number.isNaN(value)) { state.x = float(value); showFunction(); }
  });
  const canvas = $("curve");
  const follow = (event) => { state.x = float(view.fromX(event.offsetX)); showFunction(); };
  canvas.addEventListener("pointermove", (event) => { if (event.pointerType === "mouse" || event.buttons) follow(event); });
  canvas.addEventListener("pointerdown", follow);
  canvas.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 }[event.key];
    if (event.key === "Home") state.x = -view.limit;
    else if (event.key === "End") state.x = view.limit;
    else if (step) state.x = float(state.x + step * view.limit * (event.shiftKey ? 0.001 : 0.01));
    else return;
    event.preventDefault();
    showFunction();
  });
  $("depth-name").addEventListener("change", () => { state.depth = $("depth-name").value; showDepth(); });
  $("initialization").addEventListener("change", () => { state.initialization = $("initialization").value; showDepth(); });
  $("layers").addEventListener("input", () => { state.layers = Number($("layers").value); showDepth(); });
  $("bias").addEventListener("input", () => { state.bias = Number($("bias").value); showDepth(); });
  $("again").addEventListener("click", () => { ++state.seed; showDepth(); });
  $("temperature").addEventListener("input", () => { state.temperature = 10 ** Number($("temperature").value); showSoftmax(); });
  $("count").addEventListener("input", () => {
    state.logits = Array.from({ length: Number($("count").value) }, (_, i) => state.logits[i] ?? LOGITS[i]);
    showBars();
  });
  $("shift").addEventListener("click", () => { state.offset += 1000; showSoftmax(); });
  $("reset").addEventListener("click", () => {
    for (const key of ["logits", "masked", "temperature", "offset"]) state[key] = START[key];
    showBars();
  });
}
function showAll() {
  $("name").value = state.name;
  $("other").value = state.other;
  $("range").value = state.range;
  $("depth-name").value = state.depth;
  $("initialization").value = state.initialization;
  $("layers").value = state.layers;
  $("bias").value = state.bias;
  showParameters();
  showFunction();
  showDepth();
  showBars();
}

async function start() {
  try {
    fastact = await Fastact.load(MODULE);
  } catch (error) {
    $("error").hidden = false;
    $("error").textContent = `This browser cannot run the module: ${error.message}`;
    return;
  }
  $("width-text").textContent = WIDTH;
  connect();
  state.values = defaults(state.name);
  const followAddress = () => {
    const part = readAddress();
    showAll();
    $(part)?.scrollIntoView();
  };
  followAddress();
  addEventListener("hashchange", followAddress);
  const redraw = () => { drawCurve(); showDepth(); };
  addEventListener("resize", redraw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  document.documentElement.dataset.ready = "true";
}
start();
