/** Writes the tables of docs/confidence.md from a model's confidence. Usage: npx tsx scripts/confidence-table.ts [MODEL] */
import { readFileSync, writeFileSync } from 'node:fs';
import { parseConfidence, type Reliability } from '../src/confidence/config.ts';

const [model = 'models/refcap-small'] = process.argv.slice(2);
const config = `${model}/config.json`;
const page = 'docs/confidence.md';

const three = (x: number): string => x.toFixed(3).replace(/^0/, '');

function sourceRow(name: string, own: Reliability): string {
  const { images, right, error, low, high, chance } = own;
  return `| ${name} | ${images} | ${(100 * right).toFixed(1)} % | ${three(error)} (${three(low)} to ${three(high)}) | ${three(chance)} |`;
}

const confidence = parseConfidence(JSON.parse(readFileSync(config, 'utf8')), config);
if (!confidence?.reliability) throw new Error(`${config}: no confidence was calibrated`);
const { all, sources } = confidence.reliability;
const tables = [
  '| refcap-small on dev | pictures | main noun right | calibration error (95 %) | by chance |',
  '|---|---|---|---|---|',
  ...(sources.length > 1 ? [sourceRow('all', all)] : []),
  ...sources.map(({ name, ...own }) => sourceRow(name, own)),
  '',
  '![How often captions are right, by their confidence](confidence.svg)',
  '',
  '| confidence, mean of a bin | main noun right | pictures |',
  '|---|---|---|',
  ...all.bins.map(
    ({ confidence: said, right, images }) => `| ${three(said)} | ${three(right)} | ${images} |`,
  ),
];
const marked = /(<!-- reliability: [^\n]* -->\n)[\s\S]*?(<!-- end of reliability -->)/;
const text = readFileSync(page, 'utf8');
if (!marked.test(text)) throw new Error(`${page}: the marks of the tables are gone`);
writeFileSync(
  page,
  text.replace(marked, (_, start, end) => `${start}\n${tables.join('\n')}\n\n${end}`),
);
