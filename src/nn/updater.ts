/** Runs an optimizer over the flat parameters in place, a stretch at a time, so that its temporaries stay in cache. */
import { Opened } from '../base/disposal.ts';
import { input } from '../engine/graph/graph.ts';
import * as ops from '../engine/graph/ops.ts';
import { Session, type SessionOptions } from '../engine/runtime/session.ts';
import { type Tensor, tensor } from '../engine/runtime/tensor.ts';
import type { Optimizer, StepSettings } from './optimizers.ts';
import type { ParameterStore } from './parameter-store.ts';

/** Elements of a stretch: its few live temporaries of 4 bytes each fit the cache. */
const stretch = 1 << 18;

/** The optimizer's state for one store, and the sessions that move it. */
export class Updater implements Disposable {
  readonly #optimizer: Optimizer;
  readonly #store: ParameterStore;
  readonly #update: Session;
  readonly #norm: Session;
  /** State of each slot, laid out as the store's trainable values. */
  readonly slots: Readonly<Record<string, Float32Array>>;

  private constructor(optimizer: Optimizer, store: ParameterStore, update: Session, norm: Session) {
    this.#optimizer = optimizer;
    this.#store = store;
    this.#update = update;
    this.#norm = norm;
    const first = (name: string): Float32Array =>
      optimizer.copies?.includes(name)
        ? store.trainable.slice()
        : new Float32Array(store.trainable.length);
    this.slots = Object.fromEntries(optimizer.slots.map((name) => [name, first(name)]));
  }

  /**
   * Opens the optimizer's steps over all trainable values of the store, which hold their first values by now.
   * @throws as `Session.open`
   */
  static async open(
    optimizer: Optimizer,
    store: ParameterStore,
    options: SessionOptions = {},
  ): Promise<Updater> {
    using opened = new Opened();
    const update = opened.use(await Session.open(updateGraph(optimizer), options));
    const gradient = input('gradient', 'f32', ['n']);
    const squares = { sum: ops.reduceSum(ops.square(gradient)) };
    const norm = opened.use(await Session.open(squares, options));
    opened.keep();
    return new Updater(optimizer, store, update, norm);
  }

  /** The Euclidean norm of all gradients together; NaN or infinite when one of them is. */
  async gradientNorm(gradients: Float32Array): Promise<number> {
    let sum = 0;
    for (const part of stretches(0, gradients.length)) {
      const result = await this.#norm.run({ gradient: flat(gradients, part) });
      sum += Number(result.sum.data[0]);
    }
    return Math.sqrt(sum);
  }

  /** One optimizer step on all trainable parameters and slots, in place. */
  async apply(gradients: Float32Array, settings: StepSettings): Promise<void> {
    for (const { start, end, decays, rate } of this.#store.ranges)
      await this.#applyTo(gradients, start, end, {
        ...settings,
        learningRate: settings.learningRate * rate,
        weightDecay: decays ? settings.weightDecay : 0,
      });
  }

  async #applyTo(
    gradients: Float32Array,
    start: number,
    end: number,
    settings: StepSettings,
  ): Promise<void> {
    const numbers = this.#optimizer.scalars(settings);
    const scalars = Object.fromEntries(
      Object.entries(numbers).map(([name, value]) => [
        name,
        tensor('f32', [], Float32Array.of(value)),
      ]),
    );
    for (const part of stretches(start, end)) {
      const state: Record<string, Tensor<'f32'>> = { parameter: flat(this.#store.trainable, part) };
      for (const [name, values] of Object.entries(this.slots)) state[name] = flat(values, part);
      const into = Object.fromEntries(Object.entries(state).map(([name, t]) => [`new.${name}`, t]));
      await this.#update.run({ ...scalars, ...state, gradient: flat(gradients, part) }, into);
    }
  }

  [Symbol.dispose](): void {
    this.#update.dispose();
    this.#norm.dispose();
  }
}

function updateGraph(optimizer: Optimizer) {
  const vector = (name: string) => input(name, 'f32', ['n']);
  const named = (names: readonly string[], make: (name: string) => ReturnType<typeof input>) =>
    Object.fromEntries(names.map((name) => [name, make(name)]));
  const result = optimizer.update(
    vector('parameter'),
    vector('gradient'),
    named(optimizer.slots, vector),
    named(optimizer.scalarNames, (name) => input(name, 'f32', [])),
  );
  return {
    'new.parameter': result.parameter,
    ...Object.fromEntries(
      Object.entries(result.slots).map(([name, value]) => [`new.${name}`, value]),
    ),
  };
}

function* stretches(start: number, end: number): Generator<readonly [number, number]> {
  for (let at = start; at < end; at += stretch) yield [at, Math.min(end, at + stretch)];
}

function flat(values: Float32Array, [start, end]: readonly [number, number]): Tensor<'f32'> {
  return tensor('f32', [end - start], values.subarray(start, end));
}
