/** What a cell shows, as kernels and terminals ask for it. */
import { inspect } from 'node:util';
import { expect, it } from 'vitest';
import { Shown } from '../../src/notebook/shown.ts';

it('is HTML for a kernel, and plain text for it, a terminal and a string', () => {
  const shown = new Shown('<b>two</b>', 'two');
  const ask: unknown = Reflect.get(shown, Symbol.for('Jupyter.display'));
  const bundle: unknown = typeof ask === 'function' ? ask.call(shown) : undefined;
  expect(bundle).toEqual({ 'text/html': '<b>two</b>', 'text/plain': 'two' });
  expect(inspect(shown)).toBe('two');
  expect(`${shown}`).toBe('two');
});
