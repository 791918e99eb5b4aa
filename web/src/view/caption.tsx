/** A caption: its words as they come, its figures and its rivals when it is done, and its editor. */
import type { VNode } from 'preact';
import { useLayoutEffect, useRef } from 'preact/hooks';
import { captionOf, type Picture } from '../pictures/picture.ts';
import type { Candidate, CaptionResult, Word } from '../server/client.ts';
import { percent, shareOf } from './figures.ts';

/** Words, shaded by how much each depends on the picture where that is known. */
export function Words({ words }: { readonly words: readonly Word[] }): VNode {
  return (
    <>
      {words.map((word, i) => (
        // Words are added at the end alone.
        <span key={i}>
          {i > 0 && ' '}
          {word.dependence === undefined ? (
            word.text
          ) : (
            <mark style={{ '--share': String(shareOf(word.dependence)) }}>{word.text}</mark>
          )}
        </span>
      ))}
    </>
  );
}

interface FinishedProps {
  readonly picture: Picture;
  readonly result: CaptionResult;
}

export function FinishedCaption({ picture, result }: FinishedProps): VNode {
  const { captions } = result;
  const candidate = captions[picture.chosen.value];
  const text = captionOf(picture) ?? '';
  const isEdited = text !== candidate.text;
  return (
    <>
      <p class="caption">
        {text === '' ? (
          <span class="quiet">(no words)</span>
        ) : isEdited ? (
          text
        ) : (
          <ShadedCaption candidate={candidate} />
        )}
      </p>
      <p class="quiet">{isEdited ? 'Edited' : <Confidence value={confidenceOf(candidate)} />}</p>
      {captions.length > 1 && <Candidates picture={picture} captions={captions} />}
      {!isEdited && candidate.words && <WordTable words={candidate.words} name={picture.name} />}
    </>
  );
}

/** The words, where they make up the text's end; before them stands what the caption was to begin with. */
function ShadedCaption({
  candidate: { text, words = [] },
}: {
  readonly candidate: Candidate;
}): VNode {
  const joined = words.map((word) => word.text).join(' ');
  if (!words.some(isShaded) || !text.endsWith(joined)) return <>{text}</>;
  return (
    <>
      {text.slice(0, text.length - joined.length)}
      <Words words={words} />
    </>
  );
}

const isShaded = ({ dependence }: Word): boolean => dependence !== undefined;

/** How likely the main noun is right; of a model that was not calibrated, the probability a token. */
const confidenceOf = ({ confidence, meanLogprob }: Candidate): number =>
  confidence ?? Math.exp(meanLogprob);

function Confidence({ value }: { readonly value: number }): VNode {
  return (
    <>
      <meter min={0} max={1} value={value} aria-hidden="true" /> Confidence {percent(value)}
    </>
  );
}

interface CandidatesProps {
  readonly picture: Picture;
  readonly captions: readonly Candidate[];
}

function Candidates({ picture, captions }: CandidatesProps): VNode {
  return (
    <fieldset class="candidates">
      <legend>
        Captions<span class="unseen"> of {picture.name}</span>
      </legend>
      {captions.map((candidate, i) => (
        <label key={i}>
          <input
            type="radio"
            name={`candidates-${picture.id}`}
            checked={picture.edited.value === undefined && picture.chosen.value === i}
            onChange={() => {
              picture.chosen.value = i;
              picture.edited.value = undefined;
            }}
          />
          <span>
            {candidate.text} <span class="quiet">{percent(confidenceOf(candidate))}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

interface WordTableProps {
  readonly words: readonly Word[];
  readonly name: string;
}

/** Each word's probability. */
function WordTable({ words, name }: WordTableProps): VNode {
  return (
    <details>
      <summary>
        Words<span class="unseen"> of {name}</span>
      </summary>
      <ol class="words">
        {words.map(({ text, logprob, dependence }, i) => (
          <li key={i}>
            {text} <span class="quiet">{percent(Math.exp(logprob))}</span>
            {dependence !== undefined && (
              <span class="quiet">, {percent(shareOf(dependence))} of it from the picture</span>
            )}
          </li>
        ))}
      </ol>
    </details>
  );
}

interface EditorProps {
  readonly picture: Picture;
  readonly onEnd: () => void;
}

/** Enter saves, Escape leaves the caption as it was. */
export function CaptionEditor({ picture, onEnd }: EditorProps): VNode {
  const area = useRef<HTMLTextAreaElement>(null);
  // Before the next key is pressed.
  useLayoutEffect(() => area.current?.select(), []);
  const save = (): void => {
    picture.edited.value = (area.current?.value ?? '').replace(/\s+/g, ' ').trim();
    onEnd();
  };
  return (
    <>
      <textarea
        ref={area}
        rows={3}
        aria-label={`Caption of ${picture.name}`}
        onKeyDown={(event) => {
          if (event.isComposing) return;
          if (event.key === 'Escape') onEnd();
          if (event.key !== 'Enter') return;
          event.preventDefault();
          save();
        }}
      >
        {captionOf(picture)}
      </textarea>
      <p class="buttons">
        <button type="button" onClick={save}>
          Save
        </button>
        <button type="button" onClick={onEnd}>
          Leave as it was
        </button>
      </p>
    </>
  );
}
