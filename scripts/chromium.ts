/** A headless Chromium, where one is installed, for tests and for pictures of pages. */
import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Where a Chromium may be; CHROMIUM goes before the usual places. */
export const chromiumPlaces: readonly string[] = process.env.CHROMIUM
  ? [process.env.CHROMIUM]
  : ['/usr/bin/chromium', '/usr/bin/google-chrome'];

export const chromium: string | undefined = chromiumPlaces.find((path) => existsSync(path));

const usualFlags = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--hide-scrollbars',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Opens a page in a window of [width, height] and waits for the end. @param folder for the browser's profile */
export function openInChromium(
  program: string,
  page: string,
  folder: string,
  [width, height]: readonly [number, number],
  flags: readonly string[],
): SpawnSyncReturns<string> {
  const own = [
    `--user-data-dir=${join(folder, 'profile')}`,
    `--window-size=${width},${height}`,
    ...flags,
  ];
  return spawnSync(program, [...usualFlags, ...own, pathToFileURL(page).href], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: 120_000,
  });
}
