/** How the model is asked for other captions of a picture. */
import type { VNode } from 'preact';
import type { Review, RewriteOptions } from '../review.ts';

const byChance: RewriteOptions = { sample: true, topP: 0.9, numCaptions: 3 };
const bySearch: RewriteOptions = { sample: false, beams: 5, numCaptions: 3 };

export function RewriteForm({ review }: { readonly review: Review }): VNode {
  const { rewriteOptions: options, isRewriting } = review;
  const set = (changed: RewriteOptions): void => {
    options.value = { ...options.value, ...changed };
  };
  return (
    <details class="rewrite">
      <summary>
        Write anew <kbd>R</kbd>
      </summary>
      <div class="fields">
        <label>
          How{' '}
          <select
            value={options.value.sample ? 'chance' : 'search'}
            onChange={({ currentTarget }) => {
              const { prefix, ban, maxNewTokens } = options.value;
              const how = currentTarget.value === 'chance' ? byChance : bySearch;
              options.value = { ...how, prefix, ban, maxNewTokens };
            }}
          >
            <option value="chance">three, drawn by chance</option>
            <option value="search">the three best of a thorough search</option>
          </select>
        </label>
        <label>
          Begin with{' '}
          <input
            type="text"
            value={options.value.prefix ?? ''}
            onChange={({ currentTarget }) =>
              set({ prefix: currentTarget.value.trim() || undefined })
            }
          />
        </label>
        <label>
          Without the words{' '}
          <input
            type="text"
            placeholder="man, woman"
            value={options.value.ban?.join(', ') ?? ''}
            onChange={({ currentTarget }) => {
              const words = currentTarget.value.split(',').map((word) => word.trim());
              const ban = words.filter((word) => word !== '');
              set({ ban: ban.length > 0 ? ban : undefined });
            }}
          />
        </label>
        <label class="count">
          Tokens, at most{' '}
          <input
            type="text"
            inputMode="numeric"
            value={options.value.maxNewTokens ?? ''}
            onChange={({ currentTarget }) => {
              const number = Number.parseInt(currentTarget.value, 10);
              set({ maxNewTokens: number > 0 ? number : undefined });
            }}
          />
        </label>
        <button type="button" disabled={isRewriting.value} onClick={() => void review.rewrite()}>
          {isRewriting.value ? 'Writing' : 'Write'}
        </button>
      </div>
    </details>
  );
}
