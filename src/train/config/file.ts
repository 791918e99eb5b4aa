/** Settings from a file and from flags: reading, merging, comparing. */
import { type Document, LineCounter, parse, parseDocument } from 'yaml';
import { InputError, UsageError } from '../../base/errors.ts';
import { readTextIfThere } from '../../base/files.ts';

export type Settings = Readonly<Record<string, unknown>>;

/** Reads settings from a YAML file, of which JSON is a part. @throws InputError naming file and line */
export async function readConfigFile(path: string): Promise<Settings> {
  const text = await readTextIfThere(path);
  if (text === undefined) throw new InputError(`${path}: there is no such file.`);
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  const [error] = document.errors;
  if (error) {
    const { line, col } = lineCounter.linePos(error.pos[0]);
    throw new InputError(`${path}, line ${line}, column ${col}: ${error.message}.`);
  }
  const value = settingsOf(document, path);
  if (!isSettings(value))
    throw new InputError(`${path}: the settings must be names with values, such as 'epochs: 8'.`);
  return value;
}

/** @throws InputError when an alias has no anchor, which YAML finds out only now */
function settingsOf(document: Document, path: string): unknown {
  try {
    return document.toJS() ?? {};
  } catch (error) {
    throw new InputError(`${path}: ${error instanceof Error ? error.message : String(error)}.`);
  }
}

/** `over` laid over `under`: groups are merged, values and lists replaced. */
export function mergeSettings(under: Settings, over: Settings): Settings {
  const merged: Record<string, unknown> = { ...under };
  for (const [name, value] of Object.entries(over)) {
    const below = merged[name];
    merged[name] = isSettings(below) && isSettings(value) ? mergeSettings(below, value) : value;
  }
  return merged;
}

/**
 * The settings with one more, written `refinement.layers=2`; the value is read as YAML.
 * @throws UsageError for a text without a name or an equals sign
 */
export function applySetting(settings: Settings, text: string): Settings {
  const at = text.indexOf('=');
  const path = text.slice(0, Math.max(0, at)).split('.');
  if (at < 0 || path.some((part) => part === ''))
    throw new UsageError(`--set ${text}: write NAME=VALUE, such as refinement.layers=2`);
  let value: unknown;
  try {
    value = parse(text.slice(at + 1));
  } catch {
    throw new UsageError(`--set ${text}: the value is not valid YAML`);
  }
  const nested = path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value);
  return isSettings(nested) ? mergeSettings(settings, nested) : settings;
}

export interface SettingDifference {
  readonly path: string;
  readonly before: unknown;
  readonly after: unknown;
}

/** What differs between two trees of plain values, by path; absent values are undefined. */
export function differences(before: unknown, after: unknown, path = ''): SettingDifference[] {
  if (isSettings(before) && isSettings(after)) {
    const names = [...new Set([...Object.keys(before), ...Object.keys(after)])];
    return names.flatMap((name) =>
      differences(before[name], after[name], path === '' ? name : `${path}.${name}`),
    );
  }
  return JSON.stringify(before) === JSON.stringify(after) ? [] : [{ path, before, after }];
}

/** A difference as a sentence tells it. */
export function describeDifference({ path, before, after }: SettingDifference): string {
  const show = (value: unknown) => (value === undefined ? 'nothing' : JSON.stringify(value));
  return `${path}: ${show(before)} before, ${show(after)} now`;
}

function isSettings(value: unknown): value is Settings {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
