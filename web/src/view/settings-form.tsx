/** How captions are asked for. */
import type { VNode } from 'preact';
import type { Page } from '../page.ts';
import type { Settings } from '../server/client.ts';

const candidates: readonly number[] = [1, 3, 5];

/** Beams of a thorough search, which several captions need. */
const thorough = 3;

export function SettingsForm({ page }: { readonly page: Page }): VNode {
  const { settings, pictures } = page;
  const set = (changed: Partial<Settings>): void => {
    settings.value = { ...settings.value, ...changed };
  };
  return (
    <details class="settings">
      <summary>Settings</summary>
      <div class="fields">
        <label>
          Captions a picture{' '}
          <select
            value={settings.value.candidates}
            onChange={({ currentTarget }) => set({ candidates: Number(currentTarget.value) })}
          >
            {candidates.map((count) => (
              <option key={count} value={count}>
                {count}
              </option>
            ))}
          </select>
        </label>
        <label>
          Search{' '}
          <select
            value={settings.value.candidates > 1 ? thorough : settings.value.beams}
            disabled={settings.value.candidates > 1}
            onChange={({ currentTarget }) => set({ beams: Number(currentTarget.value) })}
          >
            <option value={1}>fast: words appear as they are written</option>
            <option value={thorough}>thorough: words appear at the end</option>
          </select>
        </label>
        <label>
          Captions begin with{' '}
          <input
            type="text"
            value={settings.value.prefix}
            placeholder="a picture of"
            onChange={({ currentTarget }) => set({ prefix: currentTarget.value.trim() })}
          />
        </label>
        {pictures.value.length > 0 && (
          <button type="button" onClick={() => page.captionAllAgain()}>
            Caption all again
          </button>
        )}
      </div>
      <p class="quiet">
        Settings hold for pictures that are captioned from now on. Several captions need a thorough
        search. Captions that you edited stay.
      </p>
    </details>
  );
}
