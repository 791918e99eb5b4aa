/** Writes captions in the page itself, by a model that lies beside it. */
import { signal } from '@preact/signals';
import { Captioner, type ImageCaption, InputError, type LoadProgress } from 'refcap/web';
import { explanationRow } from '../../../src/explain/output/json.ts';
import type { Writer } from '../../src/page.ts';
import type { CaptionResult, Explanation, Settings, Word } from '../../src/server/client.ts';
import { PictureError, Unreachable } from '../../src/server/errors.ts';

/** As the server answers it. */
function resultOf({ captions, ...result }: ImageCaption, ms: number): CaptionResult {
  const own = captions.map(({ words, ...caption }) => ({
    ...caption,
    ...(words && { words: [...words] }),
  }));
  return { ...result, captions: own, ms };
}

export class LocalWriter implements Writer {
  /** How far the model is, while it is fetched. */
  readonly progress = signal<LoadProgress | undefined>(undefined);
  /** Why there is no model, or why it does not run as it should. */
  readonly fault = signal('');
  readonly #address: string;
  #captioner: Promise<Captioner> | undefined;

  readonly #mayStart: Promise<void>;

  /** Fetches the model. @param address of its folder @param mayStart settles when it may */
  constructor(address: string, mayStart: Promise<void>) {
    this.#address = address;
    this.#mayStart = mayStart;
    // Who asks for it is told what fails.
    this.#open().catch(() => undefined);
  }

  async modelName(): Promise<string> {
    const { device, dtype } = await this.#open();
    return `${device}, ${dtype}`;
  }

  async caption(
    file: File,
    { candidates, beams, prefix }: Settings,
    { signal, onWord }: { readonly signal: AbortSignal; readonly onWord: (word: Word) => void },
  ): Promise<CaptionResult> {
    const captioner = await this.#open();
    const start = performance.now();
    const options = {
      num_beams: Math.max(beams, candidates),
      num_return_sequences: candidates,
      prompt: prefix,
      words: true,
      signal,
    };
    try {
      const words = captioner.stream(file, options);
      for (;;) {
        const { done, value } = await words.next();
        if (done) return resultOf(value, performance.now() - start);
        onWord(value);
      }
    } catch (error) {
      if (!signal.aborted && error instanceof InputError) throw new PictureError(error.message);
      throw error;
    }
  }

  async explain(file: File, caption: string, signal: AbortSignal): Promise<Explanation> {
    const captioner = await this.#open();
    return explanationRow(await captioner.explain(file, { caption, signal }));
  }

  /** The model, which is fetched once; after a failure anew. */
  async #open(): Promise<Captioner> {
    this.#captioner ??= this.#load();
    try {
      const captioner = await this.#captioner;
      this.fault.value = captioner.faults.join(' ');
      return captioner;
    } catch (error) {
      this.#captioner = undefined;
      this.fault.value = error instanceof Error ? error.message : String(error);
      throw new Unreachable();
    } finally {
      this.progress.value = undefined;
    }
  }

  async #load(): Promise<Captioner> {
    await this.#mayStart;
    return Captioner.load(this.#address, {
      onProgress: (progress) => {
        this.progress.value = progress;
      },
    });
  }
}
