/**
 * A restricted reader of Python's pickles, protocols 0 to 5: it builds plain containers and what its
 * caller's short list of globals makes, and refuses every other global by name. Nothing is ever run.
 * Opcodes: Lib/pickletools.py of CPython.
 */
import { InputError } from '../../base/errors.ts';
import type { RandomAccess } from '../bytes.ts';

/** A pickle is broken, too large or asks for more than weights need: the message names file and reason. */
export class PickleError extends InputError {
  override readonly name = 'PickleError';
  readonly path: string;
  readonly reason: string;
  constructor(path: string, reason: string) {
    super(`${path} cannot be read as PyTorch weights: ${reason}.`);
    this.path = path;
    this.reason = reason;
  }
}

/** A Python tuple; lists are arrays, dicts are maps, sets are sets, bytes are Uint8Arrays. */
export class PickleTuple {
  readonly items: readonly unknown[];
  constructor(items: readonly unknown[]) {
    this.items = items;
  }
}

/**
 * A global from the list of those allowed; `call` is what calling it means, if anything. Before it
 * takes memory that its arguments alone decide, it must say so through `charge`.
 */
export interface PickleGlobal {
  readonly global: string;
  readonly call?: (args: readonly unknown[], charge: (bytes: number) => void) => unknown;
}

export interface PickleContext {
  /** The global `module.name` if it is allowed. */
  find(name: string): PickleGlobal | undefined;
  /** The object that a persistent id stands for. */
  persistent(id: unknown): unknown;
}

/** An estimate of what a pickle may make us hold; BLIP's take under one megabyte. */
const memoryBudget = 256 * 2 ** 20;
/** Bytes charged for a step (which bounds the time), a value, a container and a place in the memo. */
const cost = { opcode: 32, value: 16, container: 200, memo: 48 };
const longestInteger = 1024;
const windowBytes = 1 << 16;

const mark = Symbol('mark');
const latin1 = new TextDecoder('latin1');
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const empty = new PickleTuple([]);

/** Sequential reads over random access, a window at a time. */
export class ByteReader {
  position: number;
  readonly access: RandomAccess;
  private window = new Uint8Array(0);
  private windowStart = 0;

  constructor(access: RandomAccess, position = 0) {
    this.access = access;
    this.position = position;
  }

  error(reason: string): PickleError {
    return new PickleError(this.access.path, reason);
  }

  get remaining(): number {
    return this.access.size - this.position;
  }

  byte(): number {
    const at = this.position - this.windowStart;
    if (at >= 0 && at < this.window.length) {
      this.position++;
      return this.window[at];
    }
    return this.bytes(1)[0];
  }

  /** The next `count` bytes; valid until the next call. */
  bytes(count: number): Uint8Array {
    if (!(count >= 0 && count <= this.remaining))
      throw this.error(`it ends at byte ${this.access.size} where more should follow (truncated?)`);
    let at = this.position - this.windowStart;
    if (at < 0 || at + count > this.window.length) {
      this.window = new Uint8Array(Math.min(Math.max(count, windowBytes), this.remaining));
      this.access.readSync(this.position, this.window);
      this.windowStart = this.position;
      at = 0;
    }
    this.position += count;
    return this.window.subarray(at, at + count);
  }

  /** An unsigned little-endian integer of 1, 2, 4 or 8 bytes. */
  unsigned(size: 1 | 2 | 4 | 8): number {
    const bytes = this.bytes(size);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + bytes[i];
    if (!Number.isSafeInteger(value)) throw this.error(`a length of ${value} bytes is impossible`);
    return value;
  }

  /** A line of a text opcode, without its end. */
  line(): string {
    const codes: number[] = [];
    for (let byte = this.byte(); byte !== 0x0a; byte = this.byte()) {
      if (codes.length >= 4096) throw this.error('a line in it is longer than 4096 bytes');
      codes.push(byte);
    }
    return latin1.decode(Uint8Array.from(codes)).replace(/\r$/, '');
  }
}

