/**
 * The arithmetic of the model in the page, on Float32Arrays whose rows lie one after the other; sums are float64.
 * Nothing here knows a model: `model.mjs` does.
 */

const EPSILON = 1e-5; // of the norms

/** out (rows, n) = x (rows, k) · wᵀ, w (n, k): four tokens at a time, then one by one. */
export function multiply(out, x, w, rows, n, k) {
  let row = 0;
  for (; row + 4 <= rows; row += 4) {
    const a = row * k, b = a + k, c = b + k, d = c + k;
    for (let j = 0; j < n; j += 2) {
      const p = j * k, q = j + 1 < n ? p + k : p;
      let a0 = 0, a1 = 0, b0 = 0, b1 = 0, c0 = 0, c1 = 0, d0 = 0, d1 = 0;
      for (let i = 0; i < k; i++) {
        const u = w[p + i], v = w[q + i], xa = x[a + i], xb = x[b + i], xc = x[c + i], xd = x[d + i];
        a0 += u * xa; a1 += v * xa; b0 += u * xb; b1 += v * xb;
        c0 += u * xc; c1 += v * xc; d0 += u * xd; d1 += v * xd;
      }
      const o = row * n + j;
      out[o] = a0; out[o + n] = b0; out[o + 2 * n] = c0; out[o + 3 * n] = d0;
      if (q > p) { out[o + 1] = a1; out[o + n + 1] = b1; out[o + 2 * n + 1] = c1; out[o + 3 * n + 1] = d1; }
    }
  }
  for (; row < rows; row++) {
    const a = row * k;
    let j = 0;
    for (; j + 4 <= n; j += 4) {
      const p = j * k, q = p + k, r = q + k, s = r + k;
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0;
      for (let i = 0; i < k; i++) {
        const xa = x[a + i];
        s0 += w[p + i] * xa; s1 += w[q + i] * xa; s2 += w[r + i] * xa; s3 += w[s + i] * xa;
      }
      const o = row * n + j;
      out[o] = s0; out[o + 1] = s1; out[o + 2] = s2; out[o + 3] = s3;
    }
    for (; j < n; j++) {
      let sum = 0;
      for (let i = 0, p = j * k; i < k; i++) sum += w[p + i] * x[a + i];
      out[row * n + j] = sum;
    }
  }
}

/** out = x / rms(x) · weight, row by row. */
export function rmsNorm(out, x, weight, rows) {
  const E = weight.length;
  for (let row = 0, a = 0; row < rows; row++, a += E) {
    let square = 0;
    for (let i = 0; i < E; i++) square += x[a + i] * x[a + i];
    const scale = 1 / Math.sqrt(square / E + EPSILON);
    for (let i = 0; i < E; i++) out[a + i] = x[a + i] * scale * weight[i];
  }
}

export function layerNorm(out, x, weight, bias, rows) {
  const E = weight.length;
  for (let row = 0, a = 0; row < rows; row++, a += E) {
    let mean = 0, square = 0;
    for (let i = 0; i < E; i++) mean += x[a + i] / E;
    for (let i = 0; i < E; i++) square += (x[a + i] - mean) ** 2;
    const scale = 1 / Math.sqrt(square / E + EPSILON);
    for (let i = 0; i < E; i++) out[a + i] = (x[a + i] - mean) * scale * weight[i] + bias[i];
  }
}

export function likeliest(logits, at, size) {
  let best = 0;
  for (let i = 1; i < size; i++) if (logits[at + i] > logits[at + best]) best = i;
  return best;
}

export function softmax(out, logits) {
  const largest = Math.max(...logits), exps = Array.from(logits, (x) => Math.exp(x - largest)), total = exps.reduce((a, b) => a + b, 0);
  exps.forEach((e, i) => (out[i] = e / total));
}

/** The weights of a packed model by their names, Float32Arrays. */
export function unpackTensors({ tensors, data }) {
  const text = atob(data);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i);
  const readers = { float32: (at, n) => new Float32Array(bytes.buffer.slice(at, at + 4 * n)), float16: (at, n) => halves(bytes, at, n) };
  return Object.fromEntries(tensors.map(([name, shape, format, offset]) => [name, readers[format](offset, shape.reduce((a, b) => a * b, 1))]));
}

function halves(bytes, at, count) {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++, at += 2) {
    const bits = bytes[at] | (bytes[at + 1] << 8), exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
    out[i] = bits & 0x8000 ? -size : size;
  }
  return out;
}

