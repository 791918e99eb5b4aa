/** The picture that is looked at, its caption in the making, and what can be said of it. */
import type { VNode } from 'preact';
import { percent } from '../../view/figures.ts';
import type { Review } from '../review.ts';
import { RewriteForm } from './rewrite-form.tsx';

export function DraftPanel({ review }: { readonly review: Review }): VNode {
  const row = review.row.value;
  if (!row) return <section class="panel" aria-label="Picture" />;
  const { decision, dependence } = row;
  return (
    <section class="panel" aria-labelledby="file">
      <Picture review={review} place={row.place} file={row.file} />
      <div class="text">
        <h2 id="file">{row.file}</h2>
        <p class="quiet">
          {decision
            ? `${decision.verdict} by ${decision.by}, ${decision.when.replace('T', ' ').replace('Z', ' UTC')}`
            : 'not decided yet'}
          {dependence !== undefined && `; ${dependence.toFixed(2)} nats a word from the picture`}
        </p>
        <CaptionField review={review} />
        <Candidates review={review} />
        <Buttons review={review} />
        <RewriteForm review={review} />
      </div>
    </section>
  );
}

interface PictureProps {
  readonly review: Review;
  readonly place: number;
  readonly file: string;
}

function Picture({ review, place, file }: PictureProps): VNode {
  const picture = review.pictures.of(place).value;
  return (
    <div class="picture">
      {picture.kind === 'shown' && <img src={picture.address} alt={file} />}
      {picture.kind === 'loading' && <span class="quiet">Loading</span>}
      {picture.kind === 'missing' && <span class="error">{picture.reason}</span>}
    </div>
  );
}

/** Enter accepts what stands there, Escape puts the draft back. */
function CaptionField({ review }: { readonly review: Review }): VNode {
  return (
    <label>
      Caption
      <textarea
        id="caption"
        rows={2}
        spellcheck
        value={review.text.value}
        onInput={({ currentTarget }) => {
          review.text.value = currentTarget.value;
        }}
        onKeyDown={(event) => {
          if (event.isComposing) return;
          if (event.key === 'Escape') {
            review.choose(0);
            event.currentTarget.blur();
          }
          if (event.key !== 'Enter' || event.shiftKey) return;
          event.preventDefault();
          event.currentTarget.blur();
          void review.accept();
        }}
      />
    </label>
  );
}

function Candidates({ review }: { readonly review: Review }): VNode | null {
  const { candidates = [], place } = review.row.value ?? {};
  if (candidates.length < 2) {
    const [only] = candidates;
    return only?.confidence === undefined ? null : (
      <p class="quiet">Confidence {percent(only.confidence)}</p>
    );
  }
  return (
    <fieldset class="candidates">
      <legend>Written by the model</legend>
      {candidates.map(({ text, confidence }, i) => (
        <label key={text}>
          <input
            type="radio"
            name={`candidate-${place}`}
            checked={review.text.value === text}
            onChange={() => review.choose(i)}
          />
          <span>
            {i < 9 && <kbd>{i + 1}</kbd>} {text}{' '}
            {confidence !== undefined && <span class="quiet">{percent(confidence)}</span>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}

function Buttons({ review }: { readonly review: Review }): VNode {
  return (
    <p class="buttons">
      <button type="button" class="main" onClick={() => void review.accept()}>
        Accept <kbd>A</kbd>
      </button>
      <button type="button" onClick={() => document.getElementById('caption')?.focus()}>
        Edit <kbd>E</kbd>
      </button>
      <button type="button" onClick={() => review.nextCandidate()}>
        Next caption <kbd>N</kbd>
      </button>
      <button type="button" onClick={() => void review.say({ kind: 'wrong' })}>
        Wrong <kbd>W</kbd>
      </button>
      <button type="button" onClick={() => void review.say({ kind: 'skipped' })}>
        Skip <kbd>S</kbd>
      </button>
      <button type="button" onClick={() => void review.undo()}>
        Undo <kbd>U</kbd>
      </button>
    </p>
  );
}
