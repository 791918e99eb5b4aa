/** The page of `refcap demo`: the bundled photos with their captions, in one file without scripts. */
import { confidenceMeaning, formatConfidence, shareOfPicture } from '../confidence/shown.ts';
import { escapeHtml, page } from './frame.ts';

/** A word of a caption, and how many nats it owes to the picture. */
interface ShadedWord {
  readonly text: string;
  readonly dependence?: number;
}

/** A photo with its caption. */
export interface DemoPhoto {
  readonly file: string;
  /** The picture as a `data:` address. */
  readonly picture: string;
  /** What a person wrote of it, for those who cannot see it. */
  readonly description: string | undefined;
  readonly source: string | undefined;
  readonly licence: string | undefined;
  readonly caption: string;
  /** The caption's, where they are known. */
  readonly words?: readonly ShadedWord[];
  /** From 0 to 1. */
  readonly confidence: number;
}

export interface Demo {
  readonly model: string;
  /** How captions were searched for, in words. */
  readonly decoding: string;
  /** Whether confidence is the model's own, calibrated. */
  readonly isCalibrated: boolean;
  readonly photos: readonly DemoPhoto[];
}

/** By this name in a page's head the command knows its own pages. */
export const demoGenerator = 'refcap demo';

/** A whole HTML document. */
export function demoPage({ model, decoding, isCalibrated, photos }: Demo): string {
  const title = `${photos.length} photos captioned by ${model}`;
  const body = `<h1>${escapeHtml(title)}</h1>
<p>A caption is what the model wrote (${escapeHtml(decoding)}), right or wrong.
${escapeHtml(confidenceMeaning(isCalibrated))}
A word is shaded by how much of its probability it owes to what is where in the picture.</p>
<ul class="photos">
${photos.map(card).join('\n')}
</ul>
<p class="quiet">Made by <code>refcap demo</code>. Caption your own photos with <code>refcap caption photos/</code></p>`;
  return page({ title, style, body, generator: demoGenerator });
}

function card(photo: DemoPhoto): string {
  const { file, picture, source, licence } = photo;
  const alt = photo.description ?? `the photo ${file}`;
  const percent = formatConfidence(photo.confidence);
  const origin =
    source === undefined || licence === undefined
      ? 'its source is not listed'
      : `${source}; ${licence}`;
  return `<li><article>
<img src="${escapeHtml(picture)}" alt="${escapeHtml(alt)}">
<h2>${shadedCaption(photo)}</h2>
<p class="confidence"><span class="bar" aria-hidden="true"><span style="width: ${percent.replace(' ', '')}"></span></span>
<span>Confidence ${percent}</span></p>
${mostFromPicture(photo)}<p class="quiet">${escapeHtml(file)}: ${escapeHtml(origin)}</p>
</article></li>`;
}

/** The caption with its words marked, where they make it up. */
function shadedCaption({ caption, words = [] }: DemoPhoto): string {
  if (caption === '' || words.map(({ text }) => text).join(' ') !== caption)
    return escapeHtml(shownCaption(caption));
  return words
    .map((word) => {
      const share = shareOf(word).toFixed(2);
      return `<mark style="--share: ${share}">${escapeHtml(word.text)}</mark>`;
    })
    .join(' ');
}

/** The same in words, of the word that owes most. */
function mostFromPicture({ words = [] }: DemoPhoto): string {
  const [first] = [...words].sort((a, b) => shareOf(b) - shareOf(a));
  if (!first || shareOf(first) === 0) return '';
  const share = formatConfidence(shareOf(first));
  return `<p>Most from the picture: <b>${escapeHtml(first.text)}</b>, ${share} of it</p>\n`;
}

function shareOf({ dependence = 0 }: ShadedWord): number {
  return shareOfPicture(dependence);
}

/** What is shown of a caption; a model may write none. */
export function shownCaption(caption: string): string {
  return caption === '' ? '(no words)' : caption;
}

const style = `
:root { --mark: 11 98 164; }
@media (prefers-color-scheme: dark) { :root { --mark: 108 182 255; } }
mark { color: inherit; background: rgb(var(--mark) / calc(.35 * var(--share))); border-radius: .2rem; padding: 0 .1em; }
.photos { list-style: none; margin: 1.5rem 0; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); }
.photos article { background: var(--soft); border-radius: .5rem; padding: .8rem; height: 100%; overflow-wrap: anywhere; }
.photos img { display: block; width: 100%; height: 15rem; object-fit: contain; background: var(--back); border-radius: .35rem; }
.photos h2 { font-size: 1.125rem; font-weight: 600; margin: .75rem 0 .4rem; }
.photos p { margin: 0 0 .4rem; font-size: .875rem; }
.confidence { display: flex; align-items: center; gap: .6rem; }
.bar { flex: 0 1 8rem; height: .5rem; border-radius: .25rem; background: var(--line); overflow: hidden; }
.bar span { display: block; height: 100%; background: var(--c0); }
`;
