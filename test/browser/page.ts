/** What the page of the browser's test runs; its results are for test/browser/browser.test.ts. */
import { input, listDevices, ops, Session, tensor } from '../../src/engine/index.ts';
import { captionPixels, type ModelFiles } from './caption.ts';

async function bytes(path: string): Promise<Uint8Array> {
  return new Uint8Array(await (await fetch(path)).arrayBuffer());
}

async function json(path: string): Promise<unknown> {
  return (await fetch(path)).json();
}

async function modelFiles(): Promise<ModelFiles> {
  return {
    weights: await bytes('/model/model.safetensors'),
    config: await json('/model/config.json'),
    tokenizer: await json('/model/tokenizer.json'),
    preprocessor: await json('/model/preprocessor_config.json'),
  };
}

/** An output written into memory of the caller. */
async function intoMemory(): Promise<number[]> {
  const x = input('x', 'f32', [3]);
  using session = await Session.open({ y: ops.add(x, 1) });
  const y = tensor('f32', [3]);
  const result = await session.run({ x: tensor('f32', [3], Float32Array.of(1, 2, 3)) }, { y });
  return result.y === y ? [...y.data] : [];
}

async function message(work: () => Promise<unknown>): Promise<string> {
  return work().then(
    () => 'no error',
    (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : 'no Error'),
  );
}

/** What a browser has no way to do. */
async function refusals(): Promise<string[]> {
  const y = ops.add(input('x', 'f32', [3]), 1);
  return [
    await message(() => Session.open({ y }, { profile: 'trace' })),
    await message(() => Session.open({ y }, { threads: 8 })),
    await message(() => Session.open({ y }, { device: 'cuda' })),
  ];
}

Object.assign(globalThis, {
  async runPage(width: number, height: number) {
    const files = await modelFiles();
    const picture = { width, height, data: await bytes('/picture') };
    return {
      greedy: await captionPixels(files, picture),
      int8: await captionPixels(files, picture, 'int8'),
      into: await intoMemory(),
      refusals: await refusals(),
      devices: listDevices(),
      node: typeof process + typeof Buffer,
    };
  },
});
