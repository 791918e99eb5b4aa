/** What the page of the captioner's tests can do, for scripts that the tests evaluate in it. */
import { Captioner } from '../../../src/browser/index.ts';
import { decodePicture } from '../../../src/browser/worker/pixels.ts';

/** A file of the test's server. */
async function file(path: string): Promise<File> {
  const response = await fetch(path);
  return new File([await response.blob()], path.replace(/.*\//, ''));
}

/** An element that shows it. */
async function image(path: string): Promise<HTMLImageElement> {
  const element = new Image();
  element.src = path;
  await element.decode();
  return element;
}

/** Pixels as the worker sees them, three bytes a pixel, in base 64. */
async function pixels(path: string): Promise<{ width: number; height: number; data: string }> {
  const { data, ...size } = await decodePicture(await file(path));
  let text = '';
  for (let i = 0; i < data.length; i += 4096)
    text += String.fromCharCode(...data.subarray(i, i + 4096));
  return { ...size, data: btoa(text) };
}

/** What a promise is rejected with. */
async function reason(work: Promise<unknown>): Promise<string> {
  return work.then(
    () => 'no error',
    (error: unknown) =>
      error instanceof Error ? `${error.name}: ${error.message}` : String(error),
  );
}

Object.assign(globalThis, { Captioner, file, image, pixels, reason });
