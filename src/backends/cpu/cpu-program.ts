/** A graph compiled for the C runtime: a plan in its memory, an arena, and the live sizes of a run. */
import { assert, DisposedError, InternalError, OutOfRangeError } from "../../core/errors.js";
import { memoryOf, type Plan } from "../../graph/plan.js";
import { capacityElements, type LiveDimension, type LiveSizes, type Tensor } from "../../graph/tensor.js";
import type { InstructionProfile, Program, Resource } from "../backend.js";
import type { CpuRuntime } from "./cpu-runtime.js";
import type { Instruction } from "./instructions.js";
import { lowerPlan, scratchBytes } from "./lower.js";
import { CpuMatrix, CpuMemory, CpuPlain } from "./memory.js";
import { CpuProfile } from "./profile.js";

/** Where a tensor lies. */
interface Place {
  readonly memory: CpuMemory;
  readonly offset: number;
}

export class CpuProgram implements Program {
  readonly arenaBytes: number;
  readonly #places = new Map<Tensor, Place>();
  readonly #owned: CpuMemory[] = [];
  readonly #dimensions: readonly LiveDimension[];
  readonly #live: CpuMemory;
  readonly #liveSizes: Int32Array;
  readonly #plan: CpuMemory;
  readonly #words: number;
  readonly #instructions: readonly Instruction[];
  #profile: CpuProfile | undefined;
  #state: "idle" | "running" | "disposed" = "idle";

  /** @param resources - what each parameter and state is, by name */
  constructor(
    readonly runtime: CpuRuntime,
    plan: Plan,
    resources: ReadonlyMap<string, Resource>,
  ) {
    this.arenaBytes = plan.arenaBytes;
    try {
      this.#dimensions = liveDimensions(plan);
      this.#layOut(plan, resources);
      this.#live = this.#own(new CpuMemory(runtime, Math.max(1, this.#dimensions.length) * 4));
      this.#liveSizes = this.#live.integers();
      const { words, instructions } = this.#lower(plan);
      this.#instructions = instructions;
      this.#words = words.length;
      this.#plan = this.#own(new CpuMemory(runtime, words.byteLength));
      this.#plan.write(words);
    } catch (error) {
      this.dispose();
      throw error;
    }
  }

