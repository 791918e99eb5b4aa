/** The keys of the review page, wherever nothing else takes them. */
import type { Review } from './review.ts';

/** What each key does, for the page's help. */
export const keyHelp: readonly (readonly [key: string, what: string])[] = [
  ['A', 'accept what stands in the caption’s field (in the field: Enter)'],
  ['E', 'edit the caption; Escape puts the draft back'],
  ['N', 'the model’s next caption'],
  ['1 … 9', 'that caption of the model'],
  ['R', 'have the model write anew'],
  ['W', 'the draft is wrong, and no caption fits'],
  ['S', 'skip: decide later'],
  ['U', 'take back the last decision'],
  ['J, ↓', 'the next picture'],
  ['K, ↑', 'the picture before'],
  ['F', 'search words'],
];

type Action = (review: Review) => void;

const actions: Readonly<Record<string, Action>> = {
  a: (review) => void review.accept(),
  e: () => focus('caption'),
  n: (review) => review.nextCandidate(),
  r: (review) => void review.rewrite(),
  w: (review) => void review.say({ kind: 'wrong' }),
  s: (review) => void review.say({ kind: 'skipped' }),
  u: (review) => void review.undo(),
  j: (review) => void review.go(review.at.value + 1),
  k: (review) => void review.go(review.at.value - 1),
  f: () => focus('words'),
};

const arrows: Readonly<Record<string, Action>> = {
  ArrowDown: (review) => void review.go(review.at.value + 1),
  ArrowUp: (review) => void review.go(review.at.value - 1),
  PageDown: (review) => void review.go(Math.min(lastOf(review), review.at.value + 10)),
  PageUp: (review) => void review.go(Math.max(0, review.at.value - 10)),
  Home: (review) => void review.go(0),
  End: (review) => void review.go(lastOf(review)),
};

const lastOf = (review: Review): number => (review.rows.value?.total ?? 1) - 1;

/** @returns what ends it */
export function listenToKeys(review: Review): () => void {
  const stop = new AbortController();
  const onKey = (event: KeyboardEvent): void => {
    if (event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = actionOf(event, review);
    if (!action) return;
    event.preventDefault();
    action(review);
  };
  document.addEventListener('keydown', onKey, { signal: stop.signal });
  return () => stop.abort();
}

function actionOf({ key, target }: KeyboardEvent, review: Review): Action | undefined {
  const element = target instanceof Element ? target : undefined;
  // Fields take all that is typed; radio buttons and lists of choices take the arrows.
  if (element?.matches('textarea, select, input:not([type=checkbox], [type=radio])'))
    return undefined;
  if (key in arrows) return element?.matches('input, summary') ? undefined : arrows[key];
  if (!review.hasKeys.value) return undefined;
  if (/^[1-9]$/.test(key)) return () => review.choose(Number(key) - 1);
  return actions[key.toLowerCase()];
}

function focus(id: string): void {
  const field = document.getElementById(id);
  field?.focus();
  if (field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement) field.select();
}
