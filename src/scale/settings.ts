/** What decides the captions of an output, agreed on by all that write to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { InputError } from '../base/errors.ts';
import { parseJson } from '../base/json.ts';
import { isObject } from '../data/captions/records.ts';
import type { ObjectStore } from './output/output.ts';

/** Everything on which an output's bytes depend beside the shards. Values are JSON's. */
export interface OutputSettings {
  readonly refcap: string;
  /** SHA-256 of all weights that write. */
  readonly model: string;
  /** As the captioner and the command name them; what is not given is absent. */
  readonly options: Readonly<Record<string, unknown>>;
}

const object = '_SETTINGS.json';

/**
 * Writes the settings where none are, or compares them with those that are there: of several tasks that begin at once,
 * one writes.
 * @throws InputError naming the first setting that differs
 */
export async function agreeOnSettings(store: ObjectStore, settings: OutputSettings): Promise<void> {
  const own: unknown = JSON.parse(JSON.stringify(settings));
  let text: string | undefined;
  // Of those who create it at once a store may refuse all but the one that is still at it.
  for (let tries = 0; text === undefined && tries < 10; tries++) {
    if (await store.create(object, `${JSON.stringify(settings, null, 2)}\n`)) return;
    text = await store.read(object);
    if (text === undefined) await sleep(200);
  }
  const there = parseJson(text ?? 'null', `${store.name}/${object}`);
  const difference = firstDifference(there, own);
  if (difference === undefined) return;
  const [path, before, now] = difference;
  throw new InputError(
    `${store.name}: its captions are made with other settings (${path}: ${show(before)}, now ${show(now)}); choose another output, or the same settings.`,
  );
}

/** The path of the first value that differs, with both. */
function firstDifference(
  a: unknown,
  b: unknown,
  path = '',
): [path: string, a: unknown, b: unknown] | undefined {
  if (isDeepStrictEqual(a, b)) return undefined;
  if (!isObject(a) || !isObject(b)) return [path || object, a, b];
  for (const key of new Set([...Object.keys(b), ...Object.keys(a)])) {
    const found = firstDifference(a[key], b[key], path === '' ? key : `${path}.${key}`);
    if (found) return found;
  }
  return undefined;
}

function show(value: unknown): string {
  if (value === undefined) return 'none';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > 20 ? `${text.slice(0, 12)}...` : text;
}
