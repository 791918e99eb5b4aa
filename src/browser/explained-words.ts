/** The words of an explained caption as buttons: the one with the pointer or the focus shows where it looked. */
import type { Explanation } from '../explain/explanation.ts';
import { describeWord } from '../explain/output/words.ts';
import type { Captioner, WebExplainOptions } from './captioner.ts';
import { drawVeil } from './veil.ts';

/** Cells of a map are drawn this many pixels wide, so that they blend into each other. */
const cellPixels = 32;

/** How far an arrow key goes. */
const steps: Readonly<Record<string, number | undefined>> = {
  ArrowRight: 1,
  ArrowDown: 1,
  ArrowLeft: -1,
  ArrowUp: -1,
};

export class ExplainedWords {
  readonly #host: HTMLElement;
  readonly #list = document.createElement('p');
  readonly #veil = document.createElement('canvas');

  /**
   * @param host the veil is placed in it
   * @param root takes the words and the veil
   */
  constructor(host: HTMLElement, root: ShadowRoot) {
    this.#host = host;
    this.#veil.setAttribute('part', 'veil');
    this.#veil.setAttribute('aria-hidden', 'true');
    this.#list.setAttribute('part', 'words');
    this.#list.setAttribute('role', 'group');
    this.#list.setAttribute('aria-label', 'Where each word looked');
    this.hide();
    root.append(this.#veil, this.#list);
  }

  /** Shows where the words of a caption looked; what cannot be explained stands as it is. */
  async explain(
    captioner: Captioner,
    image: HTMLImageElement,
    options: WebExplainOptions,
  ): Promise<void> {
    const tell = (name: string, detail: unknown): boolean =>
      this.#host.dispatchEvent(new CustomEvent(name, { detail, bubbles: true }));
    try {
      const explanation = await captioner.explain(image, options);
      this.#show(explanation, image);
      tell('explanation', explanation);
    } catch (error) {
      if (!options.signal?.aborted) tell('captionerror', error);
    }
  }

  hide(): void {
    this.#list.hidden = true;
    this.#veil.hidden = true;
  }

  /** One stop of the Tab key for all words; the arrow keys go from word to word. */
  #show({ side, words }: Explanation, image: HTMLImageElement): void {
    const veil = this.#veil;
    [veil.width, veil.height] = [side * cellPixels, side * cellPixels];
    const buttons = words.map((word) => {
      const button = document.createElement('button');
      button.type = 'button';
      button.textContent = word.text;
      button.setAttribute('part', 'word');
      button.setAttribute('aria-label', `${word.text}: ${describeWord(word)}`);
      button.tabIndex = -1;
      const show = (): void => {
        drawVeil(veil, side, word.map);
        this.#cover(image);
        veil.hidden = false;
      };
      const hide = (): void => {
        veil.hidden = true;
      };
      for (const event of ['focus', 'pointerenter']) button.addEventListener(event, show);
      for (const event of ['blur', 'pointerleave']) button.addEventListener(event, hide);
      return button;
    });
    for (const [at, button] of buttons.entries()) {
      if (at === 0) button.tabIndex = 0;
      button.addEventListener('keydown', (event) => walk(event, buttons, at));
    }
    this.#list.replaceChildren(...buttons.flatMap((button) => [button, ' ']));
    this.#list.hidden = false;
  }

  /** Where the picture stands now, whatever the page did to it. */
  #cover(image: HTMLImageElement): void {
    const [own, picture] = [this.#host.getBoundingClientRect(), image.getBoundingClientRect()];
    const { style } = this.#veil;
    style.left = `${picture.left - own.left - this.#host.clientLeft}px`;
    style.top = `${picture.top - own.top - this.#host.clientTop}px`;
    style.width = `${picture.width}px`;
    style.height = `${picture.height}px`;
  }
}

function walk(event: KeyboardEvent, buttons: readonly HTMLButtonElement[], from: number): void {
  const step = steps[event.key];
  const next = step === undefined ? undefined : buttons[from + step];
  if (!next || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  buttons[from].tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
