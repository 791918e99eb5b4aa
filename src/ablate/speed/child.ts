/** The child process of a measurement: a task as JSON on the standard input, the answer on the output. */

import '../../base/process-settings.ts';
import { text } from 'node:stream/consumers';
import { InputError } from '../../base/errors.ts';
import { settle } from '../../base/process-settings.ts';
import { taskSchema } from './schema.ts';
import { measure } from './task.ts';

try {
  const task = taskSchema.parse(JSON.parse(await text(process.stdin)));
  process.stdout.write(`${JSON.stringify(await measure(task))}\n`);
} catch (error) {
  process.stderr.write(error instanceof InputError ? error.message : String(error));
  process.exitCode = 1;
} finally {
  settle();
}
