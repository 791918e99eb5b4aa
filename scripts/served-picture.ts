/** What the scripts share that make pictures of pages: a page that a program serves, opened in a headless Chromium. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { chromium, openChromium, whyNoChromium } from './chromium.ts';
import { smallPng } from './small-png.ts';

/** The repository's folder. */
export const root: string = fileURLToPath(new URL('..', import.meta.url));
/** The file of the `refcap` command. */
export const main: string = join(root, 'dist/cli/main.js');

/** Ends a script with a sentence. */
export type Fail = (message: string) => never;

/** @param script its name */
export function failing(script: string): Fail {
  return (message) => {
    console.error(`${script}: ${message}`);
    process.exit(1);
  };
}

/** Looks for a Chromium, and builds what is missing. */
export function makeReady(fail: Fail): void {
  if (chromium === undefined) fail(`${whyNoChromium}.`);
  runNode(fail, [join(root, 'scripts/setup.mjs')], root);
}

/** Runs a program of Node to its end; what it prints goes to the standard error. */
export function runNode(fail: Fail, args: readonly string[], cwd: string): void {
  const { status, error } = spawnSync(process.execPath, args, { cwd, stdio: ['ignore', 2, 2] });
  if (status !== 0) fail(`${args.join(' ')} failed (${error?.message ?? status}).`);
}

/** Takes the picture of what is seen of a page. */
export async function savePicture(page: Page, output: string): Promise<void> {
  writeFileSync(output, await smallPng(await page.screenshot()));
  console.log(`${output} ${statSync(output).size} bytes`);
}

export interface PageServer {
  /** Arguments of Node. */
  readonly args: readonly string[];
  readonly cwd: string;
  /** Where it says its address. */
  readonly says: 'stdout' | 'stderr';
}

type OpenPage = (size: { readonly width: number; readonly height: number }) => Promise<Page>;

/** Starts a program that serves a page, and gives `work` what opens it at a size; both are ended afterwards. */
export async function withServedPage(
  fail: Fail,
  { args, cwd, says }: PageServer,
  work: (open: OpenPage) => Promise<void>,
): Promise<void> {
  const server = spawn(process.execPath, args, {
    cwd,
    stdio: says === 'stdout' ? ['ignore', 'pipe', 2] : ['ignore', 2, 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  const browser = await openChromium();
  try {
    const address = await addressOf(fail, server, says);
    await work(async (viewport) => {
      const page = await browser.newPage({ viewport, colorScheme: 'light' });
      await page.goto(address);
      return page;
    });
  } finally {
    await browser.close();
    server.removeAllListeners('exit').kill();
  }
}

/** The address that a program says. What it says then is read on, so that it never waits. */
function addressOf(fail: Fail, server: ChildProcess, says: PageServer['says']): Promise<string> {
  return new Promise((resolve) => {
    let said = '';
    server[says]?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const address = /(http:\S+)\s/.exec(said)?.[1];
      if (address !== undefined) resolve(address);
    });
    server.once('exit', () => fail(`the server ended: ${said}`));
  });
}
