/** Items read while those before are worked on. */

/**
 * The items in their order, of which up to `most` are read before they are asked for.
 * @param items such as come soon: who stops early waits for the one that is being read
 * @throws what reading throws, in the place of the item
 */
export async function* readAhead<Item>(
  items: AsyncIterable<Item>,
  most: number,
): AsyncGenerator<Item, undefined> {
  const iterator = items[Symbol.asyncIterator]();
  const read: Item[] = [];
  let isEnd = false;
  let isStopped = false;
  let waiting: (() => void)[] = [];
  const change = (): Promise<void> => new Promise((resolve) => waiting.push(resolve));
  const tell = (): void => {
    const told = waiting;
    waiting = [];
    for (const wake of told) wake();
  };
  const fill = async (): Promise<void> => {
    try {
      for (;;) {
        while (read.length >= most && !isStopped) await change();
        if (isStopped) return;
        const { value, done } = await iterator.next();
        if (done === true) return;
        read.push(value);
        tell();
      }
    } finally {
      isEnd = true;
      tell();
    }
  };
  const filling = fill();
  // Told when its turn comes.
  filling.catch(() => undefined);
  try {
    for (;;) {
      while (read.length === 0 && !isEnd) await change();
      const [item] = read;
      if (read.length === 0) break;
      read.shift();
      tell();
      yield item;
    }
    await filling;
  } finally {
    isStopped = true;
    tell();
    await filling.catch(() => undefined);
    await iterator.return?.(undefined);
  }
  return undefined;
}
