/** Gradients of a step, added up in place over its parts (micro-batches, or several objectives). */
import { parametersOf } from '../../engine/graph/graph.ts';
import { Session, type SessionOptions } from '../../engine/runtime/session.ts';
import type { Tensor } from '../../engine/runtime/tensor.ts';
import type { ParameterStore } from '../../nn/parameter-store.ts';
import type { Scope } from '../../nn/scope.ts';
import {
  accumulatedPrefix,
  gradientPrefix,
  type ObjectiveOutputs,
  withGradients,
} from './objective.ts';

/** The objective's parts summed over what was added; absent parts are not in the objective. */
export type ObjectiveSums = Partial<Record<Exclude<keyof ObjectiveOutputs, 'loss'>, number>>;

export const partNames = [
  'base',
  'refined',
  'distillation',
  'contrastive',
  'grounding',
  'scorers',
  'count',
] as const;

/** One objective's session; several may add to the same gradients. */
export class GradientSession implements Disposable {
  readonly #session: Session;
  readonly #parameters: Readonly<Record<string, Tensor>>;
  readonly #accumulated: Readonly<Record<string, Tensor>>;
  readonly #into: Readonly<Record<string, Tensor>>;

  private constructor(
    session: Session,
    used: readonly string[],
    store: ParameterStore,
    gradients: Float32Array,
  ) {
    this.#session = session;
    const trained = used.filter((name) => store.groupOf(name) !== 'frozen');
    const views = (prefix: string) =>
      Object.fromEntries(trained.map((name) => [prefix + name, store.viewOf(name, gradients)]));
    this.#parameters = Object.fromEntries(used.map((name) => [name, store.tensor(name)]));
    // The very memory that is read is written: each gradient is complete before it goes out.
    this.#accumulated = views(accumulatedPrefix);
    this.#into = views(gradientPrefix);
  }

  /** @param scope the one that `outputs` were built in */
  static async open(
    scope: Scope,
    outputs: ObjectiveOutputs,
    store: ParameterStore,
    gradients: Float32Array,
    options: SessionOptions,
  ): Promise<GradientSession> {
    const named = Object.fromEntries(
      Object.entries(outputs).filter(([, value]) => value !== undefined),
    );
    // A graph without images does not reach the tower, and a concept that is given not what scores it.
    const used = parametersOf(Object.values(named));
    const trained = used.filter((name) => store.groupOf(name) !== 'frozen');
    const all = withGradients(scope, { ...named, loss: outputs.loss }, new Set(trained), true);
    return new GradientSession(await Session.open(all, options), used, store, gradients);
  }

  /** Adds the gradients of one part. @returns its loss and sums */
  async add(
    feeds: Readonly<Record<string, Tensor>>,
  ): Promise<{ loss: number; sums: ObjectiveSums }> {
    const result = await this.#session.run(
      { ...this.#parameters, ...this.#accumulated, ...feeds },
      this.#into,
    );
    return { loss: Number(result.loss.data[0]), sums: objectiveSums(result) };
  }

  [Symbol.dispose](): void {
    this.#session.dispose();
  }
}

/** The sums among a run's results. */
export function objectiveSums(result: Readonly<Record<string, Tensor>>): ObjectiveSums {
  return Object.fromEntries(
    partNames.flatMap((name) => (name in result ? [[name, Number(result[name].data[0])]] : [])),
  );
}

/** a + b, part by part. */
export function addSums(a: ObjectiveSums, b: ObjectiveSums): ObjectiveSums {
  return Object.fromEntries(
    partNames.flatMap((name) => {
      const [x, y] = [a[name], b[name]];
      return x === undefined && y === undefined ? [] : [[name, (x ?? 0) + (y ?? 0)]];
    }),
  );
}
