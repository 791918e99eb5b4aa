/**
 * A model's weights in memory. Everything trainable lies in one flat array, so that gradients and
 * optimizer states are flat arrays too and an update can stream through them.
 */
import { InputError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { shapeSize, type Tensor, tensor } from '../engine/runtime/tensor.ts';
import type { Initializer, ParameterSpec } from './scope.ts';

/** Trained with weight decay, trained without, or left as it is. */
export type Group = 'decayed' | 'plain' | 'frozen';

/** Where a parameter lies in the flat arrays. */
interface Place {
  readonly spec: ParameterSpec;
  readonly group: Group;
  readonly offset: number;
}

/** Elements between the starts of two parameters: a cache line, so that kernels see aligned rows. */
const alignment = 16;

/** The usual split: no decay for biases and normalisation layers. */
export function usualGroup(spec: ParameterSpec): Group {
  return spec.shape.length <= 1 ? 'plain' : 'decayed';
}

/** A stretch of `trainable` whose parameters are updated alike: [start, end). */
export interface UpdateRange {
  readonly start: number;
  readonly end: number;
  readonly decays: boolean;
  /** The learning rate is multiplied by this. */
  readonly rate: number;
}

/**
 * Named f32 parameters in flat memory: the decayed first, then the plain, those of one learning rate
 * side by side; the frozen apart.
 */
export class ParameterStore {
  readonly #places = new Map<string, Place>();
  readonly #frozen: Float32Array;
  /** All trainable values, with zeros between parameters. */
  readonly trainable: Float32Array;
  /** The parts of `trainable`, in order, without gaps. */
  readonly ranges: readonly UpdateRange[];

  /**
   * @param groupOf the group of each parameter; `usualGroup` by default
   * @param rateOf its learning rate, relative to the optimizer's; 1 by default
   */
  constructor(
    specs: readonly ParameterSpec[],
    groupOf: (spec: ParameterSpec) => Group = usualGroup,
    rateOf: (spec: ParameterSpec) => number = () => 1,
  ) {
    const parts = new Map<string, { group: Group; rate: number; size: number }>();
    const inOrder = specs.map((spec) => {
      const group = groupOf(spec);
      const rate = group === 'frozen' ? 1 : rateOf(spec);
      const key = `${group} ${rate}`;
      const part = parts.get(key) ?? { group, rate, size: 0 };
      parts.set(key, part);
      const offset = part.size;
      part.size += Math.ceil(shapeSize(spec.shape) / alignment) * alignment;
      return { spec, group, key, offset };
    });
    const starts = new Map<string, number>();
    const ranges: UpdateRange[] = [];
    let end = 0;
    for (const wanted of ['decayed', 'plain'] as const)
      for (const [key, { group, rate, size }] of parts) {
        if (group !== wanted) continue;
        starts.set(key, end);
        ranges.push({ start: end, end: end + size, decays: group === 'decayed', rate });
        end += size;
      }
    for (const { key, ...place } of inOrder)
      this.#places.set(place.spec.name, {
        ...place,
        offset: place.offset + (starts.get(key) ?? 0),
      });
    this.ranges = ranges;
    this.trainable = new Float32Array(end);
    const frozen = [...parts.values()].find(({ group }) => group === 'frozen');
    this.#frozen = new Float32Array(frozen?.size ?? 0);
  }

  get names(): string[] {
    return [...this.#places.keys()];
  }

  get trainableNames(): string[] {
    return this.names.filter((name) => this.groupOf(name) !== 'frozen');
  }

  /** @throws InputError when there is no such parameter */
  groupOf(name: string): Group {
    return this.#place(name).group;
  }

  /** @throws InputError when there is no such parameter */
  specOf(name: string): ParameterSpec {
    return this.#place(name).spec;
  }

  /**
   * The parameter's values, a view of the store's memory.
   * @param trainable another array laid out as `trainable`, such as an average, to look into
   * @throws InputError for an unknown name
   */
  tensor(name: string, trainable: Float32Array = this.trainable): Tensor<'f32'> {
    const { group } = this.#place(name);
    return this.viewOf(name, group === 'frozen' ? this.#frozen : trainable);
  }

  /** The part of a flat array (gradients, a slot) that belongs to the parameter. */
  viewOf(name: string, flat: Float32Array): Tensor<'f32'> {
    const { spec, offset } = this.#place(name);
    const size = shapeSize(spec.shape);
    return tensor('f32', spec.shape, flat.subarray(offset, offset + size));
  }

  /** All parameters as feeds for a session. */
  feeds(trainable: Float32Array = this.trainable): Record<string, Tensor<'f32'>> {
    return Object.fromEntries(this.names.map((name) => [name, this.tensor(name, trainable)]));
  }

  /** Draws every parameter's first values, in order of declaration. */
  initialize(random: Random): void {
    for (const { spec } of this.#places.values())
      fill(this.tensor(spec.name).data, spec.initializer, random);
  }

  #place(name: string): Place {
    const place = this.#places.get(name);
    if (!place) throw new InputError(`the model has no parameter named '${name}'`);
    return place;
  }
}

function fill(data: Float32Array, initializer: Initializer, random: Random): void {
  switch (initializer.kind) {
    case 'zeros':
      data.fill(0);
      return;
    case 'ones':
      data.fill(1);
      return;
    case 'normal':
      for (let i = 0; i < data.length; i++) data[i] = random.normal() * initializer.deviation;
  }
}
