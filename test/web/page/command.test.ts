/** `refcap serve` with its page: a picture from the browser to the model and back. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { openChromium } from '../../../scripts/chromium.ts';
import { describeInChromium } from '../../chromium.ts';
import { main, runRefcap } from '../../cli/refcap.ts';
import { card, choose, openPage, samples } from './person.ts';

describeInChromium('refcap serve', () => {
  it('captions by its page as by the command', async () => {
    const server = spawn(process.execPath, [main, 'serve', '--port', '0'], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const address = new Promise<string>((resolve, reject) => {
      let said = '';
      server.stderr.setEncoding('utf8').on('data', (text: string) => {
        said += text;
        const found = / at (http:\S+)/.exec(said)?.[1];
        if (found !== undefined) resolve(found);
      });
      server.once('exit', () => reject(new Error(said)));
    });
    const browser = await openChromium();
    try {
      const { page, problems } = await openPage(browser, await address);
      await choose(page, samples('dog-on-grass.jpg'));
      await page.locator('.progress').getByText('1 of 1 captioned').waitFor();
      const caption = await card(page, 'dog-on-grass.jpg').locator('.caption').textContent();
      // The page asks for words as they come, which is greedy search.
      const photo = 'samples/dog-on-grass.jpg';
      const { stdout } = runRefcap(['caption', photo, '--beams', '1']);
      expect(`${photo}\t${caption}\n`).toBe(stdout);
      await page.getByText('The model refcap-small').waitFor();
      expect(problems).toEqual([]);
    } finally {
      await browser.close();
      server.kill();
      if (server.exitCode === null) await once(server, 'exit');
    }
  });
});
