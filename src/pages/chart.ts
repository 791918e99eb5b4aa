/** Line charts over training steps as plain SVG, each with the same figures as a table. */
import { escapeHtml } from './frame.ts';

/** Values of several names at one step; those that are missing or not finite are left out. */
export interface Reading {
  readonly step: number;
  readonly values: Readonly<Record<string, number | null | undefined>>;
}

/** Readings of neighbouring steps put together. */
export interface Row {
  readonly from: number;
  readonly to: number;
  readonly values: ReadonlyMap<string, { mean: number; low: number; high: number }>;
}

/** At most `most` rows, each of as many neighbouring readings as the others. */
export function rowsOf(readings: readonly Reading[], most: number): Row[] {
  const count = Math.min(readings.length, most);
  return Array.from({ length: count }, (_, i) => {
    const part = readings.slice(
      Math.floor((i * readings.length) / count),
      Math.floor(((i + 1) * readings.length) / count),
    );
    const sums = new Map<string, { sum: number; count: number; low: number; high: number }>();
    for (const { values } of part)
      for (const [name, y] of Object.entries(values)) {
        if (typeof y !== 'number' || !Number.isFinite(y)) continue;
        const so = sums.get(name) ?? { sum: 0, count: 0, low: y, high: y };
        sums.set(name, {
          sum: so.sum + y,
          count: so.count + 1,
          low: Math.min(so.low, y),
          high: Math.max(so.high, y),
        });
      }
    const values = [...sums].map(
      ([name, { sum, count: n, low, high }]) => [name, { mean: sum / n, low, high }] as const,
    );
    return { from: part[0].step, to: part[part.length - 1].step, values: new Map(values) };
  });
}

export interface Chart {
  /** Unique in the page; letters and dashes. */
  readonly id: string;
  readonly title: string;
  /** What the names stand for, and their unit. */
  readonly note: string;
  readonly names: readonly string[];
  readonly readings: readonly Reading[];
}

/** Units of a plot's picture. */
export const plotSize = { width: 400, height: 250 } as const;
const { width, height } = plotSize;
const [left, right, top, bottom] = [54, 12, 10, 40];
const dashes = ['', '7 3', '2 3', '9 3 2 3', '12 4', '4 4'];
/** Rows of a line, and of its table. */
const [lineRows, tableRows] = [160, 16];

/** The names of which there are figures, and what their lines are drawn through. */
export function drawnLines({ names, readings }: Chart): { names: string[]; rows: Row[] } {
  const rows = rowsOf(readings, lineRows);
  return { names: names.filter((name) => rows.some(({ values }) => values.has(name))), rows };
}

/** A figure with a legend, the chart and a table; a sentence where there is nothing to show yet. */
export function chartFigure(chart: Chart): string {
  const { id, title, note, readings } = chart;
  const { names, rows } = drawnLines(chart);
  const heading = `<h3 id="${id}">${escapeHtml(title)}</h3>`;
  if (names.length === 0)
    return `<figure>${heading}<p class="quiet">Nothing is written down yet.</p></figure>`;
  const legend = names.map((name, i) => `<li>${swatch(i)} ${escapeHtml(name)}</li>`).join('');
  return `<figure>
${heading}
<ul class="legend">${legend}</ul>
${svg(id, title, names, rows)}
<figcaption class="quiet">${escapeHtml(note)}</figcaption>
<details><summary>${escapeHtml(title)}: the figures</summary>
${rowsTable(title, names, rowsOf(readings, tableRows))}
</details>
</figure>`;
}

/** A piece of a name's line, 26 wide and 8 high. */
export function swatch(i: number): string {
  return `<svg width="26" height="8" aria-hidden="true"><path class="line" d="M0 4H26" ${stroke(i)}/></svg>`;
}

function stroke(i: number): string {
  return `stroke="var(--c${i % 6})" stroke-dasharray="${dashes[i % 6]}"`;
}

