import "@tensorflow/tfjs-backend-cpu";
import * as wasm from "@tensorflow/tfjs-backend-wasm";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import {
  chapterBatch,
  chapterWeights,
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

async function prepare(work: WorkName): Promise<Run | null> {
  const gemm = GEMMS[work];
  if (gemm) {
    const [n, k, m] = gemm;
    const a = tf.tensor2d(numbers(n * k, 1), [n, k]);
    const b = tf.tensor2d(numbers(k * m, 2), [k, m]);
    return () => tf.tidy(() => tf.matMul(a, b).dataSync()[0]!);
  }
  if (work === "relu" || work === "maxPool") {
    const x = tf.tensor4d(toNhwc(planes(), 64, 32, 1024), [64, 32, 32, 32]);
    const once = work === "relu" ? () => tf.relu(x) : () => tf.maxPool(x, 2, 2, "valid");
    return () => tf.tidy(() => once().dataSync()[0]!);
  }
  const batch = work === "step1" ? 1 : 64;
  const { images, labels } = chapterBatch(batch);
  const x = tf.tensor4d(toNhwc(images, batch, 3, 1024), [batch, 32, 32, 3]);
  const forward = network();
  if (work === "forward64") return () => tf.tidy(() => tf.sum(forward(x)).dataSync()[0]!);
  // The WASM backend has no gradient of a convolution with respect to its filter.
  if (tf.getBackend() === "wasm") return null;
  const y = tf.oneHot(tf.tensor1d(labels, "int32"), 10);
  const optimizer = tf.train.sgd(LEARNING_RATE);
  return () =>
    tf.tidy(() => {
      const loss = optimizer.minimize(() => tf.neg(tf.mean(tf.sum(tf.mul(y, tf.logSoftmax(forward(x))), 1))), true);
      return loss!.dataSync()[0]!;
    });
}

/** @param files folder of the WASM backend's binaries, ending in "/" */
export async function load(backend: "cpu" | "wasm", files: string): Promise<Peer> {
  if (backend === "wasm") {
    wasm.setWasmPaths(files);
    wasm.setThreadsCount(1);
  }
  await tf.setBackend(backend);
  await tf.ready();
  return { name: `TensorFlow.js ${backend}`, prepare };
}