/** Reads one pickle at the reader's position, which is left behind its STOP. */
export function readPickle(reader: ByteReader, context: PickleContext): unknown {
  return new Machine(reader, context).run();
}

/** Opcodes that push a constant or a fresh value. */
const pushes: Record<string, (m: Machine) => unknown> = {
  N: () => null,
  '\x88': () => true,
  '\x89': () => false,
  J: (m) => m.reader.unsigned(4) | 0,
  K: (m) => m.reader.unsigned(1),
  M: (m) => m.reader.unsigned(2),
  '\x8a': (m) => m.long(m.reader.unsigned(1)),
  '\x8b': (m) => m.long(m.reader.unsigned(4)),
  I: (m) => m.integerLine(),
  L: (m) => m.longLine(),
  F: (m) => m.floatLine(),
  G: (m) => {
    const bytes = m.reader.bytes(8);
    return new DataView(bytes.buffer, bytes.byteOffset, 8).getFloat64(0);
  },
  S: (m) => m.quotedLine(),
  U: (m) => m.text(m.reader.unsigned(1)),
  T: (m) => m.text(m.reader.unsigned(4)),
  V: (m) => m.unicodeLine(),
  '\x8c': (m) => m.text(m.reader.unsigned(1)),
  X: (m) => m.text(m.reader.unsigned(4)),
  '\x8d': (m) => m.text(m.reader.unsigned(8)),
  C: (m) => m.raw(m.reader.unsigned(1)),
  B: (m) => m.raw(m.reader.unsigned(4)),
  '\x8e': (m) => m.raw(m.reader.unsigned(8)),
  '\x96': (m) => m.raw(m.reader.unsigned(8)),
  ')': () => empty,
  ']': (m) => m.container([]),
  '}': (m) => m.container(new Map()),
  '\x8f': (m) => m.container(new Set()),
  l: (m) => m.container(m.popMark()),
  t: (m) => m.container(new PickleTuple(m.popMark())),
  d: (m) => m.setItems(m.container(new Map()), m.popMark()),
  '\x91': (m) => m.container(new Set(m.popMark().map((item) => m.hashable(item)))),
  '\x85': (m) => m.container(new PickleTuple([m.pop()])),
  '\x86': (m) => m.container(new PickleTuple(m.popMany(2))),
  '\x87': (m) => m.container(new PickleTuple(m.popMany(3))),
  c: (m) => {
    const module = m.reader.line();
    return m.global(module, m.reader.line());
  },
  '\x93': (m) => {
    const [module, name] = m.popMany(2);
    return m.global(module, name);
  },
  R: (m) => m.call(...m.popTwo()),
  '\x81': (m) => m.call(...m.popTwo()),
  P: (m) => m.context.persistent(m.reader.line()),
  Q: (m) => m.context.persistent(m.pop()),
  '2': (m) => m.top(),
  g: (m) => m.recall(Number(m.reader.line())),
  h: (m) => m.recall(m.reader.unsigned(1)),
  j: (m) => m.recall(m.reader.unsigned(4)),
};

