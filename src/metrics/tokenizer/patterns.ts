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
    // Most units are not repeated: one look is quicker than an expression.
    if (!'*+?{'.includes(this.#text[this.#at] ?? ' ')) return part;
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
    const from = this.#at;
    const source = this.#unitSource();
    let set = this.#numbers.get(source);
    if (set === undefined) {
      set = this.sets.push(this.#set()) - 1;
      this.#numbers.set(source, set);
    }
    this.#at = from + source.length;
    const start = this.state();
    const end = this.state();
    this.states[start].set = set;
    this.states[start].next = end;
    return { start, end };
  }

  /** The part of the pattern that reads the next unit: a class, an escape or a character. */
  #unitSource(): string {
    const character = this.#text.charAt(this.#at);
    if (character !== '[' && character !== '\\') return character;
    const unit = /\[(?:\\.|[^\]\\])*\]|\\(?:p\{\w+\}|u....|x..|.)|./sy;
    unit.lastIndex = this.#at;
    return unit.exec(this.#text)?.[0] ?? '';
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
  /** By class: a bit for each set that holds it, as `hasBit` reads them. */
  holders: Int32Array[];
}

/** Whether the bit is set, of bits in words of 32. */
export function hasBit(words: Int32Array, bit: number): boolean {
  return (words[bit >> 5] & (1 << (bit & 31))) !== 0;
}

/** @throws {RangeError} if the sets need more than 256 classes. */
export function classify(sets: readonly Ranges[]): UnitClasses {
  const classOf = new Uint8Array(lastUnit + 1);
  const numbers = new Map<string, number>();
  const holders: Int32Array[] = [];
  // The sets that hold the present unit: units of the same sets are of one class.
  const words = new Int32Array(Math.ceil(sets.length / 32));
  const borders = bordersOf(sets);
  const unitOf = (border: number): number =>
    border < borders.length ? Math.floor(borders[border] / sets.length) : lastUnit + 1;
  let at = 0;
  for (let unit = 0; unit <= lastUnit; ) {
    for (; unitOf(at) === unit; at++) {
      const set = borders[at] % sets.length;
      words[set >> 5] ^= 1 << (set & 31);
    }
    const next = unitOf(at);
    const key = words.join();
    let number = numbers.get(key);
    if (number === undefined) {
      number = holders.push(words.slice()) - 1;
      numbers.set(key, number);
    }
    classOf.fill(number, unit, next);
    unit = next;
  }
  const count = holders.length;
  if (count > 256) throw new RangeError(`${count} classes of characters; at most 256`);
  return { classOf, count, holders };
}

/** Where sets begin and end to hold units, ascending: the unit times the number of sets, plus the set. */
function bordersOf(sets: readonly Ranges[]): Float64Array {
  const borders: number[] = [];
  for (const [set, ranges] of sets.entries()) {
    for (let index = 0; index < ranges.length; index += 2) {
      borders.push(ranges[index] * sets.length + set);
      borders.push((ranges[index + 1] + 1) * sets.length + set);
    }
  }
  return Float64Array.from(borders).sort();
}
