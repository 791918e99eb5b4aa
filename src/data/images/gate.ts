/**
 * Lets decoders run side by side, or one alone. libvips keeps one text of errors for all threads: of
 * failures at the same time each may get the other's reason, or none.
 */

const together = new Set<Promise<unknown>>();
let alone: Promise<unknown> | undefined;

/** Runs `job` beside others, once nobody wants to be alone. */
export async function runTogether<T>(job: () => Promise<T>): Promise<T> {
  while (alone !== undefined) await alone;
  const running = job();
  together.add(running);
  try {
    return await running;
  } finally {
    together.delete(running);
  }
}

/** Runs `job` while no other runs. */
export async function runAlone<T>(job: () => Promise<T>): Promise<T> {
  const before = alone;
  const running = (async () => {
    await before;
    await Promise.allSettled(together);
    return job();
  })();
  const ended: Promise<unknown> = running.then(
    () => undefined,
    () => undefined,
  );
  alone = ended;
  try {
    return await running;
  } finally {
    if (alone === ended) alone = undefined;
  }
}
