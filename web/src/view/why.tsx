/** Where the words of a caption looked: the words to choose from, and the veil over the picture. */
import type { VNode } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { drawVeil } from '../../../src/browser/veil.ts';
import { describeWord } from '../../../src/explain/output/words.ts';
import { type Picture, whyOf } from '../pictures/picture.ts';
import type { Explanation } from '../server/client.ts';
import { shareOf } from './figures.ts';

export function WhyWords({ picture }: { readonly picture: Picture }): VNode | null {
  const why = whyOf(picture);
  switch (why.kind) {
    case 'none':
      return null;
    case 'asked':
      return <p class="quiet">Looking for where each word looked</p>;
    case 'failed':
      return <p class="error">Not explained: {why.message}</p>;
    case 'known':
      return <WordChoice picture={picture} words={why.explanation.words} />;
  }
}

interface WordChoiceProps {
  readonly picture: Picture;
  readonly words: Explanation['words'];
}

/** One stop of the Tab key for all words; the arrow keys go from word to word. */
function WordChoice({ picture, words }: WordChoiceProps): VNode {
  const { shownWord, name } = picture;
  const list = useRef<HTMLOListElement>(null);
  const walk = (event: KeyboardEvent, step: number): void => {
    const next = shownWord.value + step;
    event.preventDefault();
    list.current?.querySelectorAll('button').item(next)?.focus();
  };
  const shown = words[shownWord.value];
  return (
    <div class="why">
      <ol ref={list} class="words" aria-label={`Where each word of ${name} looked`}>
        {words.map((word, at) => (
          <li key={at}>
            <button
              type="button"
              class="word"
              style={{ '--share': String(shareOf(word.dependence)) }}
              aria-pressed={at === shownWord.value}
              aria-label={`${word.text}: ${describeWord(word)}`}
              tabIndex={at === shownWord.value ? 0 : -1}
              onPointerEnter={() => {
                shownWord.value = at;
              }}
              onFocus={() => {
                shownWord.value = at;
              }}
              onKeyDown={(event) => {
                if (event.ctrlKey || event.metaKey || event.altKey) return;
                if (event.key === 'ArrowRight' || event.key === 'ArrowDown') walk(event, 1);
                if (event.key === 'ArrowLeft' || event.key === 'ArrowUp') walk(event, -1);
              }}
            >
              {word.text}
            </button>
          </li>
        ))}
      </ol>
      {shown && (
        <p class="quiet">
          {shown.text}: {describeWord(shown)}
        </p>
      )}
    </div>
  );
}

/** Dark where the word that is shown did not look. */
export function Veil({ picture }: { readonly picture: Picture }): VNode | null {
  const why = whyOf(picture);
  const canvas = useRef<HTMLCanvasElement>(null);
  const explanation = why.kind === 'known' ? why.explanation : undefined;
  const word = explanation?.words[picture.shownWord.value];
  useLayoutEffect(() => {
    if (canvas.current && explanation && word)
      drawVeil(canvas.current, explanation.side, Float32Array.from(word.map.flat()));
  }, [explanation, word]);
  if (!explanation || !word) return null;
  const { width, height } = explanation;
  return (
    <canvas
      ref={canvas}
      class="veil"
      width={veilWidth}
      height={Math.max(1, Math.round((veilWidth * height) / width))}
    />
  );
}

/** Pixels; as wide as a thumbnail. */
const veilWidth = 320;