function svg(id: string, title: string, names: readonly string[], rows: readonly Row[]): string {
  return `<svg viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="${id}-title ${id}-desc">
<title id="${id}-title">${escapeHtml(title)}</title>
<desc id="${id}-desc">${escapeHtml(linesInWords(names, rows))}. A table of the figures follows.</desc>
${plot(id, names, rows)}</svg>`;
}

/** Where each line begins and ends. */
export function linesInWords(names: readonly string[], rows: readonly Row[]): string {
  return names.map((name) => inWords(name, rows)).join('; ');
}

/** Axes and lines, `plotSize` wide and high. */
export function plot(id: string, names: readonly string[], rows: readonly Row[]): string {
  const last = rows[rows.length - 1];
  const xAxis = axis(rows[0].from, last.to, 4);
  const range = valueRange(names, rows);
  const yAxis = axis(range.low, range.high, 5);
  const [x0, x1] = [rows[0].from, Math.max(last.to, rows[0].from + 1)];
  const x = (step: number) => left + ((step - x0) / (x1 - x0)) * (width - left - right);
  const y = (at: number) =>
    height - bottom - ((at - yAxis.low) / (yAxis.high - yAxis.low)) * (height - top - bottom);
  const grid = [
    ...yAxis.ticks.map(
      (at) =>
        `<path class="grid" d="M${left} ${round(y(at))}H${width - right}"/><text x="${left - 6}" y="${round(y(at) + 4)}" text-anchor="end">${tick(at, yAxis.step)}</text>`,
    ),
    ...xAxis.ticks
      .filter((at) => at >= x0 && at <= x1)
      .map(
        (at) =>
          `<text x="${round(x(at))}" y="${height - bottom + 17}" text-anchor="middle">${withCommas(at)}</text>`,
      ),
    `<text x="${(left + width - right) / 2}" y="${height - 4}" text-anchor="middle">step</text>`,
  ].join('');
  const lines = names.map((name, i) => line(name, i, rows, x, y)).join('\n');
  return `<clipPath id="${id}-clip"><rect x="${left}" y="${top - 4}" width="${width - left}" height="${height - top - bottom + 8}"/></clipPath>
${grid}
<g clip-path="url(#${id}-clip)">
${lines}
${hovers(names, rows, x)}
</g>`;
}

/** The line of means, over a pale band from the lowest to the highest reading; dots where they are few. */
function line(
  name: string,
  i: number,
  rows: readonly Row[],
  x: (step: number) => number,
  y: (value: number) => number,
): string {
  const points = rows.flatMap(({ from, to, values }) => {
    const found = values.get(name);
    return found ? [{ at: round(x((from + to) / 2)), ...found }] : [];
  });
  const path = points.map(({ at, mean }) => `${at} ${round(y(mean))}`).join('L');
  const above = points.map(({ at, high }) => `${at} ${round(y(high))}`);
  const below = points.map(({ at, low }) => `${at} ${round(y(low))}`).reverse();
  const hasBand = points.some(({ low, high }) => high > low);
  const band = hasBand
    ? `<path d="M${[...above, ...below].join('L')}Z" fill="var(--c${i % 6})" opacity=".15"/>`
    : '';
  const dots =
    points.length > 40
      ? ''
      : points.map(({ at, mean }) => `<circle cx="${at}" cy="${round(y(mean))}" r="3"/>`).join('');
  return `${band}<path class="line" d="M${path}" ${stroke(i)}/><g fill="var(--c${i % 6})">${dots}</g>`;
}

/** Unseen strips that tell the figures under the pointer. */
function hovers(names: readonly string[], rows: readonly Row[], x: (step: number) => number) {
  const middles = rows.map(({ from, to }) => x((from + to) / 2));
  return rows
    .map((row, i) => {
      const from = i === 0 ? left : (middles[i - 1] + middles[i]) / 2;
      const to = i === rows.length - 1 ? width : (middles[i] + middles[i + 1]) / 2;
      const figures = names.flatMap((name) => {
        const found = row.values.get(name);
        return found ? [`${name} ${figure(found.mean)}`] : [];
      });
      return `<rect x="${round(from)}" y="0" width="${round(to - from)}" height="${height}" fill="transparent"><title>${escapeHtml(`step ${steps(row)}: ${figures.join(', ')}`)}</title></rect>`;
    })
    .join('');
}

