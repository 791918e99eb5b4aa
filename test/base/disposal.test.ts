import { expect, it } from 'vitest';
import { Opened } from '../../src/base/disposal.ts';

const logged = (name: string, log: string[]): Disposable => ({
  [Symbol.dispose]: () => log.push(name),
});

it('disposes of what was opened, the last first, when a later one fails', () => {
  const log: string[] = [];
  expect(() => {
    using opened = new Opened();
    opened.use(logged('a', log));
    opened.use(logged('b', log));
    throw new Error('the third');
  }).toThrow('the third');
  expect(log).toEqual(['b', 'a']);
});

it('leaves to its owner what is kept, and gives back what it takes', () => {
  const log: string[] = [];
  const kept = logged('a', log);
  {
    using opened = new Opened();
    expect(opened.use(kept)).toBe(kept);
    opened.keep();
    opened.use(logged('b', log));
  }
  expect(log).toEqual(['b']);
});
