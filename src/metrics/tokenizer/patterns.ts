/** Regular expressions parsed into a nondeterministic automaton over classes of UTF-16 code units. */

/** Pairs of first and last code unit, in ascending order. */
export type Ranges = readonly number[];

/** Sets that patterns name as `\p{Name}`. */
export type NamedSets = Readonly<Record<string, Ranges>>;

/** A state reads a set of code units and goes to `next`, or goes to all of `free` without reading. */
export interface State {
  set: number;
  next: number;
  free: number[];
  /** The rule that is matched here, or -1. */
  rule: number;
}

const lastUnit = 0xffff;

/**
 * Builds an automaton from patterns in a part of JavaScript's syntax: literals, `.` for any unit,
 * classes, groups, `|`, `*`, `+`, `?`, `{m}`, `{m,n}`, `\uXXXX`, `\xXX`, `\n`, `\r`, `\t`, `\f`,
 * `\p{Name}`. Literals match either case, classes only what they list.
 */
export class PatternCompiler {
  readonly states: State[] = [];
  /** The sets that states read, one for each way to write one. */
  readonly sets: Ranges[] = [];
  readonly #numbers = new Map<string, number>();
  readonly #named: NamedSets;
  #text = '';
  #at = 0;

  constructor(named: NamedSets) {
    this.#named = named;
  }

  /** Adds a pattern; returns its first state and the one it ends in. */
  add(pattern: string): { start: number; end: number } {
    this.#text = pattern;
    this.#at = 0;
    const part = this.#alternatives();
    if (this.#at < pattern.length) throw this.#error('unmatched )');
    return part;
  }

  /** Lets `from` lead to `to` without reading. */
  connect(from: number, to: number): void {
    this.states[from].free.push(to);
  }

  state(): number {
    return this.states.push({ set: -1, next: -1, free: [], rule: -1 }) - 1;
  }

  #alternatives(): { start: number; end: number } {
    const start = this.state();
    const end = this.state();
    for (;;) {
      const part = this.#sequence();
      this.connect(start, part.start);
      this.connect(part.end, end);
      if (this.#text[this.#at] !== '|') return { start, end };
      this.#at++;
    }
  }

  #sequence(): { start: number; end: number } {
    const start = this.state();
    let end = start;
    while (this.#at < this.#text.length && !'|)'.includes(this.#text[this.#at])) {
      const part = this.#repeated();
      this.connect(end, part.start);
      end = part.end;
    }
    return { start, end };
  }

  #repeated(): { start: number; end: number } {
    const from = this.#at;
    let part = this.#atom();
    const count = /[*+?]|\{(\d+)(?:,(\d+))?\}/y;
    count.lastIndex = this.#at;
    const match = count.exec(this.#text);
    if (!match) return part;
    const after = count.lastIndex;
    if (match[1] === undefined) {
      if (match[0] !== '+') this.connect(part.start, part.end);
      if (match[0] !== '?') this.connect(part.end, part.start);
    } else {
      const least = Number(match[1]);
      const most = Number(match[2] ?? match[1]);
      const start = part.start;
      const end = this.state();
      if (least === 0) this.connect(start, end);
      for (let times = 1; ; times++) {
        if (times >= least) this.connect(part.end, end);
        if (times === most) break;
        this.#at = from;
        const again = this.#atom();
        this.connect(part.end, again.start);
        part = again;
      }
      part = { start, end };
    }
    this.#at = after;
    return part;
  }

  #atom(): { start: number; end: number } {
    const character = this.#text[this.#at];
    if (character === '(') {
      this.#at++;
      const part = this.#alternatives();
      if (this.#text[this.#at++] !== ')') throw this.#error('missing )');
      return part;
    }
    const unit = /\[(?:\\.|[^\]\\])*\]|\\(?:p\{\w+\}|u....|x..|.)|./sy;
    unit.lastIndex = this.#at;
    const [source = ''] = unit.exec(this.#text) ?? [];
    let set = this.#numbers.get(source);
    if (set === undefined) {
      set = this.sets.push(this.#set()) - 1;
      this.#numbers.set(source, set);
    }
    this.#at = unit.lastIndex;
    const start = this.state();
    const end = this.state();
    this.states[start].set = set;
    this.states[start].next = end;
    return { start, end };
  }

  /** The set that one unit of the pattern reads. */
  #set(): Ranges {
    const character = this.#text[this.#at];
    if (character === '[') return this.#class();
    this.#at++;
    if (character === '.') return [0, lastUnit];
    if (character !== '\\') return bothCases(character.charCodeAt(0));
    return this.#text[this.#at] === 'p' ? this.#namedSet() : bothCases(this.#escape());
  }

  #class(): Ranges {
    const negated = this.#text[++this.#at] === '^';
    if (negated) this.#at++;
    const pairs: [number, number][] = [];
    while (this.#text[this.#at] !== ']') {
      if (this.#at >= this.#text.length) throw this.#error('missing ]');
      if (this.#text.startsWith('\\p', this.#at)) {
        this.#at++;
        const set = this.#namedSet();
        for (let index = 0; index < set.length; index += 2)
          pairs.push([set[index], set[index + 1]]);
        continue;
      }
      const first = this.#unit();
      let last = first;
      if (this.#text[this.#at] === '-' && this.#text[this.#at + 1] !== ']') {
        this.#at++;
        last = this.#unit();
      }
      if (last < first) throw this.#error('range out of order');
      pairs.push([first, last]);
    }
    this.#at++;
    const ranges = united(pairs);
    return negated ? complement(ranges) : ranges;
  }

