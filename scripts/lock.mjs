/** One process at a time: others wait for it. Set-up runs before src/ is built, and so has no lock of base/. */
import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from 'node:fs';

/** Milliseconds after which a lock is taken for left behind, whoever its process number belongs to by now. */
const longest = 30 * 60_000;

/**
 * Waits until nobody holds the lock, then holds it until the process ends or `release` is called. Two that find the lock of a
 * dead process at the very same moment may both take it.
 */
export function lock(path, onWaiting) {
  for (let waited = 0; ; waited++) {
    try {
      const file = openSync(path, 'wx');
      writeSync(file, String(process.pid));
      closeSync(file);
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (isLeftBehind(path)) rmSync(path, { force: true });
    else {
      if (waited === 0) onWaiting();
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100);
    }
  }
  const release = () => {
    process.off('exit', release);
    rmSync(path, { force: true });
  };
  process.on('exit', release);
  return release;
}

/** Whether the process that made the lock has ended without taking it away. */
function isLeftBehind(path) {
  try {
    const age = Date.now() - statSync(path).mtimeMs;
    if (age > longest) return true;
    const pid = Number(readFileSync(path, 'utf8'));
    // Its maker writes its number a moment after the file is there.
    if (pid === 0) return age > 1000;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    // Without a right to signal it, it is there all the same; a file that is gone is asked for again.
    return error.code === 'ESRCH';
  }
}
