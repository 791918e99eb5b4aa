/** The element `<refcap-caption>`: shows the picture that is put into it, and a caption below. */
import { altText } from '../alt/text.ts';
import { InputError } from '../base/errors.ts';
import type { Captioner, WebCaptionOptions } from './captioner.ts';
import { ExplainedWords } from './explained-words.ts';

export interface CaptionElementOptions {
  /** The captioner that all elements share; asked for when the first picture is there. */
  readonly captioner: () => Promise<Captioner>;
  /** How captions are written. */
  readonly options?: Omit<WebCaptionOptions, 'signal'>;
  /** Default refcap-caption. */
  readonly name?: string;
}

type Open = () => Promise<Captioner>;

/**
 * Defines the element. `<refcap-caption><img src="photo.jpg"></refcap-caption>` shows the picture with its caption below;
 * a picture without the attribute alt gets one. With the attribute `explain` the words stand below as buttons, and the one
 * with the pointer or the focus shows where in the picture it looked. The attribute `state` is writing, done or failed; the events `caption`,
 * with the result, `explanation`, with what it owes to the picture, and `captionerror`, with the error, say when.
 * `::part(caption)` styles the text, `::part(words)` and `::part(word)` the words, `::part(veil)` what covers the picture.
 * @throws InputError when the name is taken
 */
export function defineCaptionElement({
  captioner,
  options = {},
  name = 'refcap-caption',
}: CaptionElementOptions): void {
  if (customElements.get(name)) throw new InputError(`<${name}> is another element already.`);
  let shared: Promise<Captioner> | undefined;
  const open: Open = async () => {
    shared ??= captioner();
    try {
      return await shared;
    } catch (error) {
      // The next picture tries again.
      shared = undefined;
      throw error;
    }
  };
  customElements.define(name, elementClass(open, options));
}

const content = `<style>
  :host { display: block; position: relative }
  p { margin: 0.25em 0 0 }
  [hidden] { display: none }
  canvas { position: absolute; pointer-events: none }
</style>
<slot></slot><p part="caption" role="status"></p>`;

/** (Where there is no page there is no class to extend, so it is made when it is asked for.) */
function elementClass(
  open: Open,
  options: Omit<WebCaptionOptions, 'signal'>,
): CustomElementConstructor {
  return class extends HTMLElement {
    readonly #shown: HTMLElement | null;
    readonly #words: ExplainedWords;
    /** The picture that is captioned, or was. */
    #source = '';
    /** The one that was done with. */
    #done = '';
    #stop = new AbortController();

    constructor() {
      super();
      const root = this.attachShadow({ mode: 'open' });
      root.innerHTML = content;
      this.#shown = root.querySelector('[part=caption]');
      this.#words = new ExplainedWords(this, root);
      root.addEventListener('slotchange', () => void this.#look());
      // Events of loading do not bubble.
      this.addEventListener('load', () => void this.#look(), true);
    }

    /** Moved to another place, it goes on there. */
    connectedCallback(): void {
      void this.#look();
    }

    disconnectedCallback(): void {
      this.#stop.abort();
      // What is written already stays.
      this.#source = this.#done;
    }

    /** Captions the picture that is there now, where it is another one than before. */
    async #look(): Promise<void> {
      const image = this.querySelector('img');
      if (!this.isConnected || !image?.complete || image.currentSrc === this.#source) return;
      this.#source = image.currentSrc;
      this.#stop.abort();
      this.#stop = new AbortController();
      await this.#write(image, this.#stop.signal);
    }

    async #write(image: HTMLImageElement, signal: AbortSignal): Promise<void> {
      this.#show('writing', '');
      try {
        const captioner = await open();
        signal.throwIfAborted();
        const result = await captioner.caption(image, { ...options, signal });
        if (!image.hasAttribute('alt')) image.alt = altText(result.caption);
        this.#show('done', result.caption);
        this.dispatchEvent(new CustomEvent('caption', { detail: result, bubbles: true }));
        if (this.hasAttribute('explain') && result.caption !== '')
          await this.#words.explain(captioner, image, { caption: result.caption, signal });
      } catch (error) {
        if (signal.aborted) return;
        this.#show('failed', error instanceof InputError ? error.message : 'no caption');
        this.dispatchEvent(new CustomEvent('captionerror', { detail: error, bubbles: true }));
      }
      if (!signal.aborted) this.#done = this.#source;
    }

    #show(state: 'writing' | 'done' | 'failed', text: string): void {
      this.setAttribute('state', state);
      this.#words.hide();
      if (this.#shown) this.#shown.textContent = text;
    }
  };
}
