/**
 * The scalar functions of element-wise kernels in WGSL, with the reference's answers for NaN, infinities, zeros and ties.
 * WGSL's own exp, log, sin … may be wrong in the fourth digit, and its compilers may assume that no NaN or infinity occurs:
 * functions here are made of the operations that it does bound, and look at bits where it matters. The polynomials are those
 * of Stephen L. Moshier's Cephes library for single precision, unless said otherwise.
 */

/** Functions by name; each brings those that its text names. */
const FUNCTIONS: Readonly<Record<string, string>> = {
  size_of: "fn size_of(x: f32) -> u32 { return bitcast<u32>(x) & 0x7fffffffu; }",
  is_nan: "fn is_nan(x: f32) -> bool { return size_of(x) > 0x7f800000u; }",
  is_negative: "fn is_negative(x: f32) -> bool { return bitcast<i32>(x) < 0; }",
  // By way of a variable: an expression that is constant must not be NaN or infinite.
  nan: "fn nan() -> f32 { var bits = 0x7fc00000u; return bitcast<f32>(bits); }",
  inf: "fn inf() -> f32 { var bits = 0x7f800000u; return bitcast<f32>(bits); }",
  with_sign:
    "fn with_sign(size: f32, sign: f32) -> f32 { return bitcast<f32>(size_of(size) | (bitcast<u32>(sign) & 0x80000000u)); }",
  // Integers in the order of the floats, and back.
  order_of: "fn order_of(x: f32) -> i32 { let i = bitcast<i32>(x); return i ^ ((i >> 31u) & 0x7fffffff); }",
  from_order: "fn from_order(key: i32) -> f32 { return bitcast<f32>(key ^ ((key >> 31u) & 0x7fffffff)); }",

  neg_: "fn neg_(x: f32) -> f32 { return bitcast<f32>(bitcast<u32>(x) ^ 0x80000000u); }",
  abs_: "fn abs_(x: f32) -> f32 { return bitcast<f32>(size_of(x)); }",
  sign_: `fn sign_(x: f32) -> f32 {
  let size = size_of(x);
  if (size == 0u || size > 0x7f800000u) { return 0.0; }
  return select(1.0, -1.0, is_negative(x));
}`,
  relu_: `fn relu_(x: f32) -> f32 {
  let bits = bitcast<i32>(x);
  return bitcast<f32>(select(0, bits, bits > 0 || is_nan(x)));
}`,

  // A quotient that is whole is so on every GPU, whatever the last bits of its division.
  div_: `fn div_(a: f32, b: f32) -> f32 {
  let quotient = a / b;
  let whole = round(quotient);
  return select(quotient, whole, whole * b == a);
}`,
  reciprocal_: "fn reciprocal_(x: f32) -> f32 { return div_(1.0, x); }",
  sqrt_: `fn sqrt_(x: f32) -> f32 {
  let size = size_of(x);
  if (size == 0u || size > 0x7f800000u) { return x; }
  if (is_negative(x)) { return nan(); }
  if (size == 0x7f800000u) { return x; }
  let root = sqrt(x);
  let whole = round(root);
  return select(root, whole, whole * whole == x);
}`,
  rsqrt_: "fn rsqrt_(x: f32) -> f32 { return div_(1.0, sqrt_(x)); }",
  round_: "fn round_(x: f32) -> f32 { return with_sign(round(x), x); }",
  floor_: "fn floor_(x: f32) -> f32 { return floor(x); }",
  ceil_: "fn ceil_(x: f32) -> f32 { return with_sign(ceil(x), x); }",
  trunc_: "fn trunc_(x: f32) -> f32 { return with_sign(trunc(x), x); }",

  // e^r - 1 for |r| up to ln 2 / 2.
  expm1_near: `fn expm1_near(r: f32) -> f32 {
  var p = 1.9875691500e-4;
  p = p * r + 1.3981999507e-3;
  p = p * r + 8.3334519073e-3;
  p = p * r + 4.1665795894e-2;
  p = p * r + 1.6666665459e-1;
  p = p * r + 5.0000001201e-1;
  return p * (r * r) + r;
}`,
  // x · 2^n for n from -252 to 254.
  scaled: `fn scaled(x: f32, n: i32) -> f32 {
  let half = n >> 1u;
  return x * bitcast<f32>((half + 127) << 23u) * bitcast<f32>((n - half + 127) << 23u);
}`,
  exp_: `fn exp_(x: f32) -> f32 {
  if (is_nan(x)) { return x; }
  if (x > 88.7228394) { return inf(); }
  if (x < -103.972084) { return 0.0; }
  let n = round(x * 1.44269504088896341);
  let r = (x - n * 0.693359375) + n * 2.12194440e-4;
  return scaled(1.0 + expm1_near(r), i32(n));
}`,
  expm1_: `fn expm1_(x: f32) -> f32 {
  if (size_of(x) == 0u) { return x; }
  if (abs(x) < 0.34657) { return expm1_near(x); }
  return exp_(x) - 1.0;
}`,
  sigmoid_: "fn sigmoid_(x: f32) -> f32 { return 1.0 / (1.0 + exp_(neg_(x))); }",
  tanh_: `fn tanh_(x: f32) -> f32 {
  let size = abs_(x);
  if (is_nan(x) || size_of(x) == 0u) { return x; }
  if (size < 0.625) {
    let z = x * x;
    var p = -5.70498872745e-3;
    p = p * z + 2.06390887954e-2;
    p = p * z - 5.37397155531e-2;
    p = p * z + 1.33314422036e-1;
    p = p * z - 3.33332819422e-1;
    return p * z * x + x;
  }
  return with_sign(1.0 - 2.0 / (exp_(min(2.0 * size, 40.0)) + 1.0), x);
}`,
  sinh_: `fn sinh_(x: f32) -> f32 {
  let size = abs_(x);
  if (is_nan(x) || size_of(x) == 0u) { return x; }
  if (size <= 1.0) {
    let z = x * x;
    return ((2.03721912945e-4 * z + 8.33028376239e-3) * z + 1.66667160211e-1) * z * x + x;
  }
  if (size > 88.0) {
    let half = exp_(0.5 * size);
    return with_sign(0.5 * half * half, x);
  }
  let e = exp_(size);
  return with_sign(0.5 * e - 0.5 / e, x);
}`,
  cosh_: `fn cosh_(x: f32) -> f32 {
  let size = abs_(x);
  if (is_nan(x)) { return x; }
  if (size > 88.0) {
    let half = exp_(0.5 * size);
    return 0.5 * half * half;
  }
  let e = exp_(size);
  return 0.5 * e + 0.5 / e;
}`,

  // x = (1 + [0]) · 2^[2] with 1 + [0] between √½ and √2, and ln(1 + [0]) = [0] + [1].
  log_parts: `fn log_parts(x: f32) -> vec3<f32> {
  var bits = bitcast<u32>(x);
  var exponent = 0;
  if (bits < 0x00800000u) {
    bits = bitcast<u32>(f32(bits));
    exponent = -149;
  }
  let over = i32(bits - 0x3f3504f3u) >> 23u;
  exponent += over;
  let m = bitcast<f32>(bits - (u32(over) << 23u)) - 1.0;
  let z = m * m;
  var p = 7.0376836292e-2;
  p = p * m - 1.1514610310e-1;
  p = p * m + 1.1676998740e-1;
  p = p * m - 1.2420140846e-1;
  p = p * m + 1.4249322787e-1;
  p = p * m - 1.6668057665e-1;
  p = p * m + 2.0000714765e-1;
  p = p * m - 2.4999993993e-1;
  p = p * m + 3.3333331174e-1;
  return vec3<f32>(m, p * m * z - 0.5 * z, f32(exponent));
}`,
  // Whether the logarithm of x is none that has to be computed, and which it is then.
  log_is_special: "fn log_is_special(x: f32) -> bool { return bitcast<u32>(x) - 1u >= 0x7f7fffffu; }",
  log_special: `fn log_special(x: f32) -> f32 {
  if (size_of(x) == 0u) { return neg_(inf()); }
  if (is_negative(x)) { return nan(); }
  return x;
}`,
  log_: `fn log_(x: f32) -> f32 {
  if (log_is_special(x)) { return log_special(x); }
  let l = log_parts(x);
  return (l.x + (l.y - 2.12194440e-4 * l.z)) + 0.693359375 * l.z;
}`,
  log2_: `fn log2_(x: f32) -> f32 {
  if (log_is_special(x)) { return log_special(x); }
  let l = log_parts(x);
  return ((((l.y * 0.44269504088896341) + l.x * 0.44269504088896341) + l.y) + l.x) + l.z;
}`,
  log10_: `fn log10_(x: f32) -> f32 {
  if (log_is_special(x)) { return log_special(x); }
  let l = log_parts(x);
  let small = (l.x + l.y) * 7.00731903251827651e-4 + l.y * 4.3359375e-1;
  return ((small + l.x * 4.3359375e-1) + l.z * 2.48745663981195214e-4) + l.z * 3.0078125e-1;
}`,
  // Near 0: 2 artanh(x / (2 + x)), where nothing cancels.
  log1p_: `fn log1p_(x: f32) -> f32 {
  if (size_of(x) == 0u) { return x; }
  if (x > -0.29 && x < 0.41) {
    let s = x / (2.0 + x);
    let z = s * s;
    let p = 0.66666667 + z * (0.39999995 + z * (0.28572168 + z * (0.22174184 + z * 0.19609006)));
    return 2.0 * s + s * z * p;
  }
  return log_(1.0 + x);
}`,

  // The two words of a product, the lower first.
  product: `fn product(a: u32, b: u32) -> vec2<u32> {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let other = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return vec2<u32>(a * b, (a >> 16u) * (b >> 16u) + (middle >> 16u) + (other >> 16u));
}`,
  // x = [0] + π/2 · [1], [0] within ±π/4. Large numbers are multiplied with as many bits of 2/π as matter (Payne and Hanek).
  quarter_turns: `const TWO_OVER_PI = array<u32, 8>(
  0u, 0xa2f9836eu, 0x4e441529u, 0xfc2757d1u, 0xf534ddc0u, 0xdb629599u, 0x3c439041u, 0xfe5163abu);
fn quarter_turns(x: f32) -> vec2<f32> {
  let size = size_of(x);
  if (size < 0x46000000u) {
    let n = round(x * 0.636619772367581343);
    let r = ((x - n * 1.5703125) - n * 4.837512969970703125e-4) - n * 7.54978995489188216e-8;
    return vec2<f32>(r, f32(i32(n) & 3));
  }
  let m = (size & 0x7fffffu) | 0x800000u;
  let at = (size >> 23u) - 120u;
  let word = at >> 5u;
  let shift = at & 31u;
  var table = TWO_OVER_PI;
  var w = vec4<u32>(table[word], table[word + 1u], table[word + 2u], table[word + 3u]);
  if (shift > 0u) { w = (w << vec4<u32>(shift)) | (w.yzww >> vec4<u32>(32u - shift)); }
  let low = product(m, w.z);
  let middle = product(m, w.y);
  let next = middle.x + low.y;
  let top = m * w.x + middle.y + select(0u, 1u, next < low.y);
  let fraction = (top << 2u) | (next >> 30u);
  let turns = (top >> 30u) + (fraction >> 31u);
  let r = (f32(bitcast<i32>(fraction)) + f32(next << 2u) * 2.3283064365386963e-10) * 3.657295198167899e-10;
  return vec2<f32>(select(r, -r, is_negative(x)), f32(select(turns, 4u - turns, is_negative(x)) & 3u));
}`,
  sin_near: `fn sin_near(r: f32) -> f32 {
  let z = r * r;
  return ((-1.9515295891e-4 * z + 8.3321608736e-3) * z - 1.6666654611e-1) * z * r + r;
}`,
  cos_near: `fn cos_near(r: f32) -> f32 {
  let z = r * r;
  return ((2.443315711809948e-5 * z - 1.388731625493765e-3) * z + 4.166664568298827e-2) * z * z - 0.5 * z + 1.0;
}`,
  // The sine after so many further quarter turns.
  sine: `fn sine(x: f32, further: i32) -> f32 {
  if (size_of(x) >= 0x7f800000u) { return nan(); }
  let reduced = quarter_turns(x);
  let turns = (i32(reduced.y) + further) & 3;
  let value = select(sin_near(reduced.x), cos_near(reduced.x), (turns & 1) == 1);
  return select(value, -value, turns >= 2);
}`,
  sin_: `fn sin_(x: f32) -> f32 {
  if (size_of(x) == 0u) { return x; }
  return sine(x, 0);
}`,
  cos_: "fn cos_(x: f32) -> f32 { return sine(x, 1); }",
  tan_: `fn tan_(x: f32) -> f32 {
  if (size_of(x) == 0u) { return x; }
  if (size_of(x) >= 0x7f800000u) { return nan(); }
  let reduced = quarter_turns(x);
  let r = reduced.x;
  let z = r * r;
  var p = 9.38540185543e-3;
  p = p * z + 3.11992232697e-3;
  p = p * z + 2.44301354525e-2;
  p = p * z + 5.34112807005e-2;
  p = p * z + 1.33387994085e-1;
  p = p * z + 3.33331568548e-1;
  let value = p * z * r + r;
  if ((i32(reduced.y) & 1) == 1) { return -1.0 / value; }
  return value;
}`,
  asin_near: `fn asin_near(x: f32) -> f32 {
  let z = x * x;
  var p = 4.2163199048e-2;
  p = p * z + 2.4181311049e-2;
  p = p * z + 4.5470025998e-2;
  p = p * z + 7.4953002686e-2;
  p = p * z + 1.6666752422e-1;
  return p * z * x + x;
}`,
  asin_: `fn asin_(x: f32) -> f32 {
  let size = abs_(x);
  if (is_nan(x) || size_of(x) == 0u) { return x; }
  if (size > 1.0) { return nan(); }
  if (size <= 0.5) { return asin_near(x); }
  return with_sign(1.57079632679489662 - 2.0 * asin_near(sqrt(0.5 * (1.0 - size))), x);
}`,
  acos_: `fn acos_(x: f32) -> f32 {
  let size = abs_(x);
  if (is_nan(x)) { return x; }
  if (size > 1.0) { return nan(); }
  if (size <= 0.5) { return 1.57079632679489662 - asin_near(x); }
  let half = 2.0 * asin_near(sqrt(0.5 * (1.0 - size)));
  return select(half, 3.14159265358979324 - half, is_negative(x));
}`,
  // For x from 0 to 1.
  atan_near: `fn atan_near(x: f32) -> f32 {
  let far = x > 0.414213562373095;
  let t = select(x, (x - 1.0) / (x + 1.0), far);
  let z = t * t;
  var p = 8.05374449538e-2;
  p = p * z - 1.38776856032e-1;
  p = p * z + 1.99777106478e-1;
  p = p * z - 3.33329491539e-1;
  return select(0.0, 0.785398163397448310, far) + (p * z * t + t);
}`,
  atan_: `fn atan_(x: f32) -> f32 {
  let size = abs_(x);
  if (is_nan(x) || size_of(x) == 0u) { return x; }
  if (size > 1.0) { return with_sign(1.57079632679489662 - atan_near(1.0 / size), x); }
  return with_sign(atan_near(size), x);
}`,
  atan2_: `fn atan2_(y: f32, x: f32) -> f32 {
  if (is_nan(x) || is_nan(y)) { return nan(); }
  let up = size_of(y);
  let along = size_of(x);
  let least = bitcast<f32>(min(up, along));
  let most = max(up, along);
  var angle = 0.0;
  if (min(up, along) == 0x7f800000u) { angle = 0.785398163397448310; }
  else if (most > 0u && most < 0x7f800000u) { angle = atan_near(least / bitcast<f32>(most)); }
  if (up > along) { angle = 1.57079632679489662 - angle; }
  if (is_negative(x)) { angle = 3.14159265358979324 - angle; }
  return with_sign(angle, y);
}`,
  // As in the WebAssembly kernels: a polynomial in x² up to 1, beyond it e^-x² times one in (|x| - 2) / (|x| + 2).
  erf_: `fn erf_(x: f32) -> f32 {
  if (is_nan(x) || size_of(x) == 0u) { return x; }
  let size = min(abs_(x), 4.2);
  if (size <= 1.0) {
    let z = x * x;
    var p = 1.0595265237e-6;
    p = p * z - 1.3911697122e-5;
    p = p * z + 1.1956946208e-4;
    p = p * z - 8.5426705196e-4;
    p = p * z + 5.2237850050e-3;
    p = p * z - 2.6866133625e-2;
    p = p * z + 1.1283791314e-1;
    p = p * z - 3.7612638890e-1;
    p = p * z + 1.1283791671;
    return p * x;
  }
  let t = (size - 2.0) / (size + 2.0);
  var p = 1.4996733304e-4;
  p = p * t + 4.4880346143e-5;
  p = p * t - 9.7848023970e-4;
  p = p * t - 8.4684552881e-4;
  p = p * t + 6.9973087658e-3;
  p = p * t + 3.7328723961e-3;
  p = p * t - 7.8978579149e-2;
  p = p * t + 2.4165819452e-1;
  p = p * t - 4.2718584742e-1;
  p = p * t + 2.5539567631e-1;
  return with_sign(1.0 - exp_(-(size * size)) * p, x);
}`,

  // Exact: long division of the mantissas.
  fmod_: `fn fmod_(a: f32, b: f32) -> f32 {
  let x = size_of(a);
  let y = size_of(b);
  if (x >= 0x7f800000u || y > 0x7f800000u || y == 0u) { return nan(); }
  if (x < y) { return a; }
  var exponent = max(x >> 23u, 1u);
  let least = max(y >> 23u, 1u);
  var rest = select(x & 0x7fffffu, (x & 0x7fffffu) | 0x800000u, x >= 0x800000u);
  let divisor = select(y & 0x7fffffu, (y & 0x7fffffu) | 0x800000u, y >= 0x800000u);
  while (exponent > least) {
    if (rest >= divisor) { rest -= divisor; }
    rest <<= 1u;
    exponent--;
  }
  if (rest >= divisor) { rest -= divisor; }
  if (rest != 0u) {
    let missing = min(countLeadingZeros(rest) - 8u, exponent - 1u);
    rest <<= missing;
    exponent -= missing;
  }
  let size = select(rest, (rest & 0x7fffffu) | (exponent << 23u), rest >= 0x800000u);
  return bitcast<f32>(size | (bitcast<u32>(a) & 0x80000000u));
}`,
  remainder_: `fn remainder_(a: f32, b: f32) -> f32 {
  let rest = fmod_(a, b);
  if (is_nan(rest) || size_of(rest) == 0u || is_negative(rest) == is_negative(b)) { return rest; }
  return rest + b;
}`,
  floor_divide_: `fn floor_divide_(a: f32, b: f32) -> f32 {
  if (size_of(b) == 0u) { return a / b; }
  let rest = fmod_(a, b);
  if (is_nan(rest)) { return rest; }
  var quotient = div_(a - rest, b);
  if (size_of(rest) != 0u && is_negative(rest) != is_negative(b)) { quotient -= 1.0; }
  if (size_of(quotient) == 0u) { return select(0.0, neg_(0.0), is_negative(a) != is_negative(b)); }
  let below = floor(quotient);
  return select(below, below + 1.0, quotient - below > 0.5);
}`,
  // For a positive, finite base: 2^(b · log2 a). The exponent's whole part, which is exact, is kept apart.
  pow_positive: `fn pow_positive(a: f32, b: f32) -> f32 {
  let l = log_parts(a);
  let fraction = (((l.y * 0.44269504088896341) + l.x * 0.44269504088896341) + l.y) + l.x;
  let high = bitcast<f32>(bitcast<u32>(b) & 0xfffff000u);
  let whole = high * l.z;
  let estimate = whole + b * fraction;
  if (estimate > 129.0) { return inf(); }
  if (estimate < -151.0) { return 0.0; }
  let n = round(estimate);
  let rest = ((whole - n) + (b - high) * l.z) + b * fraction;
  return scaled(1.0 + expm1_near(rest * 0.693147180559945309), i32(n));
}`,
  pow_: `fn pow_(a: f32, b: f32) -> f32 {
  let base = size_of(a);
  let exponent = size_of(b);
  if (exponent == 0u || bitcast<u32>(a) == 0x3f800000u) { return 1.0; }
  if (base > 0x7f800000u || exponent > 0x7f800000u) { return nan(); }
  let grows = is_negative(b) == (base < 0x3f800000u);
  if (exponent == 0x7f800000u) {
    if (base == 0x3f800000u) { return 1.0; }
    return select(0.0, inf(), grows);
  }
  let is_whole = exponent >= 0x4b800000u || trunc(b) == b;
  let is_odd = is_whole && exponent < 0x4b800000u && (i32(b) & 1) == 1;
  let sign = select(1.0, -1.0, is_negative(a) && is_odd);
  if (base == 0u || base == 0x7f800000u) { return with_sign(select(0.0, inf(), grows), sign); }
  if (is_negative(a) && !is_whole) { return nan(); }
  if (is_whole && exponent <= 0x41000000u) {
    var power = 1.0;
    var factor = a;
    for (var n = u32(abs(b)); n > 0u; n >>= 1u) {
      if ((n & 1u) == 1u) { power *= factor; }
      factor *= factor;
    }
    if (!is_negative(b)) { return power; }
    let inverse = size_of(power);
    if (inverse > 0x00800000u && inverse < 0x7e000000u) { return div_(1.0, power); }
  }
  if (exponent == 0x3f000000u) {
    let root = sqrt_(a);
    return select(root, div_(1.0, root), is_negative(b));
  }
  return with_sign(pow_positive(abs_(a), b), sign);
}`,

  maximum_: `fn maximum_(a: f32, b: f32) -> f32 {
  if (is_nan(a)) { return a; }
  if (is_nan(b)) { return b; }
  return from_order(max(order_of(a), order_of(b)));
}`,
  minimum_: `fn minimum_(a: f32, b: f32) -> f32 {
  if (is_nan(a)) { return a; }
  if (is_nan(b)) { return b; }
  return from_order(min(order_of(a), order_of(b)));
}`,
  // Two numbers that can be compared.
  are_numbers: "fn are_numbers(a: f32, b: f32) -> bool { return max(size_of(a), size_of(b)) <= 0x7f800000u; }",

  // C's conversion as x86 does it: what an int32 cannot hold is its least number.
  to_int32:
    "fn to_int32(x: f32) -> i32 { return select(bitcast<i32>(0x80000000u), i32(x), size_of(x) < 0x4f000000u); }",
  // As a typed array does it; a float of 2^31 or more is a multiple of 256.
  to_uint8: "fn to_uint8(x: f32) -> i32 { return select(0, i32(x) & 255, size_of(x) < 0x4f000000u); }",
  to_bool: "fn to_bool(x: f32) -> i32 { return select(0, 1, size_of(x) != 0u); }",

  // Python's //, for a divisor that is not zero.
  floor_divide_i: `fn floor_divide_i(a: i32, b: i32) -> i32 {
  let quotient = divide_i(a, b);
  return select(quotient, quotient - 1, quotient * b != a && (a < 0) != (b < 0));
}`,
  // The one quotient of two int32 that is none wraps.
  divide_i: "fn divide_i(a: i32, b: i32) -> i32 { if (b == -1) { return -a; } return a / b; }",
  fmod_i: "fn fmod_i(a: i32, b: i32) -> i32 { return a - divide_i(a, b) * b; }",
  remainder_i: `fn remainder_i(a: i32, b: i32) -> i32 {
  let rest = fmod_i(a, b);
  return select(rest, rest + b, rest != 0 && (rest < 0) != (b < 0));
}`,
  pow_i: `fn pow_i(a: i32, b: i32) -> i32 {
  if (b < 0) {
    if (a == 1) { return 1; }
    return select(0, 1 - 2 * (b & 1), a == -1);
  }
  var power = 1;
  var factor = a;
  for (var n = b; n > 0; n >>= 1u) {
    if ((n & 1) == 1) { power *= factor; }
    factor *= factor;
  }
  return power;
}`,
};

/** The text of all functions that `text` names. */
export function functionsOf(text: string): string {
  const needed = new Set<string>();
  const collect = (from: string): void => {
    for (const [word] of from.matchAll(/\b[a-z]\w*/g)) {
      const body = Object.hasOwn(FUNCTIONS, word) ? FUNCTIONS[word] : undefined;
      if (body === undefined || needed.has(word)) continue;
      needed.add(word);
      collect(body);
    }
  };
  collect(text);
  return [...needed].map((name) => `${FUNCTIONS[name]}\n`).join("");
}
