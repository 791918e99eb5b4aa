/** The page of a comparison: one file with pictures, both captions and the references, to sort and filter. */

import { escapeHtml, page } from '../frame.ts';
import { browse } from './browse.ts';
import { compareStyle, filterForm } from './form.ts';

/** One of the two runs, as far as the page tells of it. */
export interface ComparedRun {
  readonly results: {
    readonly model: { readonly name: string; readonly fingerprint: string };
    readonly data: { readonly source: string; readonly split: string };
    readonly decoding: Readonly<Record<string, unknown>>;
  };
}

/** The scores of a run; the second run's hold the differences. */
export interface ComparedScores {
  readonly metrics: Readonly<Record<string, number>>;
  readonly comparison?: {
    readonly differences: Readonly<
      Record<string, { difference: number; low: number; high: number; p_value: number }>
    >;
  };
}

type Pair<Item> = readonly [Item, Item];

/** A word of a caption with its map. */
export interface MappedWord {
  readonly text: string;
  /** Where it looked, how sure the model was, how much it depends on the picture. */
  readonly about: string;
  /** What is laid over the picture, as a `data:` address. */
  readonly veil: string;
}

/** For each picture the words of a run's caption; undefined where they are not explained. */
export type MappedCaptions = readonly (readonly MappedWord[] | undefined)[];

/** What the page shows. */
export interface ComparisonContent {
  readonly names: Pair<string>;
  readonly runs: Pair<ComparedRun>;
  readonly reports: readonly ComparedScores[];
  readonly images: readonly {
    readonly file: string;
    readonly captions: Pair<string>;
    readonly references: readonly string[];
    readonly scores: Pair<Readonly<Record<string, number>>>;
    readonly disagreement: number;
  }[];
}

/**
 * @param pictures a `data:` address for each image, in order; undefined where there is none
 * @param heading what a score is called
 * @param maps where the words of either run's captions looked, if they are to be shown
 */
export function comparePage(
  comparison: ComparisonContent,
  pictures: readonly (string | undefined)[],
  heading: (score: string) => string,
  maps?: Pair<MappedCaptions>,
): string {
  const { names, images, runs } = comparison;
  const metrics = Object.keys(images[0]?.scores[0] ?? {});
  const data = images.map(({ file, captions, references, scores, disagreement }, i) => ({
    file,
    captions,
    references,
    scores: scores.map((own) => metrics.map((name) => own[name] ?? 0)),
    disagreement,
    picture: pictures[i] ?? null,
    ...(maps && { words: maps.map((run) => run[i] ?? null) }),
  }));
  const title = `Comparison of ${names[0]} and ${names[1]}`;
  const { split, source } = runs[0].results.data;
  const body = `<h1>${escapeHtml(title)}</h1>
<p>${images.length} pictures of the ${escapeHtml(split)} split of ${escapeHtml(source)}</p>
<dl class="runs">
${runItem('A', names[0], runs[0])}
${runItem('B', names[1], runs[1])}
</dl>
<h2>Scores</h2>
<p class="quiet">Intervals of the difference: paired bootstrap over the pictures; bold where the interval leaves out 0.
p: two-sided, approximate randomization.</p>
${scoreTables(comparison, heading)}
<h2>Pictures</h2>
<noscript><p>Sorting and showing the pictures needs JavaScript, which is off.</p></noscript>
${maps ? mapsNote : ''}
${filterForm(metrics)}
<p id="count" role="status" aria-live="polite"></p>
<p class="quiet keys"><label><input id="keys" type="checkbox" checked> Keys: j and k go to the next and the previous
picture, / goes to the words</label></p>
<ol id="list"></ol>
<p><button id="more" type="button">Show more</button></p>
<script type="application/json" id="data">${inScript(JSON.stringify({ metrics, images: data }))}</script>
<script>(${browse})()</script>`;
  return page({ title, style: compareStyle, body });
}

const mapsNote = `<p class="quiet">Choose a word of a caption, by mouse, finger or Tab and arrows: the picture stays clear
where the word looked, and goes dark elsewhere. Words that only one of the two captions has are underlined.</p>`;

/** JSON that cannot end the script element it stands in. */
function inScript(json: string): string {
  return json.replaceAll('<', '\\u003c');
}

/** What a run's captions come from. */
function runItem(letter: 'A' | 'B', name: string, { results }: ComparedRun): string {
  const { model, decoding } = results;
  const given = Object.entries(decoding).map(([key, value]) => `${key} ${String(value)}`);
  const how = given.length > 0 ? given.join(', ') : "the model's own decoding settings";
  return `<div><dt><b class="${letter.toLowerCase()}">${letter}</b> ${escapeHtml(name)}</dt>
<dd>${escapeHtml(`${model.name}, ${how}`)}<span class="quiet">, weights ${escapeHtml(model.fingerprint.slice(0, 8))}</span></dd></div>`;
}

/** The scores that captions are usually judged by; the others are folded away. */
const usual = /^(?:Bleu_[1-4]|METEOR|ROUGE_L|CIDEr)$/;

function scoreTables({ reports }: ComparisonContent, heading: (score: string) => string): string {
  const table = (names: readonly string[], label: string): string =>
    scoreTable(reports, names, label, heading);
  const names = Object.keys(reports[0].metrics);
  const first = names.filter((name) => usual.test(name));
  if (first.length === 0) return table(names, 'Scores');
  const others = names.filter((name) => !usual.test(name));
  if (others.length === 0) return table(first, 'Scores');
  return `${table(first, 'Scores')}
<details><summary>${others.length} more scores</summary>
${table(others, 'More scores')}</details>`;
}

function scoreTable(
  reports: ComparisonContent['reports'],
  names: readonly string[],
  label: string,
  heading: (score: string) => string,
): string {
  const [a, b] = reports;
  const rows = names.map((name) => {
    const [before, after] = [a, b].map(({ metrics }) => metrics[name] ?? Number.NaN);
    const found = b.comparison?.differences[name];
    const difference = signed(found?.difference ?? after - before);
    const isClear = found && (found.low > 0 || found.high < 0);
    const cells = [
      number(before),
      number(after),
      isClear ? `<b>${difference}</b>` : difference,
      found ? `${number(found.low)} to ${number(found.high)}` : '',
      found ? found.p_value.toFixed(4) : '',
    ];
    return `<tr><th scope="row">${escapeHtml(heading(name))}</th>${cells.map((cell) => `<td class="number">${cell}</td>`).join('')}</tr>`;
  });
  const columns = ['A', 'B', 'B minus A', '95 % interval', 'p'];
  const head = columns.map((name) => `<th scope="col" class="number">${name}</th>`).join('');
  return `<div class="scroll" tabindex="0" role="region" aria-label="${label}"><table>
<thead><tr><th scope="col">Metric</th>${head}</tr></thead>
<tbody>${rows.join('\n')}</tbody></table></div>`;
}

/** With a minus that screen readers say. */
function number(value: number): string {
  return value.toFixed(4).replace('-', '\u2212');
}

function signed(value: number): string {
  return `${value >= 0 ? '+' : ''}${number(value)}`;
}
