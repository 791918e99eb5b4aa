/** Starts the child process of a measurement, so that memory and warmth are of this model alone. */
import { spawn } from 'node:child_process';
import { buffer } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { InputError } from '../../base/errors.ts';
import { type Measurement, type MeasureTask, measurementSchema } from './schema.ts';

/** A child runs built files; when this file runs as TypeScript, those of dist/. */
function childPath(): string {
  const here = import.meta.url;
  return fileURLToPath(
    here.endsWith('.ts')
      ? new URL('../../../dist/ablate/speed/child.js', here)
      : new URL('./child.js', here),
  );
}

/** @throws InputError with what the child said; the signal's reason when aborted */
export async function measureInChild(
  task: MeasureTask,
  signal?: AbortSignal,
): Promise<Measurement> {
  const child = spawn(process.execPath, [childPath()], {
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(signal && { signal }),
  });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  // A child that is gone does not read its task: its end says why.
  child.stdin.once('error', () => undefined).end(JSON.stringify(task));
  const [out, errors, code] = await Promise.all([
    buffer(child.stdout),
    buffer(child.stderr),
    ended,
  ]).catch((error: unknown) => {
    signal?.throwIfAborted();
    throw error;
  });
  signal?.throwIfAborted();
  if (code !== 0)
    throw new InputError(errors.toString().trim() || `a measurement ended with code ${code}.`);
  return measurementSchema.parse(JSON.parse(out.toString()));
}
