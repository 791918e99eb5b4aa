/** How much a caption computes, and how fast this machine's matrix products are: what its stages can be held against. */
import { input, parameter } from '../src/engine/graph/graph.ts';
import { dynamicQuantizeMatmul, matmul } from '../src/engine/graph/ops.ts';
import { Session } from '../src/engine/runtime/session.ts';
import { tensor } from '../src/engine/runtime/tensor.ts';
import type { BlipConfig } from '../src/model/config.ts';

/** Operations of the matrix products of each stage, for one image; a tower other than BLIP's is not counted. */
export interface Work {
  readonly vision: number;
  readonly cross: number;
  /** One row, `length` ids after `past`. */
  step(length: number, past: number): number;
}

export function workOf({ vision_config: vision, text_config: text }: BlipConfig): Work | undefined {
  if (vision.model_type !== 'blip_vision_model') return undefined;
  const { hidden_size: w, intermediate_size: inner, patch_size: patch } = vision;
  const patches = (vision.image_size / patch) ** 2;
  const s = patches + 1;
  const block = s * w * (4 * w + 2 * inner) + 2 * s * s * w;
  const t = text.hidden_size;
  return {
    vision: 2 * (patches * 3 * patch ** 2 * w + vision.num_hidden_layers * block),
    cross: 2 * text.num_hidden_layers * s * w * 2 * t,
    step: (length, past) => {
      const layer = t * (6 * t + 2 * text.intermediate_size) + 2 * t * (s + past + length);
      return 2 * (length * text.num_hidden_layers * layer + t * (text.vocab_size + t));
    },
  };
}

const [rows, inner, columns] = [577, 768, 3072];
const operations = 2 * rows * inner * columns;

/** One product as the tower has them, in f32 and with weights of 8 bits: operations a second. */
export class Products implements Disposable {
  readonly #sessions: Readonly<Record<'f32' | 'int8', Session>>;
  readonly #x = tensor('f32', [rows, inner], new Float32Array(rows * inner).fill(0.5));

  private constructor(sessions: Readonly<Record<'f32' | 'int8', Session>>) {
    this.#sessions = sessions;
  }

  static async open(threads: number | undefined): Promise<Products> {
    const x = input('x', 'f32', [rows, inner]);
    const rounded = parameter('rounded', [inner, columns], 'i8');
    const scale = parameter('scale', [columns]);
    const bytes: Readonly<Record<string, number>> = { w: 4, rounded: 1, scale: 4 / inner };
    const options = {
      ...(threads !== undefined && { threads }),
      weight: (name: string) => ({
        dtype: name === 'rounded' ? ('i8' as const) : ('f32' as const),
        data: new Uint8Array(inner * columns * bytes[name]),
      }),
    };
    const wide = { y: matmul(x, parameter('w', [inner, columns])) };
    const narrow = { y: dynamicQuantizeMatmul(x, rounded, scale) };
    return new Products({
      f32: await Session.open(wide, options),
      int8: await Session.open(narrow, options),
    });
  }

  async rate(kind: 'f32' | 'int8'): Promise<number> {
    const start = performance.now();
    await this.#sessions[kind].run({ x: this.#x });
    return operations / ((performance.now() - start) / 1000);
  }

  [Symbol.dispose](): void {
    for (const session of Object.values(this.#sessions)) session.dispose();
  }
}
