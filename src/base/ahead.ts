/** Items read while those before are worked on. */

/**
 * The items in their order, of which up to `most` are read before they are asked for.
 * @param items such as come soon: who stops early waits for those that are being read
 * @throws what reading throws, in the place of the item
 */
export async function* readAhead<Item>(
  items: AsyncGenerator<Item>,
  most: number,
): AsyncGenerator<Item, undefined> {
  // A generator answers in the order in which it was asked.
  const asked: Promise<IteratorResult<Item>>[] = [];
  const ask = (): void => {
    const next = items.next();
    // Told when its turn comes.
    next.catch(() => undefined);
    asked.push(next);
  };
  try {
    for (let i = 0; i < most; i++) ask();
    for (let next = asked.shift(); next; next = asked.shift()) {
      const { value, done } = await next;
      if (done === true) break;
      ask();
      yield value;
    }
  } finally {
    await Promise.allSettled(asked);
    await items.return(undefined);
  }
  return undefined;
}
