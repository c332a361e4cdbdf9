/**
 * The arithmetic of the model in the page, on Float32Arrays whose rows lie one after the other. Nothing here knows a model:
 * `model.mjs` does.
 *
 *   new Workspace(shapes)                 room for matrices of these shapes [n, k]
 *   .matrix(weights, n, k)                a matrix (n, k) in it, of the numbers row by row
 *   .multiply(out, x, matrix, rows)       out (rows, n) = x (rows, k) · matrixᵀ, Float32Arrays
 *
 * Products with matrices are made by WebAssembly, four numbers at a time, where the browser has it, else by JavaScript
 * (`slowly`). A matrix lies in panels of eight rows, k times eight numbers; x in blocks of four rows, k times four. The last panel is
 * filled up with zeros. The kernel is this, assembled by wat2wasm:
 *
 *   (module
 *     (import "m" "memory" (memory 1))
 *     (func (export "multiply") (param $out i32) (param $x i32) (param $w i32) (param $blocks i32) (param $n i32) (param $k i32)
 *       (local $j i32) (local $b i32) (local $i i32) (local $p i32) (local $q i32) (local $o i32)
 *       (local $u v128) (local $v v128) (local $s v128)
 *       (local $a0 v128) (local $a1 v128) (local $b0 v128) (local $b1 v128)
 *       (local $c0 v128) (local $c1 v128) (local $d0 v128) (local $d1 v128)
 *       (loop $panel
 *         (local.set $b (i32.const 0))
 *         (local.set $q (local.get $x))
 *         (local.set $o (i32.add (local.get $out) (i32.shl (local.get $j) (i32.const 2))))
 *         (loop $block
 *           (local.set $p (local.get $w))
 *           (local.set $i (local.get $k))
 *           (local.set $a0 (v128.const i32x4 0 0 0 0)) (local.set $a1 (v128.const i32x4 0 0 0 0))
 *           (local.set $b0 (v128.const i32x4 0 0 0 0)) (local.set $b1 (v128.const i32x4 0 0 0 0))
 *           (local.set $c0 (v128.const i32x4 0 0 0 0)) (local.set $c1 (v128.const i32x4 0 0 0 0))
 *           (local.set $d0 (v128.const i32x4 0 0 0 0)) (local.set $d1 (v128.const i32x4 0 0 0 0))
 *           (loop $sum
 *             (local.set $u (v128.load (local.get $p)))
 *             (local.set $v (v128.load offset=16 (local.get $p)))
 *             (local.set $s (v128.load32_splat (local.get $q)))
 *             (local.set $a0 (f32x4.add (local.get $a0) (f32x4.mul (local.get $s) (local.get $u))))
 *             (local.set $a1 (f32x4.add (local.get $a1) (f32x4.mul (local.get $s) (local.get $v))))
 *             (local.set $s (v128.load32_splat offset=4 (local.get $q)))
 *             (local.set $b0 (f32x4.add (local.get $b0) (f32x4.mul (local.get $s) (local.get $u))))
 *             (local.set $b1 (f32x4.add (local.get $b1) (f32x4.mul (local.get $s) (local.get $v))))
 *             (local.set $s (v128.load32_splat offset=8 (local.get $q)))
 *             (local.set $c0 (f32x4.add (local.get $c0) (f32x4.mul (local.get $s) (local.get $u))))
 *             (local.set $c1 (f32x4.add (local.get $c1) (f32x4.mul (local.get $s) (local.get $v))))
 *             (local.set $s (v128.load32_splat offset=12 (local.get $q)))
 *             (local.set $d0 (f32x4.add (local.get $d0) (f32x4.mul (local.get $s) (local.get $u))))
 *             (local.set $d1 (f32x4.add (local.get $d1) (f32x4.mul (local.get $s) (local.get $v))))
 *             (local.set $p (i32.add (local.get $p) (i32.const 32)))
 *             (local.set $q (i32.add (local.get $q) (i32.const 16)))
 *             (br_if $sum (local.tee $i (i32.sub (local.get $i) (i32.const 1)))))
 *           (v128.store (local.get $o) (local.get $a0)) (v128.store offset=16 (local.get $o) (local.get $a1))
 *           (local.set $o (i32.add (local.get $o) (i32.shl (local.get $n) (i32.const 2))))
 *           (v128.store (local.get $o) (local.get $b0)) (v128.store offset=16 (local.get $o) (local.get $b1))
 *           (local.set $o (i32.add (local.get $o) (i32.shl (local.get $n) (i32.const 2))))
 *           (v128.store (local.get $o) (local.get $c0)) (v128.store offset=16 (local.get $o) (local.get $c1))
 *           (local.set $o (i32.add (local.get $o) (i32.shl (local.get $n) (i32.const 2))))
 *           (v128.store (local.get $o) (local.get $d0)) (v128.store offset=16 (local.get $o) (local.get $d1))
 *           (local.set $o (i32.add (local.get $o) (i32.shl (local.get $n) (i32.const 2))))
 *           (br_if $block (i32.lt_u (local.tee $b (i32.add (local.get $b) (i32.const 1))) (local.get $blocks))))
 *         (local.set $w (local.get $p))
 *         (br_if $panel (i32.lt_u (local.tee $j (i32.add (local.get $j) (i32.const 8))) (local.get $n))))))
 */

const EPSILON = 1e-5; // of the norms

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

export function logSumExp(logits) {
  const largest = Math.max(...logits);
  return largest + Math.log(logits.reduce((sum, x) => sum + Math.exp(x - largest), 0));
}

