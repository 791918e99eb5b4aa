/** Captions that wait for a person's word, wherever they are kept. */
import type { ReviewDecision } from '../decisions/decision.ts';

/** A caption that a model wrote of a picture. */
export interface DraftCandidate {
  readonly text: string;
  /** From 0 to 1, where the source tells it. */
  readonly confidence?: number;
}

/** A picture with its captions. */
export interface DraftCaption {
  /** As the source names the picture. */
  readonly file: string;
  /** Where the picture is, where the source says that beside its name. */
  readonly path?: string;
  /** One at least; the first is the draft. */
  readonly candidates: readonly DraftCandidate[];
  /** How much its words depend on the picture, on average, in nats; where the source tells it. */
  readonly dependence?: number;
  /** What was decided and written before. */
  readonly decision?: ReviewDecision;
}

/** How drafts are kept. */
export const draftFormats = ['jsonl', 'json', 'csv', 'sidecar', 'xmp'] as const;
export type DraftFormat = (typeof draftFormats)[number];

export interface DraftSource {
  readonly format: DraftFormat;
  /** What decisions are written into, for messages. */
  readonly target: string;
  readonly drafts: readonly DraftCaption[];
  /** Sentences for the person: what was left out. */
  readonly notes: readonly string[];
  /** Where names of pictures are meant from; tried in this order. */
  readonly folders: readonly string[];
  /**
   * Puts decisions where the drafts are, by picture, with who decided what and when where there is a place for it.
   * @returns how many drafts it changed
   * @throws InputError when something cannot be written; nothing is half-written
   */
  write(decided: ReadonlyMap<string, ReviewDecision>): Promise<number>;
}

/** The draft alone of a picture. */
export function draftText({ candidates }: DraftCaption): string {
  return candidates[0].text;
}

/** How sure the model was of the draft, where that is known. */
export function draftConfidence({ candidates }: DraftCaption): number | undefined {
  return candidates[0].confidence;
}
