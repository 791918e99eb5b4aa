/**
 * Settings of a process that is refcap's own, made before anything else, and a way to its end: the first import of the
 * file that it runs.
 */
import './quiet.ts';
import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// Node waits at its end for V8's compiler threads, and one of them may be waiting for memory that only the thread that
// Node ends in can collect: of short runs up to one in ten never ended (nodejs/node#54918). Worker threads, which begin
// after this line, optimise their functions themselves.
setFlagsFromString('--no-concurrent-recompilation');

/** What the compiler's arenas take while nothing is compiled, in bytes; a function at hand takes 40,000 and more. */
const idleArenas = getHeapStatistics().malloced_memory + 16_384;

let isSettled = false;

/**
 * Makes sure that this process can end: nothing more is optimised, and after a garbage collection there is memory for
 * what the compiler threads still have at hand. The collection takes a tenth of a short run, so it is left out where
 * they have nothing. To be called when the work is done; an exit calls it too.
 */
export function settle(): void {
  if (isSettled) return;
  isSettled = true;
  setFlagsFromString('--no-opt');
  if (getHeapStatistics().malloced_memory <= idleArenas) return;
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

process.prependOnceListener('exit', settle);
