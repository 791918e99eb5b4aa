/** Reports as lines, JSON and SARIF: one list of findings in all. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import type { ReportEntry } from '../../../src/alt/report/entry.ts';
import { entriesOf } from '../../../src/alt/report/entry.ts';
import { type AltReportFormat, reportText } from '../../../src/alt/report/formats.ts';
import { scanSite } from '../../../src/alt/scan.ts';

const site = mkdtempSync(join(tmpdir(), 'refcap-alt-report-'));
afterAll(() => rmSync(site, { recursive: true, force: true }));
writeFileSync(
  join(site, 'a b.html'),
  '<p>\n  <img src="nö&quot;.jpg"><a href=x><img src=y.svg alt=""></a>',
);
writeFileSync(join(site, 'y.svg'), '<svg/>');
writeFileSync(join(site, 'broken.mdx'), 'text\n\n<b>');

async function* entries(): AsyncGenerator<ReportEntry> {
  const options = { roots: [site], exclude: [], includeEmpty: false };
  for await (const page of scanSite(site, options))
    for (const entry of entriesOf(page))
      yield { ...entry, file: entry.file.slice(site.length + 1) };
}

async function report(format: AltReportFormat, rows = entries()): Promise<string> {
  let text = '';
  for await (const piece of reportText(rows, format)) text += piece;
  return text;
}

async function* none(): AsyncGenerator<ReportEntry> {}

it('writes lines that editors and terminals can follow', async () => {
  expect((await report('text')).split('\n')).toEqual([
    'a b.html:2:3: no alt text: nö".jpg (there is no such file)',
    'a b.html:2:37: empty alt text: y.svg (SVG is not read)',
    expect.stringMatching(/^broken\.mdx:3:1: broken page \(.*<b>.*\)$/),
    '',
  ]);
  expect(await report('text', none())).toBe('');
});

it('writes JSON with the same', async () => {
  const rows: ReportEntry[] = JSON.parse(await report('json'));
  const known: ReportEntry[] = [];
  for await (const entry of entries()) known.push(entry);
  expect(rows).toEqual(known);
  expect(rows.map(({ problem }) => problem)).toEqual(['alt-missing', 'alt-empty', 'page-broken']);
  expect(JSON.parse(await report('json', none()))).toEqual([]);
});

it('writes SARIF whose results have a rule and a place', async () => {
  const log = JSON.parse(await report('sarif'));
  expect(log.version).toBe('2.1.0');
  const [{ tool, results }] = log.runs;
  const rules = tool.driver.rules.map(({ id }: { id: string }) => id);
  const places = results.map(
    ({
      ruleId,
      locations: [{ physicalLocation }],
    }: {
      ruleId: string;
      locations: [{ physicalLocation: { artifactLocation: { uri: string }; region: object } }];
    }) => [ruleId, physicalLocation.artifactLocation.uri, physicalLocation.region],
  );
  expect(places).toEqual([
    ['alt-missing', 'a%20b.html', { startLine: 2, startColumn: 3 }],
    ['alt-empty', 'a%20b.html', { startLine: 2, startColumn: 37 }],
    ['page-broken', 'broken.mdx', { startLine: 3, startColumn: expect.any(Number) }],
  ]);
  for (const [rule] of places) expect(rules).toContain(rule);
  expect(JSON.parse(await report('sarif', none())).runs[0].results).toEqual([]);
});
