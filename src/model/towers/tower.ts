/** What a vision tower is to the rest of the project: a function from pixels to tokens, and what is known of it. */
import type * as z from 'zod';
import type { Preprocessing } from '../../data/images/preprocess.ts';
import type { Value } from '../../engine/graph/graph.ts';
import type { Dropout } from '../../nn/dropout.ts';
import type { Scope } from '../../nn/scope.ts';

/** A tower of given sizes. */
export interface Tower {
  /** How many tokens it gives an image. */
  readonly tokens: number;
  /** Which tokens stand for places of the picture: `side` x `side` of them row by row, from token `first`. */
  readonly grid: { readonly side: number; readonly first: number };
  /**
   * pixels [images, 3, size, size], normalised -> tokens [images, tokens, width].
   * @param scope where its parameters lie: `vision_model`
   */
  build(scope: Scope, pixels: Value, dropout: Dropout): Value;
  /**
   * The same with a finer grid of places, for towers whose tokens are coarse: an earlier stage, and how tokens'
   * gradients become the stage's.
   */
  readonly finer?: { readonly side: number; build(scope: Scope, pixels: Value): FinerTower };
  /**
   * Beginnings of its parameters' names within the scope, block by block in the order of computation: what
   * `visionBlocks` of training counts. What stands behind the last block counts as a block.
   */
  readonly blocks: readonly string[];
}

/** What a tower computes on the way to its tokens. */
export interface FinerTower {
  readonly tokens: Value;
  /** [images, channels, side, side]. */
  readonly stage: Value;
  /**
   * Gradients with respect to the tokens, several an image [images, each, tokens, width] -> those with respect to the
   * stage, [images, each, channels, side, side]. The way forward is gone once, whatever their number.
   */
  pullBack(slopes: Value): Value;
}

/** A kind of tower: one row of the table in towers.ts. */
export interface TowerKind<Config> {
  /** Checks `vision_config` of a config.json. */
  readonly schema: z.ZodType<Config>;
  /** Two fields that do not fit each other, in words; undefined where all fit. */
  fault(config: Config): string | undefined;
  of(config: Config): Tower;
  /** Whether transformers' `BlipForConditionalGeneration` opens a model with this tower. */
  readonly opensInPython: boolean;
  /** Names in checkpoints of other programs. */
  readonly names: TowerNames;
  /** Weights published apart from a captioner: how their folder is read. */
  readonly published?: PublishedTower;
}

export interface TowerNames {
  /** Rules from names in salesforce/BLIP's files, below `visual_encoder.`, to those in the scope. */
  readonly original: readonly (readonly [from: RegExp, to: string])[];
  /** Buffers that hold 0, 1, 2, ... and say nothing. */
  readonly positionIds: readonly string[];
  /** A table of learned positions [1, 1 + side^2, width], interpolated for another image size. */
  readonly positionEmbedding?: string;
}

export interface PublishedTower {
  /**
   * The tower's `vision_config` from a config.json of another layout; undefined where it is none of its kind.
   * @param shapeOf the shape of a weight by its name, undefined where there is none
   */
  config(json: unknown, shapeOf: (name: string) => readonly number[] | undefined): unknown;
  /** How pictures were prepared for it. */
  preprocessing(imageSize: number): Preprocessing;
}
