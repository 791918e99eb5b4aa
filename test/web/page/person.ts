/** The page in Chromium, and what a person does there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { expect } from 'vitest';
import { repositoryRoot } from '../../paths.ts';

/** What went wrong on a page or left its server: nothing is expected here. */
export interface Watched {
  readonly page: Page;
  readonly problems: string[];
}

export async function openPage(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: address });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', ({ message }) => problems.push(message));
  page.on('console', (message) => {
    // Answers such as 503 are shown as errors too, and are not the page's.
    const isAnswer = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isAnswer) problems.push(message.text());
  });
  page.on('request', (request) => {
    const url = request.url();
    if (!url.startsWith(`${address}/`) && !url.startsWith('blob:')) problems.push(url);
  });
  await page.goto(address);
  return { page, problems };
}

/** Files that are dropped, pasted or chosen: a name and its content. */
export interface GivenFile {
  readonly name: string;
  readonly buffer: Buffer;
  readonly mimeType: string;
}

export async function choose(page: Page, files: readonly GivenFile[]): Promise<void> {
  await page
    .locator('input[type=file]')
    .first()
    .setInputFiles([...files]);
}

/** Drops or pastes, by the event that the browser would make. */
export async function give(
  page: Page,
  way: 'drop' | 'paste',
  files: readonly GivenFile[],
): Promise<void> {
  const contents = files.map(({ buffer, ...file }) => ({ ...file, data: [...buffer] }));
  await page.evaluate(`{
    const data = new DataTransfer();
    for (const { name, mimeType, data: bytes } of ${JSON.stringify(contents)})
      data.items.add(new File([Uint8Array.from(bytes)], name, { type: mimeType }));
    const init = { bubbles: true, cancelable: true };
    document.body.dispatchEvent(
      ${way === 'drop'}
        ? new DragEvent('drop', { ...init, dataTransfer: data })
        : new ClipboardEvent('paste', { ...init, clipboardData: data }),
    );
  }`);
}

/** The card of a picture. */
export function card(page: Page, name: string): Locator {
  return page.locator('.card').filter({ has: page.getByRole('heading', { name, exact: true }) });
}

/** Photos of samples/. */
export function samples(...names: string[]): GivenFile[] {
  return names.map((name) => ({
    name,
    buffer: readFileSync(join(repositoryRoot, 'samples', name)),
    mimeType: 'image/jpeg',
  }));
}

/** Waits for what the page comes to, also on a busy machine. */
export function eventually<T>(find: () => T | Promise<T>) {
  return expect.poll(find, { timeout: 30_000 });
}

/** Drops files and folders of the disk, as a file manager does. */
export async function dropPaths(page: Page, files: readonly string[]): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const data = { items: [], files: [...files], dragOperationsMask: 1 };
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const)
    await session.send('Input.dispatchDragEvent', { type, x: 200, y: 200, data });
}
