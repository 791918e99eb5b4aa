/** The page of a run: curves, validations, sample captions and settings, from its folder's two text files. */
import { basename, join, resolve } from 'node:path';
import { writeFileAtomic } from '../../base/files.ts';
import { type Chart, chartFigure, figure, scrolling, withCommas } from '../chart.ts';
import { escapeHtml, page } from '../frame.ts';
import { field, flatten, type RunRecord, readRunRecord, type ValidationLine } from './data.ts';

/**
 * Writes `report.html` into a run's folder, from its `config.json` and `metrics.jsonl` alone. The run
 * may still be going: an incomplete last line is left aside.
 * @throws InputError when config.json is missing or not JSON, or the page cannot be written
 */
export async function writeReport(folder: string): Promise<void> {
  const html = reportPage(basename(resolve(folder)), await readRunRecord(folder));
  await writeFileAtomic(join(folder, 'report.html'), html);
}

/** The page as HTML. @param name what the run is called */
export function reportPage(name: string, run: RunRecord): string {
  const title = `Training run ${name}`;
  const body = [
    `<h1>${escapeHtml(title)}</h1>`,
    summary(run),
    '<h2>Curves</h2>',
    `<div class="charts">${runCharts(run).map(chartFigure).join('\n')}</div>`,
    '<h2>Validations</h2>',
    validationTable(run),
    '<h2>Sample captions</h2>',
    samples(run.validations),
    '<h2>Settings</h2>',
    settings(run.config),
  ];
  return page({ title, style, body: body.join('\n') });
}

const style = `
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; margin: 1rem 0; }
.facts div { background: var(--soft); border-radius: .5rem; padding: .6rem .8rem; }
.facts dt { color: var(--quiet); font-size: .875rem; }
.facts dd { margin: 0; font-weight: 600; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(21rem, 100%), 1fr)); gap: 1.5rem; }
figure { margin: 0; max-width: 36rem; min-width: 0; }
figure > svg { display: block; width: 100%; height: auto; }
figcaption, figure details { font-size: .875rem; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0 1rem; margin: 0 0 .25rem; padding: 0; font-size: .875rem; }
svg text { font: 13px system-ui, sans-serif; fill: var(--quiet); }
svg .grid { stroke: var(--line); stroke-width: 1; }
svg .line { fill: none; stroke-width: 2; stroke-linejoin: round; }
.best th, .best td { background: var(--soft); font-weight: 600; }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(21rem, 100%), 1fr)); gap: 1rem; }
.samples article { background: var(--soft); border-radius: .5rem; padding: .8rem; min-width: 0; }
.samples p { margin: 0 0 .25rem; }
.samples ol { list-style: none; margin: 0; padding: 0; font-size: .875rem; }
.settings th { font-weight: 400; color: var(--quiet); padding-right: 1.25rem; }
.settings td { overflow-wrap: anywhere; }
`;

/** Where the run stands, and what came of it so far. */
function summary({ config, steps, skipped, validations, unreadable }: RunRecord): string {
  const lastStep = steps.at(-1);
  const step = Math.max(0, lastStep?.step ?? 0, skipped.at(-1) ?? 0, validations.at(-1)?.step ?? 0);
  const total = lastStep?.totalSteps ?? undefined;
  const best = bestOf(validations);
  const bestBy = field(config, 'train', 'bestBy');
  const [metric = 'loss', value] = best ? chosenBy(best, bestBy) : [];
  const speeds = steps.flatMap(({ imagesPerSecond }) => imagesPerSecond ?? []);
  const waits = steps.flatMap(({ waiting }) => waiting ?? []);
  const seconds = validations.flatMap(({ seconds }) => seconds ?? []);
  const facts: (readonly [string, string])[] = [
    ['State', state(step, total, validations, field(config, 'train', 'patience'))],
    [
      'Step',
      total === undefined ? withCommas(step) : `${withCommas(step)} of ${withCommas(total)}`,
    ],
  ];
  if (best && value !== undefined)
    facts.push([`Best ${metric}`, `${figure(value)}, epoch ${best.epoch}`]);
  if (speeds.length > 0) facts.push(['Images a second', figure(middle(speeds))]);
  if (waits.length > 0)
    facts.push(['Waiting for images', `${(100 * mean(waits)).toFixed(1)} % of the time`]);
  if (seconds.length > 0) facts.push(['A validation', `${figure(middle(seconds))} s`]);
  const list = facts.map(
    ([name, text]) => `<div><dt>${escapeHtml(name)}</dt><dd>${escapeHtml(text)}</dd></div>`,
  );
  const notes = [
    ...(skipped.length > 0
      ? [`Skipped for want of a finite loss or gradient: step ${firstFew(skipped)}.`]
      : []),
    ...(unreadable > 0
      ? [`Lines of metrics.jsonl that could not be read and are left out: ${unreadable}.`]
      : []),
  ];
  return `<dl class="facts">${list.join('')}</dl>${notes.map((note) => `<p>${note}</p>`).join('')}`;
}