/** Opcodes that change what is on the stack, or the memo. */
const changes: Record<string, (m: Machine) => void> = {
  '\x80': (m) => {
    const protocol = m.reader.unsigned(1);
    if (protocol > 5) throw m.reader.error(`its pickle protocol is ${protocol}; known are 0 to 5`);
  },
  '\x95': (m) => void m.reader.unsigned(8),
  '(': (m) => m.push(mark),
  '0': (m) => void m.popAny(),
  '1': (m) => void m.popMark(),
  a: (m) => {
    const item = m.pop();
    m.list().push(item);
  },
  e: (m) => {
    const items = m.popMark();
    const list = m.list();
    for (const item of items) list.push(item);
  },
  s: (m) => {
    const pair = m.popMany(2);
    m.setItems(m.top(), pair);
  },
  u: (m) => {
    const items = m.popMark();
    m.setItems(m.top(), items);
  },
  '\x90': (m) => {
    const items = m.popMark();
    const set = m.top();
    if (!(set instanceof Set)) throw m.reader.error('it adds items to what is no set');
    for (const item of items) set.add(m.hashable(item));
  },
  b: (m) => {
    // An OrderedDict's attributes, such as a state dict's `_metadata`, are no part of the weights.
    m.pop();
    if (!(m.top() instanceof Map)) throw m.reader.error('it sets attributes of what is no dict');
  },
  p: (m) => m.memoize(Number(m.reader.line())),
  q: (m) => m.memoize(m.reader.unsigned(1)),
  r: (m) => m.memoize(m.reader.unsigned(4)),
  '\x94': (m) => m.memoize(),
  i: (m) => {
    const module = m.reader.line();
    m.global(module, m.reader.line());
    throw m.reader.error('it makes an object by the INST opcode');
  },
};

const stop = '.'.charCodeAt(0);
const byCode = <T>(table: Record<string, T>): (T | undefined)[] =>
  Array.from({ length: 256 }, (_, code) => table[String.fromCharCode(code)]);
const pushTable = byCode(pushes);
const changeTable = byCode(changes);

class Machine {
  readonly reader: ByteReader;
  readonly context: PickleContext;
  private readonly stack: unknown[] = [];
  private readonly memo = new Map<number, unknown>();
  private budget = memoryBudget;

  constructor(reader: ByteReader, context: PickleContext) {
    this.reader = reader;
    this.context = context;
  }

  run(): unknown {
    for (;;) {
      const code = this.reader.byte();
      this.charge(cost.opcode);
      if (code === stop) break;
      const push = pushTable[code];
      const change = changeTable[code];
      if (push) this.push(push(this));
      else if (change) change(this);
      else throw this.reader.error(`opcode ${code} at byte ${this.reader.position - 1} is unknown`);
    }
    const result = this.pop();
    if (this.stack.length > 0) throw this.reader.error('its stack is not empty at the end');
    return result;
  }

  /** Counts memory before it is taken. */
  charge(bytes: number): void {
    this.budget -= bytes;
    if (this.budget < 0)
      throw this.reader.error(`its pickle would take more than ${memoryBudget / 2 ** 20} MiB`);
  }

  container<T>(value: T): T {
    this.charge(cost.container);
    return value;
  }

  push(value: unknown): void {
    this.charge(cost.value);
    this.stack.push(value);
  }

  popAny(): unknown {
    if (this.stack.length === 0)
      throw this.reader.error('its stack is empty where it should not be');
    return this.stack.pop();
  }

  pop(): unknown {
    const value = this.popAny();
    if (value === mark) throw this.reader.error('a mark is where a value should be');
    return value;
  }

