/** The page of a comparison: one file with pictures, both captions and the references, to sort and filter. */
import { escapeHtml, page } from '../base/html.ts';
import { type Comparison, runNames } from './compare.ts';
import { browse } from './compare-browse.ts';

/** @param pictures a `data:` address for each image, in order; undefined where there is none */
export function comparePage(
  comparison: Comparison,
  pictures: readonly (string | undefined)[],
): string {
  const names = runNames(comparison);
  const { images, runs } = comparison;
  const metrics = Object.keys(images[0]?.scores[0] ?? {});
  const data = images.map(({ file, captions, references, scores, disagreement }, i) => ({
    file,
    captions,
    references,
    scores: scores.map((own) => metrics.map((name) => own[name] ?? 0)),
    disagreement,
    picture: pictures[i] ?? null,
  }));
  const usual = metrics.includes('CIDEr') ? 'CIDEr' : metrics[0];
  const options = metrics.map(
    (name) => `<option${name === usual ? ' selected' : ''}>${escapeHtml(name)}</option>`,
  );
  const title = `${names[0]} and ${names[1]}`;
  const { split, source } = runs[0].results.data;
  const body = `<h1>${escapeHtml(title)}</h1>
<p>${images.length} pictures of the ${escapeHtml(split)} split of ${escapeHtml(source)}.
<b class="a">A</b> is ${escapeHtml(names[0])} (${escapeHtml(runs[0].results.model.name)}),
<b class="b">B</b> is ${escapeHtml(names[1])} (${escapeHtml(runs[1].results.model.name)}).</p>
<h2>Scores</h2>
${differencesTable(comparison)}
<h2 id="pictures">Pictures</h2>
<noscript><p>Sorting and showing the pictures needs JavaScript, which is off.</p></noscript>
<form id="filters" aria-label="Sort and filter the pictures">
<label>Metric <select name="metric">${options.join('')}</select></label>
<label>Sort by <select name="order">
<option value="gain">B better first</option><option value="loss">A better first</option>
<option value="change">largest change</option><option value="disagreement">disagreement</option>
<option value="low">worst for both</option><option value="file">file name</option></select></label>
<label>Show <select name="show"><option value="all">all</option><option value="gain">B better</option>
<option value="loss">A better</option><option value="same">the same caption</option>
<option value="different">different captions</option></select></label>
<label>Words <input name="words" type="search" placeholder="dog grass" autocomplete="off"></label>
<label>in <select name="where"><option value="captions">the captions</option><option value="a">A</option>
<option value="b">B</option><option value="references">the references</option>
<option value="any">anything</option></select></label>
</form>
<p id="count" role="status" aria-live="polite"></p>
<p class="quiet">Keys: j and k go to the next and the previous picture, / to the words.</p>
<ol id="list"></ol>
<p><button id="more" type="button">Show more</button></p>
<script type="application/json" id="data">${inScript(JSON.stringify({ metrics, images: data }))}</script>
<script>(${browse})()</script>`;
  return page({ title, style, body });
}

/** JSON that cannot end the script element it stands in. */
function inScript(json: string): string {
  return json.replaceAll('<', '\\u003c');
}

function differencesTable({ reports }: Comparison): string {
  const [a, b] = reports;
  const rows = Object.entries(a.metrics).map(([name, value]) => {
    const found = b.comparison?.differences[name];
    const cells = [
      value.toFixed(4),
      (b.metrics[name] ?? Number.NaN).toFixed(4),
      found ? `${found.difference >= 0 ? '+' : ''}${found.difference.toFixed(4)}` : '',
      found ? `${found.low.toFixed(4)} to ${found.high.toFixed(4)}` : '',
      found ? found.p_value.toFixed(4) : '',
    ];
    const heading = name === 'METEOR' ? 'METEOR (no paraphrases)' : name;
    return `<tr><th scope="row">${escapeHtml(heading)}</th>${cells.map((cell) => `<td class="number">${cell}</td>`).join('')}</tr>`;
  });
  const columns = ['A', 'B', 'B minus A', '95 % interval', 'p'];
  const head = columns.map((name) => `<th scope="col" class="number">${name}</th>`).join('');
  return `<div class="scroll" tabindex="0" role="region" aria-label="Scores"><table>
<thead><tr><th scope="col">Metric</th>${head}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}

const style = `
.a { color: var(--c1); }
.b { color: var(--c0); }
#filters { display: flex; flex-wrap: wrap; gap: .5rem 1rem; position: sticky; top: 0; background: var(--back);
  padding: .5rem 0; border-bottom: 1px solid var(--line); z-index: 1; }
#filters label { display: flex; gap: .4rem; align-items: center; font-size: .875rem; }
select, input, button { font: inherit; color: inherit; background: var(--soft); border: 1px solid var(--line);
  border-radius: .35rem; padding: .3rem .5rem; min-height: 2.25rem; max-width: 100%; }
#list { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(20rem, 100%), 1fr)); }
#list article { background: var(--soft); border-radius: .5rem; padding: .8rem; height: 100%; overflow-wrap: anywhere; scroll-margin-top: 8rem; }
#list img { display: block; width: 100%; height: 13rem; object-fit: contain; background: var(--back); border-radius: .35rem; margin-bottom: .5rem; }
#list h3 { font-size: .8rem; font-weight: 400; color: var(--quiet); }
#list p { margin: 0 0 .4rem; }
#list u { text-decoration-thickness: 2px; text-underline-offset: 3px; }
#list ul { margin: .25rem 0 0; padding-left: 1.2rem; font-size: .875rem; }
@media (max-width: 40rem) { #filters { position: static; } }
`;
