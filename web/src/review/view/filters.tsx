/** Which drafts are listed, and in what order. */
import type { VNode } from 'preact';
import type { DraftQuery } from '../../../../src/review/views/view.ts';
import type { Review } from '../review.ts';

const orders: Readonly<Record<DraftQuery['order'], string>> = {
  confidence: 'least confident first',
  dependence: 'least from the picture first',
  length: 'longest first',
  source: 'as in the source',
};

const states: Readonly<Record<DraftQuery['state'], string>> = {
  open: 'not decided yet',
  all: 'all',
  accepted: 'accepted as it was',
  chosen: 'another candidate',
  edited: 'edited',
  wrong: 'wrong',
  skipped: 'skipped',
};

const repeats: Readonly<Record<DraftQuery['repeats'], string>> = {
  any: 'all',
  within: 'that repeat themselves',
  shared: 'of several pictures',
};

export function Filters({ review }: { readonly review: Review }): VNode {
  const { query, state } = review;
  const list = (changed: Partial<DraftQuery>): void => void review.list(changed);
  const { dependence, ...others } = orders;
  return (
    <form
      class="fields filters"
      aria-label="What is listed"
      onSubmit={(event) => event.preventDefault()}
    >
      <Choice
        label="Order"
        value={query.value.order}
        choices={state.value?.hasDependence ? orders : others}
        onChoose={(order) => list({ order })}
      />
      <Choice
        label="Pictures"
        value={query.value.state}
        choices={states}
        onChoose={(chosen) => list({ state: chosen })}
      />
      <Choice
        label="Captions"
        value={query.value.repeats}
        choices={repeats}
        onChoose={(chosen) => list({ repeats: chosen })}
      />
      <label>
        With the words{' '}
        <input
          id="words"
          type="text"
          value={query.value.words}
          onChange={({ currentTarget }) => list({ words: currentTarget.value })}
        />
      </label>
      <WordCount
        label="Words, at least"
        value={query.value.minWords || ''}
        onChange={(minWords) => list({ minWords: minWords ?? 0 })}
      />
      <WordCount
        label="at most"
        value={query.value.maxWords ?? ''}
        onChange={(maxWords) => list({ maxWords })}
      />
      <label class="check">
        <input
          type="checkbox"
          checked={query.value.similar}
          onChange={({ currentTarget }) => list({ similar: currentTarget.checked })}
        />{' '}
        that look like others
      </label>
    </form>
  );
}

interface ChoiceProps<Value extends string> {
  readonly label: string;
  readonly value: Value;
  readonly choices: Readonly<Partial<Record<Value, string>>>;
  readonly onChoose: (value: Value) => void;
}

function Choice<Value extends string>(props: ChoiceProps<Value>): VNode {
  const { label, value, choices, onChoose } = props;
  const names = Object.keys(choices).filter((name): name is Value => name in choices);
  return (
    <label>
      {label}{' '}
      <select
        value={value}
        onChange={({ currentTarget }) => {
          const chosen = names.find((name) => name === currentTarget.value);
          if (chosen !== undefined) onChoose(chosen);
        }}
      >
        {names.map((name) => (
          <option key={name} value={name}>
            {choices[name]}
          </option>
        ))}
      </select>
    </label>
  );
}

interface WordCountProps {
  readonly label: string;
  readonly value: number | string;
  readonly onChange: (value: number | null) => void;
}

function WordCount({ label, value, onChange }: WordCountProps): VNode {
  return (
    <label class="count">
      {label}{' '}
      <input
        type="text"
        inputMode="numeric"
        value={value}
        onChange={({ currentTarget }) => {
          const number = Number.parseInt(currentTarget.value, 10);
          onChange(number > 0 ? number : null);
        }}
      />
    </label>
  );
}
