/** A headless Chromium, where one is installed, for tests and for pictures of pages. */
import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium as playwright } from 'playwright-core';

/** Where a Chromium may be; CHROMIUM goes before the usual places. */
export const chromiumPlaces: readonly string[] = process.env.CHROMIUM
  ? [process.env.CHROMIUM]
  : ['/usr/bin/chromium', '/usr/bin/google-chrome'];

export const chromium: string | undefined = chromiumPlaces.find((path) => existsSync(path));

/** What tests that need one say where they are skipped. */
export const whyNoChromium: string = `no Chromium at ${chromiumPlaces.join(' or ')}; install Debian's chromium, or give CHROMIUM=path`;

/** Has Chromium compute WebGPU by SwiftShader, on the processor. */
export const softwareGpu: readonly string[] = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
];

/** Starts it. @param flags its own @throws Error where none is installed */
export async function openChromium(flags: readonly string[] = []): Promise<Browser> {
  if (chromium === undefined) throw new Error(`${whyNoChromium}.`);
  return playwright.launch({ executablePath: chromium, args: ['--no-sandbox', ...flags] });
}

/** Starts it with what it keeps in a folder, such as compiled code. @throws Error where none is installed */
export async function openProfile(folder: string): Promise<BrowserContext> {
  if (chromium === undefined) throw new Error(`${whyNoChromium}.`);
  return playwright.launchPersistentContext(folder, {
    executablePath: chromium,
    args: ['--no-sandbox'],
  });
}
