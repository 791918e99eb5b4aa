/** Asks who writes the captions where their words looked, and keeps what it says until the caption changes. */
import type { Explanation } from '../server/client.ts';
import { TokenNeeded, Unreachable } from '../server/errors.ts';
import { captionOf, type Picture, whyOf } from './picture.ts';

export type AskWhy = (file: File, caption: string, signal: AbortSignal) => Promise<Explanation>;

export class Explaining {
  readonly #ask: AskWhy;

  constructor(ask: AskWhy) {
    this.#ask = ask;
  }

  /** Shows where the words of the picture's caption looked, or hides it again. */
  async toggle(picture: Picture): Promise<void> {
    const { kind } = whyOf(picture);
    this.hide(picture);
    if (kind === 'none' || kind === 'failed') await this.#show(picture);
  }

  hide({ why }: Picture): void {
    if (why.value.kind === 'asked') why.value.stop();
    why.value = { kind: 'none' };
  }

  async #show(picture: Picture): Promise<void> {
    const of = captionOf(picture) ?? '';
    const controller = new AbortController();
    const { signal } = controller;
    picture.why.value = { kind: 'asked', of, stop: () => controller.abort() };
    try {
      const explanation = await this.#ask(picture.file, of, signal);
      if (signal.aborted) return;
      picture.shownWord.value = strongest(explanation);
      picture.why.value = { kind: 'known', of, explanation };
    } catch (error) {
      if (!signal.aborted) picture.why.value = { kind: 'failed', of, message: messageOf(error) };
    }
  }
}

/** The word that depends most on the picture. */
function strongest({ words }: Explanation): number {
  const most = Math.max(...words.map(({ dependence }) => dependence));
  return Math.max(
    0,
    words.findIndex(({ dependence }) => dependence === most),
  );
}

function messageOf(error: unknown): string {
  if (error instanceof TokenNeeded) return 'The server asks for a token.';
  if (error instanceof Unreachable) return 'The server does not answer.';
  return error instanceof Error ? error.message : String(error);
}
