/** Declares a model's parameters while its graph is built: names, shapes and how each begins. */
import { GraphError, parameter, type Value } from '../engine/graph/graph.ts';

/** How a parameter's first values are drawn. */
export type Initializer =
  | { readonly kind: 'zeros' }
  | { readonly kind: 'ones' }
  | { readonly kind: 'normal'; readonly deviation: number };

export interface ParameterSpec {
  readonly name: string;
  readonly shape: readonly number[];
  readonly initializer: Initializer;
}

export const zeros: Initializer = { kind: 'zeros' };
export const ones: Initializer = { kind: 'ones' };
/** BERT's and BLIP's initialisation: normal with this standard deviation. */
export function normal(deviation = 0.02): Initializer {
  return { kind: 'normal', deviation };
}

/** Low-rank adapters beside linear layers (Hu et al. 2021, LoRA): y = x W' + scale (x A') B'. */
export interface Adapters {
  readonly rank: number;
  readonly scale: number;
  /** Whether the linear layer of this full name, such as `bert.encoder.layer.0.attention.self.query`, has one. */
  adapts(layer: string): boolean;
}

/** A place in the tree of parameter names; `scope.at('layer.0')` is a place below it. */
export class Scope {
  readonly #specs: Map<string, ParameterSpec & { value: Value }>;
  readonly #prefix: string;
  readonly #adapters: Adapters | undefined;

  /** A new tree; linear layers in it get the adapters. */
  constructor(adapters?: Adapters, parent?: Scope, prefix = '') {
    this.#specs = parent ? parent.#specs : new Map();
    this.#prefix = prefix;
    this.#adapters = adapters;
  }

  /** The place named `name` below this one. */
  at(name: string | number): Scope {
    return new Scope(this.#adapters, this, `${this.#prefix}${name}.`);
  }

  /** The adapter of the linear layer at this place, if it has one. */
  get adapter(): Adapters | undefined {
    return this.#adapters?.adapts(this.#prefix.slice(0, -1)) ? this.#adapters : undefined;
  }

  /**
   * The parameter `name` at this place: declared at the first call, the same value at each later one.
   * @throws GraphError when it was declared with another shape
   */
  get(name: string, shape: readonly number[], initializer: Initializer): Value {
    const full = `${this.#prefix}${name}`;
    const known = this.#specs.get(full);
    if (known) {
      if (String(known.shape) !== String(shape))
        throw new GraphError(
          `the parameter ${full} is [${known.shape}] and cannot be [${shape}] as well`,
        );
      return known.value;
    }
    const value = parameter(full, shape);
    this.#specs.set(full, { name: full, shape, initializer, value });
    return value;
  }

  /** All parameters declared anywhere in this tree, in order of declaration. */
  get parameters(): readonly (ParameterSpec & { readonly value: Value })[] {
    return [...this.#specs.values()];
  }
}
