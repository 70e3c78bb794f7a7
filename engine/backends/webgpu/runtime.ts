/**
 * Records work for the GPU and sends it in batches. Kernels describe a dispatch (program, operands, numbers); everything
 * about command encoders, bind groups, uniforms and errors is here.
 *
 * One compute pass holds many dispatches: WebGPU keeps them in order where they touch the same buffer. Nothing is read back
 * inside a step.
 */
import type { DeviceMemory } from "../backend.ts";
import { BufferPool, type Memory, type MemorySummary } from "./memory.ts";
import type { CanvasReader } from "./reading.ts";

/** A shader: made into a pipeline once, by its key. Shapes belong into `params`, not into the text. */
export interface Program {
  readonly key: string;
  /**
   * WGSL with an entry point `main`. Group 0: binding 0 is the uniform block (`var<uniform>`), then come the operands that
   * are read (`var<storage, read>`), then those that are written (`var<storage, read_write>`), in the order of the dispatch.
   */
  readonly code: () => string;
}

export interface Dispatch {
  reads: readonly DeviceMemory[];
  /** Written to every element: what was there before does not matter. */
  writes: readonly DeviceMemory[];
  /** Written to in part, or added to. They are bound after `writes`. */
  updates?: readonly DeviceMemory[];
  /** The uniform block: at most 512 bytes, a multiple of 16. */
  params: ArrayBuffer;
  /** Workgroups; none may exceed 65,535 (`gridOf`). */
  groups: readonly [number, number, number];
}

/** How the engine hears of what went wrong. */
export interface RuntimeHost {
  error(message: string, hint?: string): Error;
}

interface Layout {
  /** How many operands are read, and how many written. */
  readonly id: string;
  readonly group: GPUBindGroupLayout;
  readonly pipeline: GPUPipelineLayout;
}

const UNIFORM_SLOT = 512;
/** Dispatches that are sent together. */
const BATCH = 128;
const MOST_BIND_GROUPS = 4096;
/** Batches that may be on their way when a loop is asked to let the GPU catch up. */
const MOST_UNDER_WAY = 4;

export class Runtime {
  readonly device: GPUDevice;
  readonly #host: RuntimeHost;
  readonly #pool: BufferPool;
  readonly #reader: CanvasReader | null;
  readonly #pipelines = new Map<string, GPUComputePipeline>();
  readonly #layouts = new Map<string, Layout>();
  readonly #groups = new Map<string, GPUBindGroup>();
  readonly #bufferIds = new WeakMap<GPUBuffer, number>();
  #nextBufferId = 1;
  readonly #uniforms: GPUBuffer;
  readonly #uniformBytes = new Uint8Array(UNIFORM_SLOT * BATCH);
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  #count = 0;
  #batch = 0;
  /** What went wrong since the last `settled`. */
  #failure: Error | null = null;
  #lost: Error | null = null;
  readonly #checks = new Set<Promise<void>>();
  /** Batches that were sent and are not done. */
  #underWay: Promise<void>[] = [];

