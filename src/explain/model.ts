/** The model of a captioner, opened for explanations: each of its members, a session a graph, when it is first asked for. */
import { Opened } from '../base/disposal.ts';
import type { Feeds } from '../engine/runtime/feeds.ts';
import type { Session } from '../engine/runtime/session.ts';
import { float32Values, type Tensor, tensor } from '../engine/runtime/tensor.ts';
import {
  type InferenceOptions,
  openGraph,
  type ReadableWeights,
} from '../generation/open-graph.ts';
import type { BlipConfig } from '../model/config.ts';
import { towerOf, type VisionConfig } from '../model/towers/towers.ts';
import {
  attentionGraph,
  type Graph,
  gradientAttentionGraph,
  gradientInputGraph,
  layerCamGraph,
  relevanceGraph,
  scoreGraph,
  tokenGraph,
} from './graphs.ts';

const graphs = {
  tokens: tokenGraph,
  score: scoreGraph,
  attention: attentionGraph,
  gradientAttention: gradientAttentionGraph,
  gradientInput: gradientInputGraph,
  layerCam: layerCamGraph,
  relevance: relevanceGraph,
} as const satisfies Record<string, Graph>;

export type GraphName = keyof typeof graphs;

/** Fixed captions: what is read at each position and what is written there, i32 [images, captions, positions]. */
export interface ForcedIds {
  readonly ids: Tensor<'i32'>;
  readonly next: Tensor<'i32'>;
}

/** One of the models that write together, and how its sessions are opened. */
export interface ExplainedMember {
  readonly config: BlipConfig;
  readonly weights: ReadableWeights;
  readonly settings: Omit<InferenceOptions, 'quantize'>;
}

/** Reads the members anew, for one graph. */
export type ReadMembers = () => AsyncIterable<ExplainedMember>;

interface Member {
  readonly session: Session;
  readonly vision: VisionConfig;
}

/** Dispose it when done, or let its captioner own it. */
export class ExplainedModel implements Disposable {
  readonly #read: ReadMembers;
  readonly #change: (weights: ReadableWeights) => ReadableWeights;
  readonly #sessions = new Map<GraphName, Promise<Member[]>>();
  readonly #opened = new Opened();

  /** @param change of each member's weights, to explain a changed model */
  constructor(
    read: ReadMembers,
    change: (weights: ReadableWeights) => ReadableWeights = (weights) => weights,
  ) {
    this.#read = read;
    this.#change = change;
  }

  /**
   * Runs a graph of every member.
   * @param feeds for the member of this number
   * @throws InputError when the device cannot run the graph
   */
  async run(
    graph: GraphName,
    feeds: (member: number) => Feeds,
  ): Promise<Record<string, Float32Array>[]> {
    const members = await this.#members(graph);
    const results: Record<string, Float32Array>[] = [];
    for (const [i, { session }] of members.entries()) {
      const outputs = await session.run(feeds(i));
      const named = Object.entries(outputs).map(([name, value]) => [name, float32Values(value)]);
      results.push(Object.fromEntries(named));
    }
    return results;
  }

  /**
   * What the decoder of each member reads of images, those of its concepts among it, f32 [images, tokens, width].
   * @param pixels [images, 3, size, size]
   */
  async tokens(pixels: Tensor): Promise<Tensor[]> {
    const members = await this.#members('tokens');
    const results = await this.run('tokens', () => ({ pixels }));
    return results.map(({ tokens }, i) => {
      const width = members[i].vision.hidden_size;
      const [images] = pixels.shape;
      return tensor('f32', [images, tokens.length / images / width, width], tokens);
    });
  }

  /** Which of each member's tokens stand for places of the picture. */
  async grids(): Promise<{ side: number; first: number }[]> {
    return (await this.#members('tokens')).map(({ vision }) => towerOf(vision).grid);
  }

  /** Of each member, the cells a side of the finest map that its tower has, and which of its places is the first. */
  async finerGrids(): Promise<{ side: number; first: number }[]> {
    return (await this.#members('layerCam')).map(({ vision }) => {
      const { finer, grid } = towerOf(vision);
      return finer ? { side: finer.side, first: 0 } : grid;
    });
  }

  [Symbol.dispose](): void {
    this.#opened[Symbol.dispose]();
  }

  #members(graph: GraphName): Promise<Member[]> {
    const known = this.#sessions.get(graph);
    if (known) return known;
    const opening = this.#open(graphs[graph]);
    this.#sessions.set(graph, opening);
    // A device that could not run it may be free later.
    opening.catch(() => this.#sessions.delete(graph));
    return opening;
  }

  async #open(graph: Graph): Promise<Member[]> {
    const members: Member[] = [];
    for await (const { config, weights, settings } of this.#read()) {
      const session = await openGraph(
        (scope) => graph(scope, config),
        this.#change(weights),
        settings,
      );
      members.push({ session: this.#opened.use(session), vision: config.vision_config });
    }
    return members;
  }
}

/**
 * Captions as the graphs read them, the same for each of `images` images; shorter ones are filled up, and what is
 * said of the filling means nothing.
 * @param captions ids, [DEC] first
 */
export function forcedIds(captions: readonly (readonly number[])[], images = 1): ForcedIds {
  const positions = Math.max(...captions.map(({ length }) => length)) - 1;
  const shape = [images, captions.length, positions];
  const shifted = (by: number): Tensor<'i32'> => {
    const one = captions.flatMap((ids) =>
      Array.from({ length: positions }, (_, t) => ids[t + by] ?? 0),
    );
    return tensor(
      'i32',
      shape,
      Int32Array.from({ length: images * one.length }, (_, i) => one[i % one.length]),
    );
  };
  return { ids: shifted(0), next: shifted(1) };
}

/** The mean of the members' probabilities, and the share of it that each member has; values in the members' order. */
export function meanProbability(all: readonly Float32Array[]): {
  logprobs: Float32Array;
  shares: Float32Array[];
} {
  const [first] = all;
  const logprobs = new Float32Array(first.length);
  const shares = all.map(({ length }) => new Float32Array(length));
  for (let i = 0; i < first.length; i++) {
    const largest = Math.max(...all.map((values) => values[i]));
    const parts = all.map((values) => Math.exp(values[i] - largest));
    const sum = parts.reduce((a, b) => a + b, 0);
    logprobs[i] = largest + Math.log(sum / all.length);
    for (const [m, part] of parts.entries()) shares[m][i] = part / sum;
  }
  return { logprobs, shares };
}
