/** The contact sheet of `refcap video`: scenes with picture, time and caption, and the film playing from there. */
import { plural } from '../base/plural.ts';
import { type CaptionFigures, confidenceOf, formatConfidence } from '../confidence/shown.ts';
import { shownCaption } from './demo.ts';
import { escapeHtml, page } from './frame.ts';

/** A scene on the sheet. */
export interface SheetScene {
  /** Seconds. */
  readonly start: number;
  readonly end: number;
  /** The picture as a `data:` address. */
  readonly picture: string;
  readonly caption: CaptionFigures & { readonly text: string };
}

export interface SheetFilm {
  readonly file: string;
  /** The film's address, seen from the page. */
  readonly address: string;
  readonly scenes: readonly SheetScene[];
}

export const sheetGenerator = 'refcap video';

/** A whole HTML document. Without scripts its links open the film at the scene, where the browser can. */
export function filmSheet(films: readonly SheetFilm[]): string {
  const count = films.reduce((sum, { scenes }) => sum + scenes.length, 0);
  const [what] = films.length === 1 ? [films[0].file] : [`${films.length} films`];
  const title = `${what}: ${plural(count, 'scene')}`;
  const body = `<h1>${escapeHtml(title)}</h1>
${films.map((film, i) => section(film, i, films.length > 1)).join('\n')}
<p class="quiet">Made by <code>refcap video</code>. A caption is what the model wrote, right or wrong.</p>
<script>${script}</script>`;
  return page({ title, style, body, generator: sheetGenerator });
}

function section(
  { file, address, scenes }: SheetFilm,
  number: number,
  isOneOfMany: boolean,
): string {
  const name = escapeHtml(file);
  return `<section>${isOneOfMany ? `\n<h2>${name}</h2>` : ''}
<video id="film-${number}" src="${escapeHtml(address)}" controls preload="metadata" aria-label="${name}"></video>
<ol class="scenes">
${scenes.map((scene) => card(scene, address, number)).join('\n')}
</ol>
</section>`;
}

function card(
  { start, end, picture, caption }: SheetScene,
  address: string,
  number: number,
): string {
  const times = `${shortTime(start)} to ${shortTime(end)}`;
  const text = escapeHtml(shownCaption(caption.text));
  const from = start.toFixed(3);
  return `<li><a href="${escapeHtml(`${address}#t=${from}`)}" data-film="film-${number}" data-start="${from}">
<img src="${escapeHtml(picture)}" alt="" loading="lazy">
<span class="time">${times}</span>
<span class="caption">${text}</span></a>
<span class="quiet">Confidence ${formatConfidence(confidenceOf(caption))}</span></li>`;
}

/** 75.25 -> '1:15.2'. */
function shortTime(seconds: number): string {
  const tenths = Math.floor(seconds * 10 + 1e-6);
  const [h, m, s] = [
    Math.floor(tenths / 36000),
    Math.floor(tenths / 600) % 60,
    (tenths % 600) / 10,
  ];
  const two = (text: string | number) => String(text).padStart(2, '0');
  const rest = s.toFixed(1).padStart(4, '0');
  return h > 0 ? `${h}:${two(m)}:${rest}` : `${m}:${rest}`;
}

/** Plays the film above the scenes, instead of opening it alone; where it cannot play, the link does what it can. */
const script = `
document.addEventListener('click', (event) => {
  const link = event.target.closest('a[data-film]');
  const film = link && document.getElementById(link.dataset.film);
  if (!film || film.error || film.readyState === 0) return;
  event.preventDefault();
  film.currentTime = Number(link.dataset.start);
  film.scrollIntoView({ block: 'nearest' });
  film.play();
});
`;

const style = `
video { display: block; width: 100%; max-height: 60vh; background: #000; border-radius: .35rem; position: sticky; top: 0; }
.scenes { list-style: none; margin: 1.5rem 0; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(15rem, 100%), 1fr)); }
.scenes li { background: var(--soft); border-radius: .5rem; padding: .6rem; overflow-wrap: anywhere; }
.scenes a { display: block; color: inherit; text-decoration: none; }
.scenes img { display: block; width: 100%; height: 10rem; object-fit: contain; background: var(--back); border-radius: .35rem; }
.scenes .time { display: block; margin-top: .4rem; font-variant-numeric: tabular-nums; color: var(--link); }
.scenes .caption { display: block; font-weight: 600; }
.scenes .quiet { font-size: .875rem; }
`;