function state(
  step: number,
  total: number | undefined,
  validations: readonly ValidationLine[],
  patience: unknown,
): string {
  const last = validations.at(-1);
  const sinceBest = validations.length - 1 - validations.findLastIndex(({ best }) => best);
  if (last?.step === step && typeof patience === 'number' && sinceBest >= patience)
    return `Stopped: no better model in ${sinceBest} validations`;
  if (total !== undefined && step >= total)
    return last?.step === step ? 'Finished' : 'Last validation';
  return step === 0 ? 'Not begun' : 'Under way or interrupted';
}

function bestOf(validations: readonly ValidationLine[]): ValidationLine | undefined {
  return validations.findLast(({ best }) => best);
}

/** The name and value that the best model was chosen by. */
function chosenBy(best: ValidationLine, bestBy: unknown): [string, number | undefined] {
  if (typeof bestBy !== 'string' || bestBy === 'loss')
    return ['validation loss', best.losses.base ?? undefined];
  return [bestBy, best.metrics[bestBy] ?? undefined];
}

function firstFew(steps: readonly number[]): string {
  const shown = steps.slice(0, 10).map(withCommas).join('; ');
  return steps.length > 10 ? `${shown} and ${steps.length - 10} more` : shown;
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function middle(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** Terms of self-critical training, which are not losses a word. */
const policyTerms: readonly string[] = ['policy', 'reward'];

/** The charts of a run: losses, self-critical terms, metrics, learning rate and gradient norm, those without figures too. */
export function runCharts({
  steps,
  validations,
}: Pick<RunRecord, 'steps' | 'validations'>): Chart[] {
  const termNames = [...new Set(steps.flatMap(({ terms }) => Object.keys(terms ?? {})))];
  const losses = termNames.filter((name) => !policyTerms.includes(name));
  const isCritical = termNames.includes('policy');
  const terms = steps.map(({ step, terms, loss }) => ({ step, values: { ...terms, total: loss } }));
  // A single term is the total.
  const totals = isCritical || losses.length === 1 ? [] : ['total'];
  const training: Chart = {
    id: 'training-loss',
    title: 'Training loss',
    note: 'Nats a word, with label smoothing where it is set; total is the weighted sum. Pale: lowest to highest of the steps put together. A steep fall at the start may be cut off.',
    names: [...totals, ...losses],
    readings: terms,
  };
  const critical: Chart[] = policyTerms.map((name) => ({
    id: name,
    title: name === 'reward' ? 'Reward' : 'Policy loss',
    note: name === 'reward' ? 'Mean CIDEr-D of the drawn captions.' : 'Of self-critical training.',
    names: [name],
    readings: terms,
  }));
  return [
    ...(isCritical ? critical : []),
    ...(isCritical && losses.length === 0 ? [] : [training]),
    {
      id: 'validation-loss',
      title: 'Validation loss',
      note: 'Nats a word without dropout and label smoothing: of the base path, which is what is saved, and of the refined one where there is one.',
      names: namesOf(validations, 'losses'),
      readings: validations.map(({ step, losses: values }) => ({ step, values })),
    },
    {
      id: 'validation-metrics',
      title: 'Validation metrics',
      note: 'Of the captions that the base path writes.',
      names: namesOf(validations, 'metrics'),
      readings: validations.map(({ step, metrics: values }) => ({ step, values })),
    },
    ...singles.map(([name, title, note]) => ({
      id: title.toLowerCase().replaceAll(' ', '-'),
      title,
      note,
      names: [title.toLowerCase()],
      readings: steps.map((line) => ({
        step: line.step,
        values: { [title.toLowerCase()]: line[name] },
      })),
    })),
  ];
}

const singles = [
  ['learningRate', 'Learning rate', 'After warm-up and schedule.'],
  ['gradientNorm', 'Gradient norm', 'Before clipping.'],
] as const;

function namesOf(validations: readonly ValidationLine[], kind: 'losses' | 'metrics'): string[] {
  return [...new Set(validations.flatMap((validation) => Object.keys(validation[kind])))];
}

function validationTable({ validations }: RunRecord): string {
  if (validations.length === 0) return '<p class="quiet">There was none yet.</p>';
  const losses = namesOf(validations, 'losses');
  const metrics = namesOf(validations, 'metrics');
  const best = bestOf(validations);
  const number = (value: number | null | undefined) =>
    `<td class="number">${typeof value === 'number' ? figure(value) : ''}</td>`;
  const head = ['step', ...losses.map((name) => `${name} loss`), ...metrics, 'seconds'];
  const rows = validations.map((validation) => {
    const isBest = validation === best;
    return `<tr${isBest ? ' class="best"' : ''}><th scope="row" class="number">${withCommas(validation.epoch)}</th><td class="number">${withCommas(validation.step)}</td>${losses.map((name) => number(validation.losses[name])).join('')}${metrics.map((name) => number(validation.metrics[name])).join('')}${number(validation.seconds)}<td>${isBest ? 'best' : ''}</td></tr>`;
  });
  return scrolling(
    'Validations',
    `<table><thead><tr><th scope="col" class="number">epoch</th>${head.map((name) => `<th scope="col" class="number">${escapeHtml(name)}</th>`).join('')}<th scope="col">chosen</th></tr></thead><tbody>${rows.join('')}</tbody></table>`,
  );
}

/** Captions that a picture keeps in sight; earlier ones are folded away. */
const captionsInSight = 4;

/** Each picture with its captions over the epochs; epochs in a row with the same caption are one line. */
function samples(validations: readonly ValidationLine[]): string {
  const pictures = new Map<string, { from: number; to: number; caption: string }[]>();
  for (const { epoch, samples } of validations)
    for (const { file, caption } of samples) {
      const lines = pictures.get(file) ?? [];
      pictures.set(file, lines);
      const last = lines.at(-1);
      if (last?.caption === caption) last.to = epoch;
      else lines.push({ from: epoch, to: epoch, caption });
    }
  if (pictures.size === 0) return '<p class="quiet">There are none yet.</p>';
  const item = ({ from, to, caption }: { from: number; to: number; caption: string }) =>
    `<li><span class="quiet">${from === to ? `epoch ${from}` : `epochs ${from} to ${to}`}:</span> ${words(caption)}</li>`;
  const articles = [...pictures].map(([file, lines]) => {
    const newest = lines.toReversed();
    const [{ caption }] = newest;
    const early = newest.slice(captionsInSight);
    const folded =
      early.length > 0
        ? `<details><summary>${early.length} earlier</summary><ol>${early.map(item).join('')}</ol></details>`
        : '';
    return `<article><h3><bdi>${escapeHtml(file)}</bdi></h3><p><strong>${words(caption)}</strong></p><ol>${newest.slice(0, captionsInSight).map(item).join('')}</ol>${folded}</article>`;
  });
  return `<p class="quiet">Newest first, of the same pictures at each validation.</p><div class="samples">${articles.join('\n')}</div>`;
}

function words(caption: string): string {
  return caption === ''
    ? '<span class="quiet">(nothing)</span>'
    : `<bdi>${escapeHtml(caption)}</bdi>`;
}

/** What the run was made with: the run's own facts in sight, the rest folded. */
function settings(config: Readonly<Record<string, unknown>>): string {
  const { train, model, ...facts } = config;
  const table = (label: string, value: unknown) =>
    scrolling(
      label,
      `<table class="settings"><tbody>${flatten(value)
        .map(
          ([name, text]) =>
            `<tr><th scope="row">${escapeHtml(name)}</th><td>${escapeHtml(text)}</td></tr>`,
        )
        .join('')}</tbody></table>`,
    );
  const folded = (label: string, value: unknown) =>
    value === undefined
      ? ''
      : `<details><summary>${label}</summary>${table(label, value)}</details>`;
  return [table('The run', facts), folded('Training settings', train), folded('Model', model)].join(
    '\n',
  );
}
