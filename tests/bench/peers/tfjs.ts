import "@tensorflow/tfjs-backend-cpu";
import * as wasm from "@tensorflow/tfjs-backend-wasm";
import "@tensorflow/tfjs-backend-webgpu";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import {
  CONVS,
  chapterBatch,
  chapterWeights,
  convNumbers,
  GEMMS,
  LEARNING_RATE,
  numbers,
  type Peer,
  planes,
  type Run,
  toHwio,
  toNhwc,
  type WorkName,
} from "../works.ts";

function network() {
  const { convs, linears } = chapterWeights();
  const filters = convs.map((layer) => {
    const [o, c, h, w] = layer.shape as [number, number, number, number];
    return {
      weight: tf.variable(tf.tensor4d(toHwio(layer), [h, w, c, o])),
      bias: tf.variable(tf.tensor1d(layer.bias)),
    };
  });
  const dense = linears.map(({ weight, bias, shape }) => ({
    weight: tf.variable(tf.tensor2d(weight, shape as [number, number])),
    bias: tf.variable(tf.tensor1d(bias)),
  }));
  const forward = (images: tf.Tensor4D): tf.Tensor2D => {
    let x = images;
    for (const { weight, bias } of filters)
      x = tf.maxPool(tf.add(tf.conv2d(x, weight as tf.Tensor4D, 1, "same"), bias) as tf.Tensor4D, 2, 2, "valid");
    // As PyTorch flattens: channels first.
    let y = tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [images.shape[0], 1024]) as tf.Tensor2D;
    for (const { weight, bias } of dense) y = tf.add(tf.matMul(y, weight as tf.Tensor2D, false, true), bias);
    return y;
  };
  return forward;
}

/** Does it and reads the first number: at once on the CPU, and when the GPU is done there. */
function reading(once: () => tf.Tensor): Run {
  if (tf.getBackend() !== "webgpu") return () => tf.tidy(() => once().dataSync()[0]!);
  return async () => {
    const result = tf.tidy(once);
    const first = result.size === 1 ? result : tf.slice(tf.reshape(result, [-1]), [0], [1]);
    const answer = (await first.data())[0]!;
    tf.dispose([result, first]);
    return answer;
  };
}

async function prepare(work: WorkName): Promise<Run | null> {
  const gemm = GEMMS[work];
  const conv = CONVS[work];
  if (conv) {
    const { from, to, size, kernel } = conv;
    const { x, weight, dy } = convNumbers(conv);
    const a = tf.tensor4d(toNhwc(x, 64, from, size * size), [64, size, size, from]);
    const filter = { shape: [to, from, 5, 5], weight, bias: new Float32Array(to) };
    const b = tf.tensor4d(toHwio(filter), [5, 5, from, to]);
    const c = tf.tensor4d(toNhwc(dy, 64, to, size * size), [64, size, size, to]);
    if (kernel === "forward") return reading(() => tf.conv2d(a, b, 1, "same"));
    // The kernels themselves: tf.grad would compute the convolution too.
    const rest = { strides: 1, pad: "same", dataFormat: "NHWC" };
    const gradient = (name: string, inputs: tf.NamedTensorMap, attributes: object) =>
      tf.engine().runKernel(name, inputs, { ...rest, ...attributes } as tf.NamedAttrMap) as tf.Tensor;
    return reading(
      kernel === "input"
        ? () => gradient(tf.Conv2DBackpropInput, { dy: c, filter: b }, { inputShape: a.shape })
        : () => gradient(tf.Conv2DBackpropFilter, { x: a, dy: c }, { filterShape: b.shape }),
    );
  }
  if (gemm) {
    const [n, k, m] = gemm;
    const a = tf.tensor2d(numbers(n * k, 1), [n, k]);
    const b = tf.tensor2d(numbers(k * m, 2), [k, m]);
    return reading(() => tf.matMul(a, b));
  }
  if (work === "relu" || work === "maxPool") {
    const x = tf.tensor4d(toNhwc(planes(), 64, 32, 1024), [64, 32, 32, 32]);
    const once = work === "relu" ? () => tf.relu(x) : () => tf.maxPool(x, 2, 2, "valid");
    return reading(once);
  }
  const batch = work === "step1" ? 1 : 64;
  const { images, labels } = chapterBatch(batch);
  const x = tf.tensor4d(toNhwc(images, batch, 3, 1024), [batch, 32, 32, 3]);
  const forward = network();
  if (work === "forward64") return reading(() => tf.sum(forward(x)));
  // The WASM backend has no gradient of a convolution with respect to its filter.
  if (tf.getBackend() === "wasm") return null;
  const y = tf.oneHot(tf.tensor1d(labels, "int32"), 10);
  const optimizer = tf.train.sgd(LEARNING_RATE);
  return reading(() => {
    const loss = optimizer.minimize(() => tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(forward(x))), 1))), true);
    return loss!;
  });
}

/** @param files folder of the WASM backend's binaries, ending in "/" */
export async function load(backend: "cpu" | "wasm" | "webgpu", files: string): Promise<Peer> {
  if (backend === "wasm") {
    wasm.setWasmPaths(files);
    wasm.setThreadsCount(1);
  }
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no ${backend} here`);
  await tf.ready();
  return { name: `TensorFlow.js ${backend}`, prepare };
}
