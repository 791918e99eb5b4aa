/** A reliability diagram as an SVG file of its own: how often captions of a confidence are right. */
import type { Reliability, ReliabilityBin } from '../confidence/config.ts';
import { escapeHtml } from './frame.ts';

export interface ReliabilitySeries {
  readonly name: string;
  readonly reliability: Reliability;
}

const size = 420;
const [left, top, side] = [58, 14, 340];
const height = 440;

const x = (confidence: number): string => (left + side * confidence).toFixed(1);
const y = (right: number): string => (top + side * (1 - right)).toFixed(1);

/**
 * The first series as a line with 95 % intervals of its bins, the others as dots of their own colours; on the diagonal
 * captions are right as often as their confidence says.
 */
export function reliabilityDiagram(title: string, series: readonly ReliabilitySeries[]): string {
  const [first, ...others] = series;
  const marks = [
    intervals(first.reliability.bins),
    `<path class="c0 line" d="M${first.reliability.bins.map(point).join('L')}"/>`,
    ...series.map(({ reliability }, i) => dots(reliability.bins, i)),
  ];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size} ${height + 20 * others.length}" role="img" aria-labelledby="title desc">
<title id="title">${escapeHtml(title)}</title>
<desc id="desc">${escapeHtml(series.map(inWords).join('; '))}</desc>
<style>${style}</style>
<rect class="back" width="100%" height="100%"/>
${axes()}
<path class="true" d="M${x(0)} ${y(0)}L${x(1)} ${y(1)}"/>
${marks.join('\n')}
${series.map(legendLine).join('\n')}
</svg>
`;
}

function axes(): string {
  const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map(
    (at) =>
      `<path class="grid" d="M${x(0)} ${y(at)}H${x(1)}"/><text x="${left - 8}" y="${Number(y(at)) + 4}" text-anchor="end">${at}</text><text x="${x(at)}" y="${top + side + 18}" text-anchor="middle">${at}</text>`,
  );
  const middle = top + side / 2;
  return `${ticks.join('\n')}
<text x="${x(0.5)}" y="${top + side + 38}" text-anchor="middle">confidence</text>
<text x="16" y="${middle}" text-anchor="middle" transform="rotate(-90 16 ${middle})">share of captions whose main noun is right</text>`;
}

const point = ({ confidence, right }: ReliabilityBin): string => `${x(confidence)} ${y(right)}`;

function dots(bins: readonly ReliabilityBin[], i: number): string {
  const radius = i === 0 ? 4 : 2.5;
  return bins
    .map(
      ({ confidence, right, images }) =>
        `<circle class="c${i % 4}" cx="${x(confidence)}" cy="${y(right)}" r="${radius}"><title>${images} captions of confidence ${confidence.toFixed(2)}: ${(100 * right).toFixed(0)} % right</title></circle>`,
    )
    .join('');
}

function intervals(bins: readonly ReliabilityBin[]): string {
  return bins
    .map((bin) => {
      const { low, high } = wilson(bin);
      return `<path class="c0 interval" d="M${x(bin.confidence)} ${y(low)}V${y(high)}"/>`;
    })
    .join('');
}

/** The interval of a share (Wilson 1927), at 95 %. */
export function wilson({ right, images }: Pick<ReliabilityBin, 'right' | 'images'>): {
  low: number;
  high: number;
} {
  const z = 1.959964;
  const scale = 1 + z ** 2 / images;
  const middle = (right + z ** 2 / (2 * images)) / scale;
  const half = (z / scale) * Math.sqrt((right * (1 - right)) / images + z ** 2 / (4 * images ** 2));
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) };
}

function legendLine({ name, reliability }: ReliabilitySeries, i: number): string {
  const at = top + side + 60 + 20 * i;
  const { images, error } = reliability;
  const text = `${name}: ${images} pictures, calibration error ${error.toFixed(3)}`;
  return `<circle class="c${i % 4}" cx="${left}" cy="${at - 4}" r="${i === 0 ? 4 : 2.5}"/><text x="${left + 12}" y="${at}">${escapeHtml(text)}</text>`;
}

function inWords({ name, reliability: { bins, error } }: ReliabilitySeries): string {
  const pairs = bins.map(({ confidence, right }) => `${confidence.toFixed(2)} ${right.toFixed(2)}`);
  return `${name}: calibration error ${error.toFixed(3)}; confidence and share of right captions: ${pairs.join(', ')}`;
}

const style = `
svg { --back: #fff; --line: #cfd4da; --text: #57606a; --c0: #0b62a4; --c1: #c2410c; --c2: #04785a; --c3: #7c3aed; }
@media (prefers-color-scheme: dark) {
  svg { --back: #14171b; --line: #434b55; --text: #a3adb8; --c0: #6cb6ff; --c1: #ff9d66; --c2: #5fd3a0; --c3: #c4a1ff; }
}
.back { fill: var(--back); }
text { font: 13px system-ui, sans-serif; fill: var(--text); }
.grid { stroke: var(--line); }
.true { stroke: var(--text); stroke-dasharray: 5 4; }
circle.c0 { fill: var(--c0); } circle.c1 { fill: var(--c1); } circle.c2 { fill: var(--c2); } circle.c3 { fill: var(--c3); }
.line, .interval { fill: none; stroke: var(--c0); stroke-width: 2; }
.interval { stroke-width: 1; }
`;
