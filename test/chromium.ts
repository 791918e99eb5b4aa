/** Opens a page in headless Chromium, where one is installed, and gives what a script finds in it. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export const chromium: string | undefined = [
  process.env.CHROMIUM ?? '',
  '/usr/bin/chromium',
  '/usr/bin/google-chrome',
].find((path) => path !== '' && existsSync(path));

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
    const flags = [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--proxy-server=127.0.0.1:1',
      `--user-data-dir=${join(folder, 'profile')}`,
      `--window-size=${width},900`,
      '--dump-dom',
    ];
    const run = spawnSync(chromium, [...flags, pathToFileURL(page).href], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
      timeout: 60_000,
    });
    const found = /<pre id="result">([^<]*)<\/pre>/.exec(run.stdout)?.[1];
    if (found === undefined) throw new Error(`the page gave no result: ${run.stderr}`);
    return JSON.parse(decodeURIComponent(found));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