  constructor(device: GPUDevice, host: RuntimeHost, reader: CanvasReader | null) {
    this.device = device;
    this.#host = host;
    this.#reader = reader;
    this.#pool = new BufferPool(device);
    this.#pool.onDestroy = () => this.#groups.clear();
    this.#pool.onMade = (outcome) => {
      this.#watch(outcome, "out of memory on the GPU: ", () => this.#pool.empty());
    };
    device.addEventListener("uncapturederror", ({ error }) => {
      this.#failure ??= host.error(error.message);
    });
    this.#uniforms = device.createBuffer({
      size: UNIFORM_SLOT * BATCH,
      usage: GPUBufferUsage.UNIFORM | GPUBufferUsage.COPY_DST,
    });
    device.lost.then((info) => {
      this.#lost = host.error(
        `the WebGPU device was lost: ${info.message || info.reason}`,
        "tensors on it are gone; restart the kernel to use WebGPU again, or go on with device cpu",
      );
    });
  }

  // ---- memory

  /** Memory for so many bytes; reads as zeros until it is written to. @throws when the adapter cannot bind that much. */
  allocate(bytes: number): Memory {
    const most = Math.min(this.device.limits.maxStorageBufferBindingSize, this.device.limits.maxBufferSize);
    if (bytes > most) {
      throw this.#host.error(
        `a tensor of ${(bytes / 2 ** 20).toFixed(0)} MB does not fit on this GPU, whose buffers hold at most ${(most / 2 ** 20).toFixed(0)} MB`,
        "use a smaller batch, or keep the tensor on the cpu",
      );
    }
    this.#throwFailure();
    return this.#pool.take(bytes);
  }

  /** Work that was recorded before still sees the contents. */
  free(memory: DeviceMemory): void {
    this.#pool.give(memory as Memory);
  }

  get memorySummary(): MemorySummary {
    return this.#pool.summary;
  }

  emptyCache(): void {
    this.flush();
    this.#pool.empty();
  }

  /** Fills memory with elements (f32 or i32), all of it. */
  write(memory: DeviceMemory, elements: Float32Array<ArrayBuffer> | Int32Array<ArrayBuffer>): void {
    const target = memory as Memory;
    if (target.batch === this.#batch && this.#encoder) this.flush();
    if (elements.byteLength !== target.bytes) throw new Error("GPU memory is written in part");
    target.stale = false;
    if (elements.length > 0) this.device.queue.writeBuffer(target.buffer, 0, elements);
  }

  /** A copy of the same size, in new memory. */
  copyOf(memory: DeviceMemory): Memory {
    const source = memory as Memory;
    const copy = this.allocate(source.bytes);
    if (source.stale) return copy;
    this.#endPass();
    this.#touch(source);
    this.#touch(copy);
    this.#commands().copyBufferToBuffer(source.buffer, 0, copy.buffer, 0, source.buffer.size);
    copy.stale = false;
    copy.limit = source.limit;
    return copy;
  }

  // ---- work

  /**
   * Records one dispatch. An operand that is read and written would be refused by WebGPU: kernels read it from where they
   * write, or from `copyOf`.
   */
  run(program: Program, { reads, writes, updates = [], params, groups }: Dispatch): void {
    this.#throwFailure();
    if (groups.includes(0)) return;
    const [read, written, updated] = [reads, writes, updates] as [Memory[], Memory[], Memory[]];
    for (const memory of [...read, ...updated]) if (memory.stale) this.#clear(memory);
    const layout = this.#layout(read.length, written.length + updated.length);
    const operands = [...read, ...written, ...updated];
    for (const memory of operands) this.#touch(memory);
    for (const memory of written) memory.stale = false;
    const pipeline = this.#pipeline(program, layout.pipeline);
    const group = this.#group(layout, operands);
    this.#uniformBytes.set(new Uint8Array(params), this.#count * UNIFORM_SLOT);
    this.#pass ??= this.#commands().beginComputePass();
    this.#pass.setPipeline(pipeline);
    this.#pass.setBindGroup(0, group, [this.#count * UNIFORM_SLOT]);
    this.#pass.dispatchWorkgroups(...groups);
    if (++this.#count === BATCH) this.flush();
  }

  /** Sends what was recorded. */
  flush(): void {
    if (!this.#encoder) return;
    this.#endPass();
    if (this.#count > 0) {
      this.device.queue.writeBuffer(this.#uniforms, 0, this.#uniformBytes, 0, this.#count * UNIFORM_SLOT);
    }
    this.device.queue.submit([this.#encoder.finish()]);
    const done = this.device.queue.onSubmittedWorkDone().then(
      () => {
        this.#underWay = this.#underWay.filter((other) => other !== done);
      },
      () => {},
    );
    this.#underWay.push(done);
    this.#watch(this.device.popErrorScope(), "");
    this.#watch(this.device.popErrorScope(), "out of memory on the GPU: ");
    this.#encoder = null;
    this.#count = 0;
    this.#batch++;
  }

  /**
   * Waits until all that was sent is known to be in order.
   * @throws the first error since the last call: work that failed left wrong numbers behind
   */
  async settled(): Promise<void> {
    this.flush();
    while (this.#checks.size > 0 && !this.#lost) await Promise.all(this.#checks);
    await Promise.race([Promise.all(this.#underWay), this.device.lost]);
    this.#throwFailure();
  }

  /** Waits while the GPU is more than a few batches behind: work that is sent without end would pile up. */
  async catchUp(): Promise<void> {
    while (this.#underWay.length > MOST_UNDER_WAY && !this.#lost) {
      await Promise.race([this.#underWay[this.#underWay.length - 1 - MOST_UNDER_WAY], this.device.lost]);
    }
  }

  // ---- reading

  /** Whether `readSync` works here: proved at the start. */
  get readsSync(): boolean {
    return this.#reader !== null;
  }

  /** The first `bytes` of memory, at once. @throws where the platform has no way to do that (`readsSync`). */
  readSync(memory: DeviceMemory, bytes: number): ArrayBuffer {
    this.#throwFailure();
    const source = memory as Memory;
    if (source.stale || bytes === 0) return new ArrayBuffer(bytes);
    if (!this.#reader) {
      throw this.#host.error(
        "this browser cannot read from the GPU at once",
        "await x.cpu() first: (await x.cpu()).item()",
      );
    }
    this.flush();
    return this.#reader.read(source.buffer, bytes);
  }

  /** The first `bytes` of memory, without holding anything up. */
  async read(memory: DeviceMemory, bytes: number): Promise<ArrayBuffer> {
    this.#throwFailure();
    const source = memory as Memory;
    if (source.stale || bytes === 0) return new ArrayBuffer(bytes);
    const staging = this.device.createBuffer({ size: bytes, usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.COPY_DST });
    this.#endPass();
    this.#commands().copyBufferToBuffer(source.buffer, 0, staging, 0, bytes);
    this.flush();
    try {
      await staging.mapAsync(GPUMapMode.READ);
    } catch (error) {
      await Promise.all(this.#checks);
      this.#throwFailure();
      throw this.#host.error(`the GPU's answer could not be read: ${String(error)}`);
    }
    const copy = staging.getMappedRange().slice(0);
    staging.destroy();
    this.#throwFailure();
    return copy;
  }

  // ---- inside

  #throwFailure(): void {
    const failure = this.#lost ?? this.#failure;
    if (!failure) return;
    // An error belongs to the work before it: what comes after may be right again. A lost device stays lost.
    this.#failure = null;
    throw failure;
  }

  #watch(scope: Promise<GPUError | null>, prefix: string, onError: () => void = () => {}): void {
    const check = scope
      .then((error) => {
        if (!error) return;
        onError();
        this.#failure ??= this.#host.error(prefix + error.message);
      })
      .catch(() => {})
      .finally(() => this.#checks.delete(check));
    this.#checks.add(check);
  }

  #commands(): GPUCommandEncoder {
    if (!this.#encoder) {
      this.device.pushErrorScope("out-of-memory");
      this.device.pushErrorScope("validation");
      this.#encoder = this.device.createCommandEncoder();
    }
    return this.#encoder;
  }

  #endPass(): void {
    this.#pass?.end();
    this.#pass = null;
  }

  #clear(memory: Memory): void {
    this.#endPass();
    this.#touch(memory);
    this.#commands().clearBuffer(memory.buffer);
    memory.stale = false;
  }

  #touch(memory: Memory): void {
    if (memory.freed) throw new Error("GPU memory is used after it was freed");
    memory.batch = this.#batch;
  }

  #layout(reads: number, writes: number): Layout {
    const id = `${reads}/${writes}`;
    const known = this.#layouts.get(id);
    if (known) return known;
    const entries: GPUBindGroupLayoutEntry[] = [
      { binding: 0, visibility: GPUShaderStage.COMPUTE, buffer: { type: "uniform", hasDynamicOffset: true } },
    ];
    for (let i = 0; i < reads + writes; i++) {
      const type = i < reads ? "read-only-storage" : "storage";
      entries.push({ binding: i + 1, visibility: GPUShaderStage.COMPUTE, buffer: { type } });
    }
    const group = this.device.createBindGroupLayout({ entries });
    const layout = { id, group, pipeline: this.device.createPipelineLayout({ bindGroupLayouts: [group] }) };
    this.#layouts.set(id, layout);
    return layout;
  }

  #pipeline({ key, code }: Program, layout: GPUPipelineLayout): GPUComputePipeline {
    const known = this.#pipelines.get(key);
    if (known) return known;
    this.#commands(); // Errors of the shader are this batch's.
    const module = this.device.createShaderModule({ label: key, code: code() });
    const pipeline = this.device.createComputePipeline({ label: key, layout, compute: { module, entryPoint: "main" } });
    this.#pipelines.set(key, pipeline);
    return pipeline;
  }

  #group({ id, group: layout }: Layout, operands: readonly Memory[]): GPUBindGroup {
    let key = id;
    for (const { buffer } of operands) key += `,${this.#idOf(buffer)}`;
    const known = this.#groups.get(key);
    if (known) return known;
    if (this.#groups.size >= MOST_BIND_GROUPS) this.#groups.clear();
    const group = this.device.createBindGroup({
      layout,
      entries: [
        { binding: 0, resource: { buffer: this.#uniforms, size: UNIFORM_SLOT } },
        ...operands.map(({ buffer }, i) => ({ binding: i + 1, resource: { buffer } })),
      ],
    });
    this.#groups.set(key, group);
    return group;
  }

  #idOf(buffer: GPUBuffer): number {
    let id = this.#bufferIds.get(buffer);
    if (id === undefined) {
      id = this.#nextBufferId++;
      this.#bufferIds.set(buffer, id);
    }
    return id;
  }
}

const MOST_GROUPS = 65535;

/** Workgroups in two dimensions for `count` of them; the shader's number is `id.x + id.y * groups.x`. */
export function gridOf(count: number): [number, number, number] {
  if (count <= MOST_GROUPS) return [count, 1, 1];
  const rows = Math.ceil(count / MOST_GROUPS);
  return [Math.ceil(count / rows), rows, 1];
}
