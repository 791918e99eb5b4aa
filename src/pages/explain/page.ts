/** The page of `refcap explain`: a picture, its caption's words, and where each of them looked. One file, no network. */
import { escapeHtml, page } from '../frame.ts';
import { show } from './show.ts';
import { explainStyle } from './style.ts';

/** A word, as far as the page tells of it. */
export interface ShownWord {
  readonly text: string;
  /** Where it looked, how sure the model was, how much it depends on the picture. */
  readonly about: string;
  /** From 0 (hardly depends on the picture) to 3 (wholly). */
  readonly level: number;
  /** Nats. */
  readonly dependence: number;
  /** What is laid over the picture, as a `data:` address. */
  readonly veil: string;
}

export interface ShownPicture {
  readonly file: string;
  /** As a `data:` address. */
  readonly picture: string;
  readonly width: number;
  readonly height: number;
  readonly caption: string;
  readonly words: readonly ShownWord[];
}

export interface ExplainContent {
  readonly model: string;
  readonly method: string;
  /** The method in a few words. */
  readonly about: string;
  readonly pictures: readonly ShownPicture[];
}

/** By this name in a page's head the command knows its own pages. */
export const explainGenerator = 'refcap explain';

const levels = ['hardly', 'a little', 'much', 'wholly'] as const;

/** A whole HTML document. */
export function explainPage({ model, method, about, pictures }: ExplainContent): string {
  const title =
    pictures.length === 1
      ? `Why ${model} says so`
      : `Why ${model} says so, ${pictures.length} pictures`;
  const key = levels.map(
    (text, level) => `<li><span class="word level${level}">${text}</span></li>`,
  );
  const body = `<h1>${escapeHtml(title)}</h1>
<p>Choose a word: the picture stays clear where the word looked (${escapeHtml(method)}: ${escapeHtml(about)}) and goes
dark elsewhere. Words are shaded by how much they depend on what is where in the picture: how much less likely they
would be with all places at their mean.</p>
<ul class="key" aria-label="Shades: how much a word depends on the picture">${key.join('')}</ul>
<noscript><p>Choosing words needs JavaScript, which is off; all words stand side by side below each picture.</p></noscript>
${pictures.map(section).join('\n')}
<p class="quiet">Made by <code>refcap explain</code>. A map is a measurement of the model, not of the world; how well
maps do is in the project's docs/explain.md.</p>
<script>(${show})()</script>`;
  return page({
    title,
    style: explainStyle + pictures.map(pictureRule).join(''),
    body,
    generator: explainGenerator,
  });
}

/** The picture stands once in the page, for all its words. */
function pictureRule({ picture, width, height }: ShownPicture, i: number): string {
  return `.p${i} { background-image: url("${picture}"); aspect-ratio: ${width} / ${height}; }
.large.p${i} { max-width: min(40rem, 100%, calc(75vh * ${width} / ${height})); }\n`;
}

function section({ file, caption, words }: ShownPicture, i: number): string {
  const shown = caption === '' ? '(no words)' : caption;
  const strongest = words.reduce(
    (best, word, at) => (word.dependence > (words[best]?.dependence ?? 0) ? at : best),
    0,
  );
  const buttons = words.map((word, at) => {
    const label = escapeHtml(`${word.text}: ${word.about}`);
    const pressed = at === strongest;
    return `<li><button type="button" class="word level${word.level}" aria-pressed="${pressed}" aria-label="${label}" data-about="${label}">${escapeHtml(word.text)}</button></li>`;
  });
  const figures = words.map(
    (
      word,
    ) => `<li><figure><div class="picture p${i}"><img class="veil" src="${word.veil}" alt=""></div>
<figcaption><b>${escapeHtml(word.text)}</b> ${escapeHtml(word.about)}</figcaption></figure></li>`,
  );
  const first = words[strongest];
  return `<section class="explained" aria-labelledby="h${i}">
<h2 id="h${i}">${escapeHtml(file)}</h2>
<div class="picture large p${i}" role="img" aria-label="${escapeHtml(`The picture ${file}, captioned: ${shown}`)}">${first ? `<img class="veil" src="${first.veil}" alt="">` : ''}</div>
<ol class="words" aria-label="Words of the caption">${buttons.join('')}</ol>
<p class="about">${first ? escapeHtml(`${first.text}: ${first.about}`) : '(no words)'}</p>
<details><summary>All words side by side</summary>
<ol class="sheet">
${figures.join('\n')}
</ol></details>
</section>`;
}