  /** Finds memory for every tensor: its own, or a part of the arena. */
  #layOut(plan: Plan, resources: ReadonlyMap<string, Resource>): void {
    for (const tensor of [...plan.parameters, ...plan.states]) {
      this.#places.set(tensor, { memory: memoryNamed(tensor.name, resources), offset: 0 });
    }
    for (const tensor of plan.constants) {
      if (tensor.origin.kind === "constant") this.#place(tensor, new CpuPlain(this.runtime, tensor.origin.values));
    }
    const arena = this.#own(new CpuMemory(this.runtime, plan.arenaBytes));
    this.runtime.preferLargePages?.(arena.address, plan.arenaBytes);
    for (const [tensor, offset] of plan.offsets) this.#places.set(tensor, { memory: arena, offset });
  }

  integers(input: Tensor): Int32Array {
    const { memory, offset } = this.#placeOf(input);
    return memory.integers(offset, capacityElements(input));
  }

  floats(tensor: Tensor): Float32Array {
    const { memory, offset } = this.#placeOf(tensor);
    return memory.floats(offset, capacityElements(tensor));
  }

  run(live: LiveSizes): void {
    this.#prepare(live);
    this.runtime.run(this.#plan.address, this.#words, this.#live.address, this.#profile?.address ?? 0);
  }

  async runAsync(live: LiveSizes): Promise<void> {
    this.#prepare(live);
    this.#state = "running";
    try {
      await this.runtime.runAsync(this.#plan.address, this.#words, this.#live.address, this.#profile?.address ?? 0);
    } finally {
      this.#state = "idle";
    }
  }

  startProfile(): void {
    this.#requireIdle();
    this.#profile?.dispose();
    this.#profile = new CpuProfile(this.runtime, this.#instructions, {
      bytesOf: (parameter) => this.#placeOf(parameter).memory.bytes,
      integers: (input) => this.integers(input),
      sizeOf: (extent) => (typeof extent === "number" ? extent : this.#liveSize(extent.name)),
    });
  }

  stopProfile(): InstructionProfile[] {
    this.#requireIdle();
    const results = this.#profile?.results() ?? [];
    this.#profile?.dispose();
    this.#profile = undefined;
    return results;
  }

  dispose(): void {
    if (this.#state === "running") throw new InternalError("a program was disposed while it was running");
    this.#state = "disposed";
    for (const memory of this.#owned) memory.dispose();
    this.#profile?.dispose();
    this.#places.clear();
  }

  #prepare(live: LiveSizes): void {
    this.#requireIdle();
    for (let index = 0; index < this.#dimensions.length; index++) {
      const { name, capacity } = this.#dimensions[index]!;
      const size = live[name];
      assert(size !== undefined, `no live size for ${name}`);
      if (!Number.isInteger(size) || size < 0 || size > capacity)
        throw new OutOfRangeError(name, `0 to ${capacity}`, size);
      this.#liveSizes[index] = size;
    }
    this.#profile?.count(this.#liveSizes);
  }

  #liveSize(name: string): number {
    return this.#liveSizes[this.#dimensions.findIndex((dimension) => dimension.name === name)]!;
  }

  #requireIdle(): void {
    if (this.#state === "disposed") throw new DisposedError("a program");
    if (this.#state === "running") throw new InternalError("a program was run while it was running");
  }

  #lower(plan: Plan) {
    const storageOf = (tensor: Tensor) => {
      const { memory } = this.#placeOf(tensor);
      return memory instanceof CpuMatrix ? memory.storage : undefined;
    };
    const scratch = scratchBytes(plan, this.runtime.threads, storageOf);
    const names = this.#dimensions.map((dimension) => dimension.name);
    const addresses = {
      of: (tensor: Tensor) => this.#addressOf(tensor),
      storageOf,
      quantized: this.#scratch(scratch.quantized),
      scores: this.#scratch(scratch.scores),
      decoded: this.#scratch(scratch.decoded),
      training: this.#scratch(scratch.training),
    };
    return lowerPlan(plan, names, addresses, this.runtime.threads);
  }

  #scratch(bytes: number): number {
    return bytes === 0 ? 0 : this.#own(new CpuMemory(this.runtime, bytes)).address;
  }

  #own<T extends CpuMemory>(memory: T): T {
    this.#owned.push(memory);
    return memory;
  }

  #place(tensor: Tensor, memory: CpuMemory): void {
    this.#places.set(tensor, { memory: this.#own(memory), offset: 0 });
  }

  #placeOf(tensor: Tensor): Place {
    if (this.#state === "disposed") throw new DisposedError("a program");
    const place = this.#places.get(memoryOf(tensor));
    assert(place !== undefined, `${tensor.name || `tensor ${tensor.id}`} has no memory in this program`);
    return place;
  }

  #addressOf(tensor: Tensor): number {
    const { memory, offset } = this.#placeOf(tensor);
    return memory.address + offset;
  }
}

function memoryNamed(name: string, resources: ReadonlyMap<string, Resource>): CpuMemory {
  const resource = resources.get(name);
  assert(resource instanceof CpuMemory, `no resource of this backend for ${name}`);
  return resource;
}

/** Every live dimension of a plan, once. */
function liveDimensions(plan: Plan): LiveDimension[] {
  const found = new Map<string, LiveDimension>();
  const tensors = [...plan.inputs, ...plan.nodes.flatMap((node) => [...node.outputs, ...node.inputs])];
  for (const [extent] of tensors.map((tensor) => tensor.shape)) {
    if (extent !== undefined && typeof extent !== "number") found.set(extent.name, extent);
  }
  return [...found.values()];
}
