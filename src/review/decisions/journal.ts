/** A reviewer's journal: a file beside the drafts to which each decision is added as it is made. */
import { type FileHandle, open } from 'node:fs/promises';
import { basename, resolve } from 'node:path';
import * as z from 'zod';
import { InputError, UsageError } from '../../base/errors.ts';
import { describeWriteError, readTextIfThere } from '../../base/files.ts';
import { lockFile } from '../../base/lock.ts';
import { decisionFields, type ReviewDecision } from './decision.ts';
import { DecisionHistory } from './history.ts';

const headSchema = z.object({ review: z.literal(1), of: z.string(), by: z.string().min(1) });
const { by: _, ...lineFields } = decisionFields;
const lineSchema = z.union([
  z.object({ file: z.string(), ...lineFields }),
  z.object({ undo: z.literal(true), when: z.string() }),
]);

/** A journal that was read. */
export interface ReadJournal {
  readonly path: string;
  readonly by: string;
  readonly history: DecisionHistory;
  /** Bytes of its whole lines: what a kill left behind them is nothing. */
  readonly end: number;
}

/**
 * Where a reviewer's journal is: beside the file or folder of the drafts.
 * @throws UsageError where the name cannot be a part of a file's
 */
export function journalPath(source: string, by: string): string {
  if (!/^[\p{L}\p{N}][\p{L}\p{N}._-]{0,60}$/u.test(by))
    throw new UsageError(
      `--reviewer ${JSON.stringify(by)}: a name of letters, digits, dots and hyphens is needed; it is in the journal's name.`,
    );
  return `${resolve(source)}.review-${by}.jsonl`;
}

/** @throws InputError naming the line that is no decision. A last line that is not whole is passed over. */
export async function readJournal(path: string): Promise<ReadJournal | undefined> {
  const text = await readTextIfThere(path);
  if (text === undefined) return undefined;
  const whole = text.slice(0, text.lastIndexOf('\n') + 1);
  const [first, ...lines] = whole.split('\n').slice(0, -1);
  // Killed before its first line was written.
  if (first === undefined) return undefined;
  const head = parsed(headSchema, first, path, 1);
  const history = new DecisionHistory();
  for (const [i, line] of lines.entries()) {
    const entry = parsed(lineSchema, line, path, i + 2);
    if ('undo' in entry) history.undo();
    else history.add({ ...entry, by: head.by });
  }
  return { path, by: head.by, history, end: Buffer.byteLength(whole) };
}

function parsed<Schema extends z.ZodType>(
  schema: Schema,
  line: string,
  path: string,
  number: number,
): z.infer<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch {
    json = undefined;
  }
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new InputError(
    `${path}: line ${number} is nothing that refcap review writes; mend it, or move the file away.`,
  );
}

/** A journal that is written. Each entry is on the disk before its promise is resolved. */
export class Journal implements AsyncDisposable {
  readonly history: DecisionHistory;
  readonly #path: string;
  readonly #by: string;
  readonly #file: FileHandle;
  readonly #lock: AsyncDisposable;
  #end: number;
  /** Entries follow each other. */
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    { path, by, history, end }: ReadJournal,
    file: FileHandle,
    lock: AsyncDisposable,
  ) {
    this.history = history;
    this.#path = path;
    this.#by = by;
    this.#file = file;
    this.#lock = lock;
    this.#end = end;
  }

  /**
   * Opens a reviewer's journal, or makes it.
   * @throws InputError when it is another's or no journal, is in use, or cannot be written
   */
  static async open(source: string, by: string): Promise<Journal> {
    const path = journalPath(source, by);
    const lock = await lockFile(`${path}.lock`, path, 'give another --reviewer');
    let file: FileHandle | undefined;
    try {
      const found = await readJournal(path);
      if (found && found.by !== by)
        throw new InputError(`${path}: this is the journal of ${found.by}; give --reviewer.`);
      file = await open(path, found ? 'r+' : 'w').catch((error: unknown) => {
        throw describeWriteError(path, error);
      });
      const read = found ?? { path, by, history: new DecisionHistory(), end: 0 };
      const journal = new Journal(read, file, lock);
      await file.truncate(read.end);
      if (!found) await journal.#append({ review: 1, of: basename(resolve(source)), by });
      return journal;
    } catch (error) {
      await file?.close();
      await lock[Symbol.asyncDispose]();
      throw error;
    }
  }

  get path(): string {
    return this.#path;
  }

  async decide(decision: Omit<ReviewDecision, 'by'>): Promise<ReviewDecision> {
    await this.#append(decision);
    const made = { ...decision, by: this.#by };
    this.history.add(made);
    return made;
  }

  /** Takes back the newest decision. @returns it, or undefined where there is none */
  async undo(when: string): Promise<ReviewDecision | undefined> {
    if (this.history.all.length === 0) return undefined;
    await this.#append({ undo: true, when });
    return this.history.undo();
  }

  #append(entry: object): Promise<void> {
    const bytes = Buffer.from(`${JSON.stringify(entry)}\n`);
    const work = this.#writing.then(() => this.#write(bytes));
    this.#writing = work.catch(() => undefined);
    return work;
  }

  async #write(bytes: Buffer): Promise<void> {
    try {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, at, undefined, this.#end + at);
        at += bytesWritten;
      }
      await this.#file.datasync();
    } catch (error) {
      // Half a line would be taken for the beginning of the next.
      await this.#file.truncate(this.#end).catch(() => undefined);
      throw describeWriteError(this.#path, error);
    }
    this.#end += bytes.length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writing;
    await this.#file.close();
    await this.#lock[Symbol.asyncDispose]();
  }
}
