/** The examples of docs/browser.md: their types, and what they do in Chromium. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openChromium } from '../../scripts/chromium.ts';
import { exportForWeb } from '../../src/export/web/export.ts';
import { describeInChromium } from '../chromium.ts';
import { repositoryRoot } from '../paths.ts';
import { bundle, ModelServer } from './model-server.ts';

const text = readFileSync(join(repositoryRoot, 'docs/browser.md'), 'utf8');
const examples = [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code]) => code);

describeInChromium('the examples of docs/browser.md', () => {
  const folder = mkdtempSync(join(tmpdir(), 'refcap-examples-'));
  let browser: Browser;
  let server: ModelServer;
  let address: string;

  beforeAll(async () => {
    for (const [i, code] of examples.entries()) writeFileSync(join(folder, `page-${i}.ts`), code);
    await exportForWeb('refcap-small', join(folder, 'model'), { dtype: 'int8', members: 1 });
    const names = examples.map((_, i) => [`page-${i}`, join(folder, `page-${i}.ts`)]);
    server = new ModelServer(await bundle(Object.fromEntries(names)));
    mkdirSync(join(folder, 'files'));
    for (const [from, to] of [
      ['dog-on-grass.jpg', 'photo.jpg'],
      ['cat.jpg', 'cat.jpg'],
    ])
      cpSync(join(repositoryRoot, 'samples', from), join(folder, 'files', to));
    server.folders.set('/', join(folder, 'files')).set('/model/', join(folder, 'model'));
    address = await server.listen();
    browser = await openChromium();
  });
  afterAll(async () => {
    await browser?.close();
    server?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('have right types', () => {
    const config = {
      extends: join(repositoryRoot, 'tsconfig.browser.json'),
      compilerOptions: {
        paths: { 'refcap/web': [join(repositoryRoot, 'src/browser/index.ts')] },
        typeRoots: [join(repositoryRoot, 'node_modules/@types')],
      },
      include: [join(folder, '*.ts')],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
    writeFileSync(join(folder, 'package.json'), '{"type": "module"}');
    const compiler = join(repositoryRoot, 'node_modules/typescript/bin/tsc');
    const checked = spawnSync(process.execPath, [compiler, '-p', folder], { encoding: 'utf8' });
    expect(checked.stdout).toBe('');
  });

  /** What an example prints, with no space at the ends. */
  async function run(example: number, until: RegExp, html: string): Promise<string[]> {
    server.content = `<!doctype html><title>refcap</title>${html}
      <script type="module" src="/page-${example}.js"></script>`;
    const page = await browser.newPage();
    try {
      const printed: string[] = [];
      const done = new Promise<void>((resolve, reject) => {
        page.on('console', (message) => {
          if (message.type() !== 'log') return;
          printed.push(message.text().trim());
          if (until.test(printed.join('\n'))) resolve();
        });
        page.on('pageerror', reject);
      });
      await page.goto(address);
      await done;
      return printed;
    } finally {
      await page.close();
    }
  }

  const photo = '<img src="cat.jpg" width="100" height="80">';
  const wanted: readonly (readonly [does: string, prints: RegExp])[] = [
    ['captions a file, telling of its progress', /(\d+) of \1 bytes\n\w/],
    ['streams words, then prints three captions', /^\w+[^[]*\[/],
    ['explains its caption', /^\w+: (?:upper|middle|lower|centre|all over)/m],
    ['defines the element', /a caption/],
    ['drafts an alt text', /^[A-Z0-9]/],
    ['fills alt texts', /^[A-Z0-9]/],
  ];

  it.each(wanted.map(([does, prints], i) => [does, prints, i] as const))(
    '%s',
    async (_, prints, i) => {
      const element = `<refcap-caption>${photo}</refcap-caption><script>
        document.addEventListener('caption', ({ detail }) => console.log('a caption: ' + detail.caption));
      </script>`;
      const html = examples[i].includes('defineCaptionElement') ? element : photo;
      expect((await run(i, prints, html)).join('\n')).toMatch(prints);
    },
  );

  it('are these', () => {
    expect(examples).toHaveLength(wanted.length);
  });
});
