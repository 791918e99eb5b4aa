/** Tests in headless Chromium, where one is installed. */
import { pathToFileURL } from 'node:url';
import { describe } from 'vitest';
import { chromium, openChromium, whyNoChromium } from '../scripts/chromium.ts';

/** `describe`, which says why its tests are skipped where there is no Chromium. */
export function describeInChromium(name: string, define: () => void): void {
  if (chromium === undefined) describe.skip(`${name} (${whyNoChromium})`, define);
  else describe(name, define);
}

/**
 * Runs `script`, the body of a function, in a page that has loaded. The page has no network.
 * @returns what the function returned, by way of JSON
 */
export async function inChromium(htmlFile: string, script: string, width = 1280): Promise<unknown> {
  const browser = await openChromium();
  try {
    const page = await browser.newPage({ offline: true, viewport: { width, height: 900 } });
    await page.goto(pathToFileURL(htmlFile).href);
    return await page.evaluate(`(() => {${script}})()`);
  } finally {
    await browser.close();
  }
}