  #unit(): number {
    const character = this.#text[this.#at++];
    return character === '\\' ? this.#escape() : character.charCodeAt(0);
  }

  /** Reads an escape whose backslash is read. */
  #escape(): number {
    const kind = this.#text[this.#at++];
    const digits = kind === 'u' ? 4 : kind === 'x' ? 2 : 0;
    if (digits > 0) {
      this.#at += digits;
      return Number.parseInt(this.#text.slice(this.#at - digits, this.#at), 16);
    }
    const control = 'tnvfr'.indexOf(kind);
    return control < 0 ? kind.charCodeAt(0) : control + 9;
  }

  #namedSet(): Ranges {
    const end = this.#text.indexOf('}', this.#at);
    const name = this.#text.slice(this.#at + 2, end);
    this.#at = end + 1;
    if (!(name in this.#named)) throw this.#error(`no set ${name}`);
    return this.#named[name];
  }

  #error(message: string): SyntaxError {
    return new SyntaxError(`${message} at ${this.#at} of /${this.#text}/`);
  }
}

/** A letter in both cases, with the signs that Unicode folds to it: the Kelvin sign is a K. */
function bothCases(unit: number): Ranges {
  const character = String.fromCharCode(unit);
  const forms = new Set([unit]);
  for (const form of [character.toLowerCase(), character.toUpperCase()])
    forms.add(form.charCodeAt(0));
  if (character === 'k' || character === 'K') forms.add(0x212a);
  if (character === 's' || character === 'S') forms.add(0x17f);
  if (character === 'i' || character === 'I') forms.add(0x130).add(0x131);
  return united([...forms].map((form) => [form, form]));
}

function united(pairs: [number, number][]): Ranges {
  pairs.sort((a, b) => a[0] - b[0]);
  const ranges: number[] = [];
  for (const [first, last] of pairs) {
    const end = ranges.length - 1;
    if (end > 0 && first <= ranges[end] + 1) ranges[end] = Math.max(ranges[end], last);
    else ranges.push(first, last);
  }
  return ranges;
}

function complement(ranges: Ranges): Ranges {
  const result: number[] = [];
  let next = 0;
  for (let index = 0; index < ranges.length; index += 2) {
    if (ranges[index] > next) result.push(next, ranges[index] - 1);
    next = ranges[index + 1] + 1;
  }
  if (next <= lastUnit) result.push(next, lastUnit);
  return result;
}

/** Code units sorted into classes whose members the sets do not tell apart. */
export interface UnitClasses {
  /** By code unit: its class. */
  classOf: Uint8Array;
  count: number;
  /** By set: for each class, whether the set holds it. */
  holds: boolean[][];
}

/** @throws {RangeError} if the sets need more than 256 classes. */
export function classify(sets: readonly Ranges[]): UnitClasses {
  const borders = new Uint8Array(lastUnit + 2);
  borders[0] = 1;
  for (const ranges of sets) {
    for (let index = 0; index < ranges.length; index += 2) {
      borders[ranges[index]] = 1;
      borders[ranges[index + 1] + 1] = 1;
    }
  }
  const starts: number[] = [];
  for (let unit = 0; unit <= lastUnit; unit++) if (borders[unit]) starts.push(unit);
  const { classOfInterval, count } = classifyIntervals(starts, sets);
  if (count > 256) throw new RangeError(`${count} classes of characters; at most 256`);

  const classOf = new Uint8Array(lastUnit + 1);
  for (const [interval, number] of classOfInterval.entries()) {
    classOf.fill(number, starts[interval], starts[interval + 1] ?? lastUnit + 1);
  }
  const holds = sets.map((ranges) => {
    const held = new Array<boolean>(count).fill(false);
    forEachInterval(starts, ranges, (interval) => {
      held[classOfInterval[interval]] = true;
    });
    return held;
  });
  return { classOf, count, holds };
}

/** Starts from one class of intervals and splits it by each set in turn. */
function classifyIntervals(
  starts: readonly number[],
  sets: readonly Ranges[],
): { classOfInterval: Int32Array; count: number } {
  const classOfInterval = new Int32Array(starts.length);
  let used = 1;
  for (const ranges of sets) {
    const inside = new Map<number, number>();
    forEachInterval(starts, ranges, (interval) => {
      const before = classOfInterval[interval];
      let now = inside.get(before);
      if (now === undefined) {
        now = used++;
        inside.set(before, now);
      }
      classOfInterval[interval] = now;
    });
  }
  const numbers = new Map<number, number>();
  for (const [interval, number] of classOfInterval.entries()) {
    if (!numbers.has(number)) numbers.set(number, numbers.size);
    classOfInterval[interval] = numbers.get(number) ?? 0;
  }
  return { classOfInterval, count: numbers.size };
}

/** Calls `found` with the number of each interval that lies in the ranges. */
function forEachInterval(
  starts: readonly number[],
  ranges: Ranges,
  found: (interval: number) => void,
): void {
  let interval = 0;
  for (let index = 0; index < ranges.length; index += 2) {
    interval = firstFrom(starts, ranges[index], interval);
    while (interval < starts.length && starts[interval] <= ranges[index + 1]) found(interval++);
  }
}

/** The first index from `low` on whose element, of ascending ones, is at least `value`. */
function firstFrom(ascending: readonly number[], value: number, low: number): number {
  let high = ascending.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ascending[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
