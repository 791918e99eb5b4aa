/** The controls of a comparison's page, and how the page looks. */
import { escapeHtml } from '../frame.ts';

type Choice = readonly [value: string, text: string];

const orders: readonly Choice[] = [
  ['gain', 'B better first'],
  ['loss', 'A better first'],
  ['change', 'largest change'],
  ['disagreement', 'disagreement'],
  ['low', 'worst for both'],
  ['file', 'file name'],
];
const kinds: readonly Choice[] = [
  ['all', 'all'],
  ['gain', 'B better'],
  ['loss', 'A better'],
  ['same', 'the same caption'],
  ['different', 'different captions'],
];
const places: readonly Choice[] = [
  ['captions', 'the captions'],
  ['a', "A's caption"],
  ['b', "B's caption"],
  ['references', 'the references'],
  ['any', 'any of these'],
];

/** @param metrics the scores that pictures can be sorted by */
export function filterForm(metrics: readonly string[]): string {
  const usual = metrics.includes('CIDEr') ? 'CIDEr' : metrics[0];
  return `<form id="filters" aria-label="Sort and filter the pictures">
${select(
  'Metric',
  'metric',
  metrics.map((name) => [name, name]),
  usual,
)}
${select('Sort by', 'order', orders)}
${select('Show', 'show', kinds)}
<label>Change at least <input name="change" type="number" min="0" step="any" inputmode="decimal" placeholder="0"></label>
<label>Disagreement at least <input name="disagreement" type="number" min="0" max="1" step="any" inputmode="decimal" placeholder="0"></label>
<label>Words <input name="words" type="search" placeholder="dog grass" autocomplete="off"></label>
${select('Words are in', 'where', places)}
</form>
<p class="quiet">Disagreement: the share of words that only one of the two captions has, from 0 to 1.</p>`;
}

function select(label: string, name: string, choices: readonly Choice[], chosen?: string): string {
  const options = choices.map(
    ([value, text]) =>
      `<option value="${escapeHtml(value)}"${value === chosen ? ' selected' : ''}>${escapeHtml(text)}</option>`,
  );
  return `<label>${label} <select name="${name}">${options.join('')}</select></label>`;
}

export const compareStyle = `
.a { color: var(--c1); }
.b { color: var(--c0); }
.runs { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(20rem, 100%), 1fr)); gap: .75rem; margin: 1rem 0; }
.runs div { background: var(--soft); border-radius: .5rem; padding: .6rem .8rem; overflow-wrap: anywhere; }
.runs dt { font-weight: 600; }
.runs dd { margin: 0; font-size: .875rem; }
.scroll td, .scroll th { padding-right: 1.25rem; }
#filters { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.75rem, 1fr)); gap: .5rem .75rem; align-items: end;
  position: sticky; top: 0; background: var(--back); padding: .5rem 0; border-bottom: 1px solid var(--line); z-index: 1; }
#filters label { display: block; font-size: .875rem; min-width: 0; }
select, input, button { font: inherit; font-size: 1rem; color: inherit; background: var(--soft); border: 1px solid var(--edge);
  border-radius: .35rem; padding: .3rem .5rem; min-height: 2.5rem; max-width: 100%; }
#filters select, #filters input { display: block; width: 100%; }
::placeholder { color: var(--quiet); opacity: 1; }
button { padding: .3rem 1rem; cursor: pointer; }
#keys { min-height: 0; width: 1rem; height: 1rem; vertical-align: -.1rem; accent-color: var(--link); }
#list { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); }
#list article { background: var(--soft); border-radius: .5rem; padding: .8rem; height: 100%; overflow-wrap: anywhere; scroll-margin-top: 8rem; }
#list .framed { display: grid; place-content: center; height: 13rem; background: var(--back); border-radius: .35rem; margin-bottom: .5rem; }
#list .framed img { grid-area: 1 / 1; display: block; max-width: 100%; max-height: 13rem; }
#list .framed img.veil { width: 100%; height: 100%; }
#list .framed img[hidden] { display: none; }
#list .word { display: inline-block; min-height: 2rem; min-width: 1.75rem; padding: 0 .3rem; margin: .1rem; font-size: inherit; }
#list .about { min-height: 3em; font-size: .875rem; }
#list h3 { font-size: .875rem; font-weight: 400; color: var(--quiet); }
#list p { margin: 0 0 .4rem; }
#list u { text-decoration-thickness: 2px; text-underline-offset: 3px; }
#list ul { margin: .25rem 0 0; padding-left: 1.2rem; font-size: .875rem; }
@media (hover: none) { .keys { display: none; } }
@media (max-width: 40rem) {
  #filters { position: static; }
  .scroll table { font-size: .875rem; }
  .scroll td, .scroll th { padding-right: .75rem; }
  .scroll tbody th { position: sticky; left: 0; background: var(--back); }
}
`;
