/** The review page's server over drafts of the sample photos, and a captioner that invents its captions. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { Captioner } from '../../../src/caption/captioner.ts';
import type { Caption } from '../../../src/caption/result.ts';
import { readJournal } from '../../../src/review/decisions/journal.ts';
import { startReviewServer } from '../../../src/review/server/start.ts';
import { ReviewSession } from '../../../src/review/session.ts';
import { openDrafts } from '../../../src/review/sources/open.ts';
import { repositoryRoot } from '../../paths.ts';
import { openPage, type Watched } from '../page/person.ts';

const scratch = mkdtempSync(join(tmpdir(), 'refcap-desk-'));
export const removeDesks = (): void => rmSync(scratch, { recursive: true, force: true });

export const photos = ['cat.jpg', 'owl.jpg', 'coffee.jpg', 'parrot.jpg', 'rocket.jpg'];

export interface Desk {
  readonly path: string;
  readonly address: string;
  readonly session: ReviewSession;
  /** Options that captions were written anew with. */
  readonly asked: object[];
  open(browser: Browser, options?: BrowserContextOptions): Promise<Watched>;
  journal(): Promise<(string | undefined)[][]>;
  close(): Promise<void>;
}

let count = 0;

/** A row for each photo, the later the less confident. */
export const sampleRows: readonly object[] = photos.map((file, i) => ({
  file,
  caption: `a draft of ${file.slice(0, -4)}`,
  captions: ['a draft of', 'another one of'].map((start, k) => ({
    text: `${start} ${file.slice(0, -4)}`,
    meanLogprob: -0.1 * (i + 1) - k,
  })),
}));

export async function openDesk(rows: readonly object[] = sampleRows): Promise<Desk> {
  const folder = join(scratch, `desk-${++count}`);
  const path = join(folder, 'captions.jsonl');
  mkdirSync(folder);
  for (const name of photos)
    copyFileSync(join(repositoryRoot, 'samples', name), join(folder, name));
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const session = await ReviewSession.open(await openDrafts(path), path, 'anna');
  const stop = new AbortController();
  const asked: object[] = [];
  const server = await startReviewServer({
    ...{ session, path, by: 'anna', port: 0, model: 'none', signal: stop.signal },
    captioner: async () => inventing(asked),
    onFault: (error) => console.error(error),
  });
  return {
    ...{ path, session, asked, address: server.url },
    open: (browser, options) => openReview(browser, server.url, options),
    journal: async () => {
      const read = await readJournal(session.journalPath);
      const all = read?.history.all ?? [];
      return all.map(({ file, verdict, text }) => [file, verdict, text]);
    },
    close: async () => {
      stop.abort();
      await server.stop();
      await session[Symbol.asyncDispose]();
    },
  };
}

/** Requests go to the server itself: what is behind # is no part of its address. */
async function openReview(
  browser: Browser,
  address: string,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const { origin, hash } = new URL(address);
  const watched = await openPage(browser, `${origin}`, options);
  // The first load has no token, as an address without its end.
  await watched.page.goto('about:blank');
  await watched.page.goto(`${origin}/${hash}`);
  await watched.page.getByRole('listbox').waitFor();
  return watched;
}

export const caption = (page: Page): Promise<string> =>
  page.getByLabel('Caption', { exact: true }).inputValue();

function inventing(asked: object[]): Captioner {
  const written = (text: string): Caption => ({ text, ids: [], logprob: -1, meanLogprob: -0.5 });
  const captioner = {
    defaults: {},
    caption: async (path: string, { signal, ...options }: { signal?: AbortSignal }) => {
      asked.push({ path, ...options });
      const captions = ['something new', 'something else'].map(written);
      return { caption: captions[0].text, captions, width: 1, height: 1 };
    },
  };
  return captioner as unknown as Captioner; // the two things that the server asks of it
}
