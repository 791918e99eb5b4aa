/** Writes the table of docs/metrics.md anew from the registry: `npx tsx scripts/metrics-table.ts`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { metricNames, metricRows } from '../src/metrics/registry.ts';

const path = fileURLToPath(new URL('../docs/metrics.md', import.meta.url));
const header = '| `--metrics` | scores | what it is | trap |\n| --- | --- | --- | --- |\n';

/** The table's rows, a metric each; those that are measured by default in bold. */
function metricsTable(): string {
  const rows = metricNames.map((name) => {
    const { scores, isDefault, what, trap } = metricRows[name];
    const shown = scores.map((score) => `\`${score}\``).join(', ');
    return `| ${isDefault ? `**\`${name}\`**` : `\`${name}\``} | ${shown} | ${what} | ${trap} |\n`;
  });
  return header + rows.join('');
}

/** The page with the table as the registry has it. */
export function withMetricsTable(page: string): string {
  const start = page.indexOf(header);
  if (start < 0) throw new Error('docs/metrics.md has no table of metrics');
  const length = page.slice(start).search(/\n(?!\|)/) + 1;
  return page.slice(0, start) + metricsTable() + page.slice(start + length);
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writeFileSync(path, withMetricsTable(readFileSync(path, 'utf8')));
