/** `refcap review`, from drafts to a file that trains: the page's server, kill -9, writing, several reviewers. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readJournal } from '../../src/review/decisions/journal.ts';
import { folderOf } from '../data/dataset-folder.ts';
import { repositoryRoot } from '../paths.ts';
import { main, runRefcap } from './refcap.ts';

const photos = ['cat.jpg', 'owl.jpg', 'coffee.jpg'];

function drafts(): { folder: string; path: string } {
  const rows = photos.map((file) => ({ file, caption: `of ${file}` }));
  const folder = folderOf({
    'captions.jsonl': rows.map((row) => `${JSON.stringify(row)}\n`).join(''),
    ...Object.fromEntries(
      photos.map((name) => [name, readFileSync(join(repositoryRoot, 'samples', name))]),
    ),
  });
  return { folder, path: join(folder, 'captions.jsonl') };
}

const refcap = (...args: string[]) => runRefcap(args);

interface Running {
  readonly server: ChildProcess;
  readonly post: (route: string, body: object) => Promise<Response>;
  readonly said: () => string;
}

async function review(path: string, reviewer: string): Promise<Running> {
  const args = ['review', path, '--port', '0', '--reviewer', reviewer];
  const server = spawn(process.execPath, [main, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  server.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  const address = await new Promise<URL>((resolve, reject) => {
    server.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      const found = / at (http:\S+)/.exec(said)?.[1];
      if (found !== undefined) resolve(new URL(found));
    });
    server.once('exit', () => reject(new Error(said)));
  });
  const headers = { authorization: `Bearer ${address.hash.slice(1)}` };
  const post = (route: string, body: object) =>
    fetch(new URL(route, address), { method: 'POST', headers, body: JSON.stringify(body) });
  return { server, post, said: () => said };
}

const caption = (place: number, text: string) => ({
  ...{ place, seconds: 2 },
  said: { kind: 'caption', text },
});

it('keeps each decision through kill -9, ends with a summary, and writes', async () => {
  const { folder, path } = drafts();
  const first = await review(path, 'anna');
  expect((await first.post('/review/decisions', caption(0, 'of cat.jpg'))).status).toBe(200);
  first.server.kill('SIGKILL');
  await once(first.server, 'exit');
  const journal = `${path}.review-anna.jsonl`;
  expect((await readJournal(journal))?.history.all).toHaveLength(1);

  const second = await review(path, 'anna');
  const answer = await (await second.post('/review/decisions', caption(1, ' an  owl '))).json();
  expect(answer).toMatchObject({
    row: { decision: { verdict: 'edited', text: 'an owl' } },
    decided: 2,
  });
  expect((await second.post('/review/decisions', caption(1, '  '))).status).toBe(400);
  expect((await second.post('/review/decisions', caption(9, 'x'))).status).toBe(404);
  const wrong = { place: 2, seconds: 5, said: { kind: 'wrong' } };
  await second.post('/review/decisions', wrong);
  second.server.kill('SIGINT');
  const [code] = await once(second.server, 'exit');
  expect(code).toBe(0);
  expect(second.said()).toContain('1 accepted, 1 edited, 1 wrong, of 3 drafts');
  expect(second.said()).toContain('time a picture: 2.0 s in the median');

  const written = refcap('review', path, '--write');
  expect([written.status, written.stderr]).toEqual([
    0,
    expect.stringContaining('3 decided, 3 of them written into'),
  ]);
  const rows = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(rows.map(({ caption: text, review: { verdict } }) => [text, verdict])).toEqual([
    ['of cat.jpg', 'accepted'],
    ['an owl', 'edited'],
    ['of coffee.jpg', 'wrong'],
  ]);
  expect(refcap('data', 'inspect', folder).stdout).toContain(
    '1 caption that a reviewer called wrong left out',
  );
});

it('lists where reviewers disagree, and leaves it as it is until one has the last word', async () => {
  const { path } = drafts();
  const entry = (by: string, file: string, text: string) =>
    JSON.stringify({
      ...{ file, verdict: 'edited', draft: `of ${file}`, text },
      ...{ when: '2026-01-02T03:04:05Z', seconds: 3, by },
    });
  const journal = (by: string, ...entries: string[]) =>
    [JSON.stringify({ review: 1, of: 'captions.jsonl', by }), ...entries, ''].join('\n');
  writeFileSync(
    `${path}.review-anna.jsonl`,
    journal('anna', entry('anna', 'cat.jpg', 'a cat'), entry('anna', 'owl.jpg', 'an owl')),
  );
  const elsewhere = `${path}.from-bob`;
  writeFileSync(elsewhere, journal('bob', entry('bob', 'cat.jpg', 'two cats')));
  const before = refcap('review', path, '--write', '--journal', elsewhere);
  expect(before).toMatchObject({
    status: 3,
    stdout: 'cat.jpg\n  anna: a cat\n  bob: two cats\n',
  });
  expect(readFileSync(path, 'utf8')).toContain('"caption":"of cat.jpg"}');
  expect(readFileSync(path, 'utf8')).toContain('"caption":"an owl"');
  const after = refcap('review', path, '--write', '--journal', elsewhere, '--final', 'bob');
  expect(after.status).toBe(0);
  expect(readFileSync(path, 'utf8')).toContain('"caption":"two cats"');
  const summary = refcap('review', path, '--summary', '--journal', elsewhere);
  expect(summary.stdout).toMatch(/^anna:\n2 edited, of 3 drafts\n[\s\S]*\nbob:\n1 edited/);
  expect(refcap('review', path, '--final', 'bob').status).toBe(2);
});
