/** The keys of the page, and the switch that turns single letters off. */
import type { VNode } from 'preact';
import { keyHelp } from '../keys.ts';
import type { Review } from '../review.ts';

export function KeyHelp({ review }: { readonly review: Review }): VNode {
  return (
    <details class="summary">
      <summary>Keys</summary>
      <dl class="figures keys">
        {keyHelp.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={review.hasKeys.value}
          onChange={({ currentTarget }) => {
            review.hasKeys.value = currentTarget.checked;
          }}
        />{' '}
        Single letters are keys (switch them off for speech input)
      </label>
    </details>
  );
}
