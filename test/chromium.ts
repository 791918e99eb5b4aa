/** Opens a page in headless Chromium, where one is installed, and gives what a script finds in it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium, openInChromium } from '../scripts/chromium.ts';

/**
 * Runs `script`, the body of a function, at the end of a page that has loaded. The page has no network.
 * @returns what the function returned, by way of JSON
 */
export function inChromium(htmlFile: string, script: string, width = 1280): unknown {
  if (chromium === undefined) throw new Error('there is no Chromium');
  const folder = mkdtempSync(join(tmpdir(), 'refcap-chromium-'));
  try {
    const result = `<script>{const pre = document.createElement('pre'); pre.id = 'result';
      pre.textContent = encodeURIComponent(JSON.stringify((() => {${script}})())); document.body.append(pre);}</script>`;
    const page = join(folder, 'page.html');
    writeFileSync(page, `${readFileSync(htmlFile, 'utf8')}${result}`);
    const flags = ['--proxy-server=127.0.0.1:1', '--dump-dom'];
    const run = openInChromium(chromium, page, folder, [width, 900], flags);
    const found = /<pre id="result">([^<]*)<\/pre>/.exec(run.stdout)?.[1];
    if (found === undefined) throw new Error(`the page gave no result: ${run.stderr}`);
    return JSON.parse(decodeURIComponent(found));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