  popMany(count: number): unknown[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  popTwo(): [unknown, unknown] {
    const second = this.pop();
    return [this.pop(), second];
  }

  popMark(): unknown[] {
    const at = this.stack.lastIndexOf(mark);
    if (at < 0) throw this.reader.error('a mark is missing');
    const items = this.stack.splice(at);
    items.shift();
    return items;
  }

  top(): unknown {
    const value = this.stack.at(-1);
    if (this.stack.length === 0 || value === mark)
      throw this.reader.error('its stack is empty where it should not be');
    return value;
  }

  list(): unknown[] {
    const list = this.top();
    if (!Array.isArray(list)) throw this.reader.error('it appends to what is no list');
    return list;
  }

  hashable(key: unknown): unknown {
    if (Array.isArray(key) || key instanceof Map || key instanceof Set)
      throw this.reader.error('a dict or set holds a container as its key');
    return key;
  }

  setItems(dict: unknown, items: readonly unknown[]): unknown {
    if (!(dict instanceof Map)) throw this.reader.error('it sets items of what is no dict');
    if (items.length % 2 !== 0) throw this.reader.error('a key has no value');
    this.charge(items.length * cost.value);
    for (let i = 0; i < items.length; i += 2) dict.set(this.hashable(items[i]), items[i + 1]);
    return dict;
  }

  memoize(index = this.memo.size): void {
    if (!Number.isInteger(index)) throw this.reader.error('a memo index is no integer');
    this.charge(cost.memo);
    this.memo.set(index, this.top());
  }

  recall(index: number): unknown {
    if (!this.memo.has(index)) throw this.reader.error(`it recalls ${index}, which it never kept`);
    return this.memo.get(index);
  }

  /** Refuses a global at once when it is named, whatever would be done with it. */
  global(module: unknown, name: unknown): PickleGlobal {
    if (typeof module !== 'string' || typeof name !== 'string')
      throw this.reader.error('a global is named by something other than strings');
    const full = `${module}.${name}`;
    const found = this.context.find(full);
    if (found) return found;
    const shown = JSON.stringify(full.slice(0, 100)).slice(1, -1);
    throw this.reader.error(
      `it asks for ${shown}, and only tensors and plain containers are allowed; ` +
        'get the model as safetensors, or save its state dict alone',
    );
  }

  call(callable: unknown, args: unknown): unknown {
    const global = callable as Partial<PickleGlobal> | null;
    if (typeof global !== 'object' || typeof global?.call !== 'function' || !global.global)
      throw this.reader.error('it calls what cannot be called');
    if (!(args instanceof PickleTuple)) throw this.reader.error('it calls without a tuple');
    return this.container(global.call(args.items, (bytes) => this.charge(bytes)));
  }

  text(length: number): string {
    this.charge(2 * length);
    const bytes = this.reader.bytes(length);
    try {
      return utf8.decode(bytes);
    } catch {
      // Python 2 wrote its byte strings with the same opcodes.
      return latin1.decode(bytes);
    }
  }

  raw(length: number): Uint8Array {
    this.charge(length);
    return this.reader.bytes(length).slice();
  }

  long(length: number): number | bigint {
    if (length > longestInteger) throw this.reader.error(`an integer has ${length} bytes`);
    const bytes = this.reader.bytes(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = value * 256n + BigInt(bytes[i]);
    return narrow(
      length > 0 && bytes[length - 1] > 127 ? value - (1n << BigInt(8 * length)) : value,
    );
  }

  integerLine(): number | bigint | boolean {
    const line = this.reader.line();
    if (line === '00' || line === '01') return line === '01';
    return this.decimal(line);
  }

  longLine(): number | bigint {
    return this.decimal(this.reader.line().replace(/L$/, ''));
  }

  private decimal(line: string): number | bigint {
    if (!/^[-+]?\d{1,2000}$/.test(line)) throw this.reader.error('an integer in it is not one');
    return narrow(BigInt(line.replace(/^\+/, '')));
  }

  floatLine(): number {
    const line = this.reader.line().trim();
    const special = /^([-+]?)(inf|nan)/i.exec(line);
    if (special?.[2].toLowerCase() === 'nan') return Number.NaN;
    if (special) return special[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
    const value = Number(line);
    if (line === '' || Number.isNaN(value)) throw this.reader.error('a float in it is not one');
    return value;
  }

  quotedLine(): string {
    const line = this.reader.line();
    if (!/^(['"]).*\1$/s.test(line) || line.length < 2)
      throw this.reader.error('a string in it lacks its quotes');
    this.charge(2 * line.length);
    const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
    return line
      .slice(1, -1)
      .replace(/\\(?:x([0-9a-fA-F]{2})|(.))/gs, (_, hex?: string, other?: string) =>
        hex ? String.fromCharCode(Number.parseInt(hex, 16)) : (escapes[other ?? ''] ?? other ?? ''),
      );
  }

  unicodeLine(): string {
    const line = this.reader.line();
    this.charge(2 * line.length);
    return line.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (all, four, eight) => {
      const code = Number.parseInt(four ?? eight, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : all;
    });
  }
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
