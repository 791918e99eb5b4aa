/** The page of bench/browser.ts: refcap and transformers.js beside each other. */
import { env, pipeline } from '@huggingface/transformers';
import { Captioner } from '../../../src/browser/index.ts';

async function picture(path: string): Promise<Blob> {
  return (await fetch(path)).blob();
}

Object.assign(globalThis, { Captioner, env, pipeline, picture });