function inWords(name: string, rows: readonly Row[]): string {
  const known = rows.filter(({ values }) => values.has(name));
  const at = (row: Row) =>
    `${figure(row.values.get(name)?.mean ?? Number.NaN)} at step ${steps(row)}`;
  if (known.length === 1) return `${name}: ${at(known[0])}`;
  return `${name}: from ${at(known[0])} to ${at(known[known.length - 1])}`;
}

/** From the least to the greatest mean. A steep fall at the very start is cut off, or the rest would be flat. */
function valueRange(names: readonly string[], rows: readonly Row[]): { low: number; high: number } {
  const means = (part: readonly Row[]) =>
    part.flatMap(({ values }) =>
      names.flatMap((name) => {
        const found = values.get(name);
        return found ? [found.mean] : [];
      }),
    );
  const all = means(rows);
  const least = (values: readonly number[]) => values.reduce((a, b) => Math.min(a, b), Infinity);
  const most = (values: readonly number[]) => values.reduce((a, b) => Math.max(a, b), -Infinity);
  const low = least(all);
  const later = rows.length >= 50 ? means(rows.slice(Math.ceil(rows.length * 0.04))) : all;
  const lateHigh = most(later);
  const high = most(all);
  const cut = later.length > 0 && lateHigh - low < 0.6 * (high - low) && lateHigh > low;
  return { low: low >= 0 && low < high / 2 ? 0 : low, high: cut ? lateHigh : high };
}

/** Round numbers about `count` steps apart that enclose low and high. */
function axis(low: number, high: number, count: number) {
  const span = high - low || Math.abs(high) || 1;
  const rough = span / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  const ticks = Array.from({ length: last - first + 1 }, (_, i) => (first + i) * step);
  return { low: first * step, high: last * step, step, ticks };
}

function tick(at: number, step: number): string {
  if (at === 0) return '0';
  if (step < 1e-3) return at.toExponential(Math.max(0, exponent(at) - exponent(step)));
  return at.toFixed(Math.max(0, -exponent(step)));
}

function exponent(value: number): number {
  return Math.floor(Math.log10(Math.abs(value)) + 1e-9);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The rows as a table. */
function rowsTable(title: string, names: readonly string[], rows: readonly Row[]): string {
  const cell = (row: Row, name: string) => {
    const found = row.values.get(name);
    return `<td class="number">${found ? figure(found.mean) : ''}</td>`;
  };
  const body = rows.map(
    (row) =>
      `<tr><th scope="row" class="number">${steps(row)}</th>${names.map((name) => cell(row, name)).join('')}</tr>`,
  );
  const head = names
    .map((name) => `<th scope="col" class="number">${escapeHtml(name)}</th>`)
    .join('');
  return scrolling(
    title,
    `<table><caption>${escapeHtml(title)}, means over steps</caption><thead><tr><th scope="col" class="number">step</th>${head}</tr></thead><tbody>${body.join('')}</tbody></table>`,
  );
}

/** A box that a wide table scrolls in, by keyboard too. */
export function scrolling(label: string, table: string): string {
  return `<div class="scroll" role="region" tabindex="0" aria-label="${escapeHtml(label)}, table">${table}</div>`;
}

function steps({ from, to }: Row): string {
  return from === to ? withCommas(from) : `${withCommas(from)} to ${withCommas(to)}`;
}

/** A number to read: four figures, or a power of ten where it is tiny. */
export function figure(value: number): string {
  if (value !== 0 && Math.abs(value) < 1e-3) return value.toExponential(2);
  return Math.abs(value) < 10 ? value.toFixed(3) : value.toFixed(1);
}

const thousands = new Intl.NumberFormat('en');

/** A whole number with thousands set apart. */
export function withCommas(value: number): string {
  return thousands.format(value);
}
