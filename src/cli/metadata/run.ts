/** The work of `refcap metadata`: takes captions out of pictures, one after the other. */

import { InputError } from '../../base/errors.ts';
import { listInputs } from '../../caption/sources/inputs.ts';
import { undoPicture } from '../../metadata/undo.ts';
import { outliveReader } from '../terminal/failure.ts';
import { interruptible } from '../terminal/interrupt.ts';

export interface UndoFlags {
  recursive?: boolean;
  quiet?: boolean;
  keepTimes?: boolean;
}

/** @throws InputError where an input is none */
export async function runUndo(
  inputs: string[],
  { recursive = false, quiet = false, keepTimes = false }: UndoFlags,
): Promise<void> {
  outliveReader();
  let pictures = 0;
  let changed = 0;
  let failed = 0;
  await interruptible(async (signal) => {
    for await (const input of listInputs(inputs, { recursive, signal })) {
      signal.throwIfAborted();
      if (input.kind === 'passed over') continue;
      pictures += 1;
      try {
        if (input.kind === 'nothing') throw input.error;
        if (input.kind === 'url' || input.kind === 'in shard') continue;
        for (const { name, changedSince } of await undoPicture(input.path ?? input.name, {
          keepTimes,
        })) {
          changed += 1;
          process.stdout.write(`${name}\n`);
          if (changedSince.length > 0)
            console.error(
              `refcap: ${name}: changed since, and so left: ${changedSince.join(', ')}.`,
            );
        }
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        failed += 1;
        console.error(`refcap: ${error.message}`);
      }
    }
  }, '. What was not undone yet is as it was.');
  if (!quiet) console.error(`${pictures} looked at, ${changed} changed, ${failed} failed`);
  if (failed > 0) process.exitCode = 3;
}
