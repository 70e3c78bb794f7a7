import { defaultDevice, grad, init, jit, lax, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import {
  CONVS,
  chapterBatch,
  chapterWeights,
  convNumbers,
  GEMMS,
  LEARNING_RATE,
  numbers,
  type Peer,
  PLANES,
  planes,
  type Run,
  type WorkName,
} from "../works.ts";

type Layer = { weight: np.Array; bias: np.Array };
type Network = { convs: Layer[]; linears: Layer[] };

/** Ownership as the library asks for it: every use of an array hands it over, unless written `.ref`. */
function network(): Network {
  const { convs, linears } = chapterWeights();
  const arrays = (layers: typeof convs) =>
    layers.map(({ weight, bias, shape }) => ({
      weight: np.array(weight as Float32Array<ArrayBuffer>).reshape([...shape]),
      bias: np.array(bias as Float32Array<ArrayBuffer>),
    }));
  return { convs: arrays(convs), linears: arrays(linears) };
}

const PAD: [number, number][] = [
  [2, 2],
  [2, 2],
];

/** A 2×2 max-pool as a view and a reduction, which this library does faster than by windows. */
function pooled(x: np.Array): np.Array {
  const [n, c, h, w] = x.shape as [number, number, number, number];
  return np.max(x.reshape([n, c, h / 2, 2, w / 2, 2]), [3, 5]);
}

function forward({ convs, linears }: Network, images: np.Array): np.Array {
  let x = images;
  for (const { weight, bias } of convs) x = pooled(lax.conv(x, weight, [1, 1], PAD).add(bias.reshape([1, -1, 1, 1])));
  x = x.reshape([x.shape[0]!, 1024]);
  for (const { weight, bias } of linears) x = np.matmul(x, weight.transpose()).add(bias);
  return x;
}

/** All of it is computed, and the first number read. */
async function firstOf(result: np.Array): Promise<number> {
  await result.ref.blockUntilReady();
  return (await result.reshape([-1]).slice([0, 1]).data())[0] as number;
}

async function prepare(work: WorkName): Promise<Run | null> {
  const gemm = GEMMS[work];
  const array = (data: Float32Array) => np.array(data as Float32Array<ArrayBuffer>);
  const conv = CONVS[work];
  if (conv) {
    const { x, weight, dy } = convNumbers(conv);
    const shape = [conv.size, conv.size];
    const a = array(x).reshape([64, conv.from, ...shape]);
    const b = array(weight).reshape([conv.to, conv.from, 5, 5]);
    const c = array(dy).reshape([64, conv.to, ...shape]);
    const once = (x: np.Array, weight: np.Array) => lax.conv(x, weight, [1, 1], PAD);
    if (conv.kernel === "forward") {
      const run = jit(once);
      return () => firstOf(run(a.ref, b.ref));
    }
    const of = (x: np.Array, weight: np.Array, dy: np.Array) => np.sum(once(x, weight).mul(dy));
    const run = jit(conv.kernel === "input" ? grad(of, { argnums: 0 }) : grad(of, { argnums: 1 }));
    return () => firstOf(run(a.ref, b.ref, c.ref) as np.Array);
  }
  if (gemm) {
    const [n, k, m] = gemm;
    const a = array(numbers(n * k, 1)).reshape([n, k]);
    const b = array(numbers(k * m, 2)).reshape([k, m]);
    return () => firstOf(np.matmul(a.ref, b.ref));
  }
  if (work === "relu" || work === "maxPool") {
    const x = array(planes()).reshape([...PLANES]);
    const once = work === "relu" ? nn.relu : pooled;
    return () => firstOf(once(x.ref));
  }
  const batch = work === "step1" ? 1 : 64;
  const { images, labels } = chapterBatch(batch);
  const x = array(images).reshape([batch, 3, 32, 32]);
  let model = network();
  const shared = (): Network => ({
    convs: model.convs.map(({ weight, bias }) => ({ weight: weight.ref, bias: bias.ref })),
    linears: model.linears.map(({ weight, bias }) => ({ weight: weight.ref, bias: bias.ref })),
  });
  if (work === "forward64") {
    const run = jit(forward);
    return async () => (await np.sum(run(shared(), x.ref)).data())[0] as number;
  }
  const hot = array(
    Float32Array.from({ length: batch * 10 }, (_, i) => (labels[Math.floor(i / 10)] === i % 10 ? 1 : 0)),
  );
  const y = hot.reshape([batch, 10]);
  const loss = (network: Network, images: np.Array, targets: np.Array) =>
    np.sum(nn.logSoftmax(forward(network, images)).mul(targets)).mul(-1 / batch);
  const step = jit((network: Network, images: np.Array, targets: np.Array) => {
    const kept: Network = {
      convs: network.convs.map(({ weight, bias }) => ({ weight: weight.ref, bias: bias.ref })),
      linears: network.linears.map(({ weight, bias }) => ({ weight: weight.ref, bias: bias.ref })),
    };
    const [value, gradient] = valueAndGrad(loss)(network, images, targets) as unknown as [np.Array, Network];
    const moved = (layers: Layer[], by: Layer[]) =>
      layers.map(({ weight, bias }, i) => ({
        weight: weight.sub(by[i]!.weight.mul(LEARNING_RATE)),
        bias: bias.sub(by[i]!.bias.mul(LEARNING_RATE)),
      }));
    return {
      value,
      network: { convs: moved(kept.convs, gradient.convs), linears: moved(kept.linears, gradient.linears) },
    };
  });
  return async () => {
    const result = step(model, x.ref, y.ref) as unknown as { value: np.Array; network: Network };
    model = result.network;
    // The new weights are part of the step.
    for (const { weight, bias } of [...model.convs, ...model.linears]) {
      await weight.blockUntilReady();
      await bias.blockUntilReady();
    }
    return (await result.value.data())[0] as number;
  };
}

export async function load(device: "wasm" | "webgpu"): Promise<Peer> {
  await init(device);
  defaultDevice(device);
  return { name: `jax-js ${device}`, prepare };
}