/** A tensor of a packed model as a Float32Array: whole numbers of three bytes in `text`, from `offset` on, times its step. */
export function unpackTensor(text, shape, step, offset) {
  const values = new Float32Array(shape.reduce((a, b) => a * b, 1));
  for (let i = 0, at = offset; i < values.length; i++, at += 3)
    values[i] = (((text.charCodeAt(at) << 8) | (text.charCodeAt(at + 1) << 16) | (text.charCodeAt(at + 2) << 24)) >> 8) * step;
  return values;
}

const KERNEL =
  "AGFzbQEAAAABCgFgBn9/f39/fwACDQEBbQZtZW1vcnkCAAEDAgEABwwBCG11bHRpcGx5AAAKhwQBhAQCBn8LewNAQQAhByABIQogACAGQQJ0aiELA0Ag" +
  "AiEJIAUhCP0MAAAAAAAAAAAAAAAAAAAAACEP/QwAAAAAAAAAAAAAAAAAAAAAIRD9DAAAAAAAAAAAAAAAAAAAAAAhEf0MAAAAAAAAAAAAAAAAAAAAACES" +
  "/QwAAAAAAAAAAAAAAAAAAAAAIRP9DAAAAAAAAAAAAAAAAAAAAAAhFP0MAAAAAAAAAAAAAAAAAAAAACEV/QwAAAAAAAAAAAAAAAAAAAAAIRYDQCAJ/QAE" +
  "ACEMIAn9AAQQIQ0gCv0JAgAhDiAPIA4gDP3mAf3kASEPIBAgDiAN/eYB/eQBIRAgCv0JAgQhDiARIA4gDP3mAf3kASERIBIgDiAN/eYB/eQBIRIgCv0J" +
  "AgghDiATIA4gDP3mAf3kASETIBQgDiAN/eYB/eQBIRQgCv0JAgwhDiAVIA4gDP3mAf3kASEVIBYgDiAN/eYB/eQBIRYgCUEgaiEJIApBEGohCiAIQQFr" +
  "IggNAAsgCyAP/QsEACALIBD9CwQQIAsgBEECdGohCyALIBH9CwQAIAsgEv0LBBAgCyAEQQJ0aiELIAsgE/0LBAAgCyAU/QsEECALIARBAnRqIQsgCyAV" +
  "/QsEACALIBb9CwQQIAsgBEECdGohCyAHQQFqIgcgA0kNAAsgCSECIAZBCGoiBiAESQ0ACws=";

const ROWS = 32; // of x, at most, in one call of the kernel
const PANEL = 8, BLOCK = 4;
const upTo = (n, step) => Math.ceil(n / step) * step;

export class Workspace {
  constructor(shapes) {
    const floats = shapes.reduce((sum, [n, k]) => sum + upTo(n, PANEL) * k, 0);
    const [n, k] = [0, 1].map((i) => upTo(Math.max(...shapes.map((shape) => shape[i])), PANEL));
    const size = floats + ROWS * (n + k);
    try {
      const memory = new WebAssembly.Memory({ initial: Math.ceil((4 * size) / 65536) });
      const module = new WebAssembly.Module(Uint8Array.from(atob(KERNEL), (letter) => letter.charCodeAt(0)));
      const { multiply } = new WebAssembly.Instance(module, { m: { memory } }).exports;
      this.floats = new Float32Array(memory.buffer);
      this.product = (out, x, w, ...sizes) => multiply(4 * out, 4 * x, 4 * w, ...sizes);
    } catch {
      this.floats = new Float32Array(size);
      this.product = (...args) => slowly(this.floats, ...args);
    }
    [this.out, this.x, this.free] = [0, ROWS * n, ROWS * (n + k)]; // places in `floats`
  }

  matrix(weights, n, k) {
    const made = { at: this.free, n, k };
    for (let j = 0; j < n; j++)
      for (let i = 0; i < k; i++) this.floats[made.at + (j - (j % PANEL)) * k + i * PANEL + (j % PANEL)] = weights[j * k + i];
    this.free += upTo(n, PANEL) * k;
    return made;
  }

  multiply(out, x, { at, n, k }, rows) {
    const { floats } = this, width = upTo(n, PANEL);
    for (let first = 0; first < rows; first += ROWS) {
      const size = Math.min(ROWS, rows - first);
      for (let row = 0; row < size; row++)
        for (let i = 0, to = this.x + (row - (row % BLOCK)) * k + (row % BLOCK), from = (first + row) * k; i < k; i++, to += BLOCK) floats[to] = x[from + i];
      this.product(this.out, this.x, at, Math.ceil(size / BLOCK), width, k);
      for (let row = 0; row < size; row++) out.set(floats.subarray(this.out + row * width, this.out + row * width + n), (first + row) * n);
    }
  }
}

/** The kernel in JavaScript, on numbers in `all` at the places out, x and w. */
function slowly(all, out, x, w, blocks, n, k) {
  for (let row = 0; row < BLOCK * blocks; row++) {
    for (let j = 0; j < n; j += PANEL) {
      let s0 = 0, s1 = 0, s2 = 0, s3 = 0, s4 = 0, s5 = 0, s6 = 0, s7 = 0;
      let p = w + j * k, q = x + (row - (row % BLOCK)) * k + (row % BLOCK);
      for (let i = 0; i < k; i++, p += PANEL, q += BLOCK) {
        const v = all[q];
        s0 += v * all[p]; s1 += v * all[p + 1]; s2 += v * all[p + 2]; s3 += v * all[p + 3];
        s4 += v * all[p + 4]; s5 += v * all[p + 5]; s6 += v * all[p + 6]; s7 += v * all[p + 7];
      }
      all.set([s0, s1, s2, s3, s4, s5, s6, s7], out + row * n + j);
    }
  }
}
