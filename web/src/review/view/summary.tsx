/** What reviewing bought so far, and the way of it into the source. */
import type { VNode } from 'preact';
import { percent } from '../../view/figures.ts';
import type { Review } from '../review.ts';

export function Summary({ review }: { readonly review: Review }): VNode {
  return (
    <details
      class="summary"
      onToggle={({ currentTarget }) => {
        if (currentTarget.open) void review.showSummary();
        else review.summary.value = undefined;
      }}
    >
      <summary>What reviewing bought, and writing it into the source</summary>
      <Figures review={review} />
      <p class="buttons">
        <button type="button" onClick={() => void review.write()}>
          Write what was decided into the source
        </button>
      </p>
    </details>
  );
}

function Figures({ review }: { readonly review: Review }): VNode | null {
  const summary = review.summary.value;
  if (!summary) return null;
  const { counts, acceptedShare, wordsChanged, cider, medianSeconds } = summary;
  const figures: [string, string | undefined][] = [
    ['Accepted as it was', String(counts.accepted)],
    ['Another candidate', String(counts.chosen)],
    ['Edited', String(counts.edited)],
    ['Wrong', String(counts.wrong)],
    ['Skipped', String(counts.skipped)],
    ['Share accepted as it was', acceptedShare === undefined ? undefined : percent(acceptedShare)],
    ['Words changed a caption', wordsChanged?.toFixed(2)],
    ['CIDEr-D of the drafts against the captions', cider?.toFixed(3)],
    ['Seconds a picture, in the median', medianSeconds?.toFixed(1)],
  ];
  return (
    <dl class="figures">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value ?? '–'}</dd>
        </div>
      ))}
    </dl>
  );
}
