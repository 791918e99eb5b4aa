/** The whole review page: how far it is, what is listed, and the picture that is looked at. */
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import { listenToKeys } from '../keys.ts';
import type { Review } from '../review.ts';
import { DraftPanel } from './draft-panel.tsx';
import { Filters } from './filters.tsx';
import { KeyHelp } from './key-help.tsx';
import { RowList } from './row-list.tsx';
import { Summary } from './summary.tsx';

export function ReviewApp({ review }: { readonly review: Review }): VNode {
  useEffect(() => listenToKeys(review), [review]);
  return (
    <>
      <header>
        <h1>Review of captions</h1>
        <Progress review={review} />
      </header>
      <main>
        <Filters review={review} />
        {review.failure.value !== undefined && (
          <p class="notice" role="alert">
            {review.failure}
          </p>
        )}
        <p class="told" role="status">
          {review.told}
        </p>
        <div class="desk">
          <RowList review={review} />
          <DraftPanel review={review} />
        </div>
        <Summary review={review} />
        <KeyHelp review={review} />
      </main>
    </>
  );
}

function Progress({ review }: { readonly review: Review }): VNode | null {
  const state = review.state.value;
  if (!state) return null;
  const number = (value: number): string => value.toLocaleString('en');
  return (
    <p class="progress">
      <progress max={state.total} value={state.decided} aria-label="Pictures decided" />{' '}
      <span>
        {number(state.decided)} of {number(state.total)} decided; {state.source}, by {state.by}
      </span>
    </p>
  );
}
