/** A chart as a picture of its own: SVG that needs no page around it. */
import { type Chart, drawnLines, linesInWords, plot, plotSize, swatch } from './chart.ts';
import { escapeHtml } from './frame.ts';

/** Of the title and of the names; units of the picture. */
const [titleHeight, nameHeight, margin] = [26, 18, 12];

export interface ChartPicture {
  /** An SVG document. */
  readonly svg: string;
  /** The chart in words, for those who do not see it. */
  readonly description: string;
}

/** @returns undefined where there is nothing to draw */
export function chartPicture(chart: Chart): ChartPicture | undefined {
  const { id, title } = chart;
  const { names, rows } = drawnLines(chart);
  if (names.length === 0) return undefined;
  const { width } = plotSize;
  const head = titleHeight + nameHeight * names.length;
  const height = head + plotSize.height;
  const legend = names.map((name, i) => {
    const at = titleHeight + nameHeight * i;
    return `<g transform="translate(${margin} ${at + 5})">${swatch(i)}</g><text x="${margin + 34}" y="${at + 13}">${escapeHtml(name)}</text>`;
  });
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<style>${style}</style>
<rect width="${width}" height="${height}" fill="#fff"/>
<text class="title" x="${margin}" y="18">${escapeHtml(title)}</text>
${legend.join('\n')}
<g transform="translate(0 ${head})">
${plot(id, names, rows)}
</g></svg>`.replace(/var\(--c(\d)\)/g, (_, i: string) => colours[Number(i)]);
  return { svg, description: `${title}. ${linesInWords(names, rows)}.` };
}

/** As pages have them by day: a picture does not know where it stands, and not all programs that draw SVG know variables. */
const colours = ['#0b62a4', '#c2410c', '#04785a', '#7c3aed', '#8a6100', '#b3126b'];

const style = `
text { font: 13px system-ui, sans-serif; fill: #57606a; }
.title { font-weight: 600; fill: #1b1f24; }
.grid { stroke: #cfd4da; stroke-width: 1; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; }
`;
