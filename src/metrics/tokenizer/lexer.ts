/** A longest-match scanner: one automaton for all rules, made deterministic state by state as text needs it. */
import { enlarged } from '../words/ngrams.ts';
import { classify, hasBit, type NamedSets, PatternCompiler, type State } from './patterns.ts';

const unknown = -1;
const dead = 0;
const initial = 1;
/** How often a scan that goes beyond its match leaves a mark, in code units. */
const markEvery = 64;
const mostStates = 2 ** 16;
const noRule = Number.POSITIVE_INFINITY;

/** A regular expression of `PatternCompiler`, and one that must follow its match, for whose length it counts. */
export interface LexerPattern {
  pattern: string;
  before?: string;
}

interface Closure {
  readers: number[];
  rule: number;
}

/**
 * Finds at a position of a text the longest match of several patterns, of equally long ones that
 * of the first pattern, as generated scanners (lex, JFlex) do. The deterministic states are made
 * when they are first needed, from the sets of nondeterministic ones that they stand for.
 */
export class Lexer {
  /** What the last `scan()` found: the pattern's number, or -1, and where its match ends. */
  rule = -1;
  end = 0;
  /** Whether the last `scan()` was stopped by the text's end alone. */
  reachedEnd = false;
  readonly #classOf: Uint8Array;
  readonly #classCount: number;
  /** For each deterministic state: the next one by class of unit, and the pattern that ends there or -1. */
  #table: Int32Array;
  #accepts = new Int32Array(64);
  /** For each deterministic state: the nondeterministic ones among its own that read. */
  readonly #readers: Int32Array[] = [];
  /** The deterministic states by the sum of their readers' hashes. */
  readonly #bySum = new Map<number, number[]>();

  /** The nondeterministic states, what each reads and where it goes then, and which sets hold a class. */
  readonly #automaton: readonly State[];
  readonly #sets: Int32Array;
  readonly #nexts: Int32Array;
  readonly #holders: readonly Int32Array[];
  readonly #closures: Closure[] = [];
  /** Room to merge closures in, and which of them last had a reader. */
  readonly #merged: Int32Array;
  readonly #stamps: Int32Array;
  #stamp = 0;

  /** Marks (position and state) behind which `#text` holds no further match, and those of the present scan. */
  readonly #fruitless = new Set<number>();
  readonly #trail: number[] = [];
  #text = '';

  constructor(patterns: readonly LexerPattern[], named: NamedSets = {}) {
    const compiler = new PatternCompiler(named);
    const start = compiler.state();
    const parts = new Map<string, { start: number; end: number }>();
    for (const [rule, { pattern, before }] of patterns.entries()) {
      let part = parts.get(pattern);
      if (!part) {
        part = compiler.add(pattern);
        compiler.connect(start, part.start);
        parts.set(pattern, part);
      }
      let { end } = part;
      if (before !== undefined) {
        const context = compiler.add(before);
        compiler.connect(end, context.start);
        end = context.end;
      }
      // A pattern given twice ends where the first one does.
      if (compiler.states[end].rule < 0) compiler.states[end].rule = rule;
    }
    const { classOf, count, holders } = classify(compiler.sets);
    this.#classOf = classOf;
    this.#classCount = count;
    this.#holders = holders;
    this.#automaton = compiler.states;
    this.#sets = Int32Array.from(compiler.states, ({ set }) => set);
    this.#nexts = Int32Array.from(compiler.states, ({ next }) => next);
    this.#merged = new Int32Array(compiler.states.length);
    this.#stamps = new Int32Array(compiler.states.length);
    this.#table = new Int32Array(this.#accepts.length * count);
    this.#number([]);
    this.#number([start]);
  }

  /** Sets `rule` and `end` for the longest match that starts at `start`; says whether there is one. */
  scan(text: string, start: number): boolean {
    const classOf = this.#classOf;
    const count = this.#classCount;
    let accepts = this.#accepts;
    let table = this.#table;
    let state = initial;
    let rule = -1;
    let end = start;
    let index = start;
    for (; index < text.length; index++) {
      const unitClass = classOf[text.charCodeAt(index)];
      let next = table[state * count + unitClass];
      if (next === unknown) {
        next = this.#step(state, unitClass);
        table = this.#table;
        accepts = this.#accepts;
      }
      if (next === dead) break;
      state = next;
      const accepted = accepts[state];
      if (accepted >= 0) {
        rule = accepted;
        end = index + 1;
      } else if (index % markEvery === 0 && index - end > markEvery) {
        if (this.#isFruitless(text, index, end, state)) break;
      }
    }
    if (this.#trail.length > 0) this.#leaveMarks(end);
    this.rule = rule;
    this.end = end;
    this.reachedEnd = index === text.length;
    return rule >= 0;
  }

  /** All ends, ascending, of the matches within `text.slice(start, limit)` that start at `start`. */
  ends(text: string, start: number, limit: number): number[] {
    const ends: number[] = [];
    const classOf = this.#classOf;
    const count = this.#classCount;
    let state = initial;
    for (let index = start; index < limit && state !== dead; index++) {
      const unitClass = classOf[text.charCodeAt(index)];
      const next = this.#table[state * count + unitClass];
      state = next === unknown ? this.#step(state, unitClass) : next;
      if (this.#accepts[state] >= 0) ends.push(index + 1);
    }
    return ends;
  }

  /**
   * Whether an earlier scan came through the same state here and found nothing behind. Without
   * this, a text of many beginnings that never end (`<!a<!a<!a...`) would cost its length squared.
   */
  #isFruitless(text: string, index: number, end: number, state: number): boolean {
    if (this.#text !== text) {
      this.#fruitless.clear();
      this.#text = text;
    }
    const mark = index * mostStates + state;
    if (this.#fruitless.has(mark)) return true;
    // Marks before the end of a match that came later were not fruitless.
    while (this.#trail.length > 0 && (this.#trail.at(-1) ?? 0) < end * mostStates)
      this.#trail.pop();
    this.#trail.push(mark);
    return false;
  }

  #leaveMarks(end: number): void {
    for (const mark of this.#trail) if (mark >= end * mostStates) this.#fruitless.add(mark);
    this.#trail.length = 0;
  }

  /** Makes the state that `state` leads to by a class of units. */
  #step(state: number, unitClass: number): number {
    const targets: number[] = [];
    const holders = this.#holders[unitClass];
    for (const reader of this.#readers[state]) {
      if (hasBit(holders, this.#sets[reader])) targets.push(this.#nexts[reader]);
    }
    const number = targets.length === 0 ? dead : this.#number(targets);
    this.#table[state * this.#classCount + unitClass] = number;
    return number;
  }

  /** The readers that a nondeterministic state freely leads to, and the first of the patterns that end there. */
  #closure(from: number): Closure {
    const known = this.#closures[from];
    if (known) return known;
    const reached = new Set([from]);
    const closure: Closure = { readers: [], rule: noRule };
    for (const index of reached) {
      const state = this.#automaton[index];
      if (state.set >= 0) closure.readers.push(index);
      if (state.rule >= 0) closure.rule = Math.min(closure.rule, state.rule);
      for (const free of state.free) reached.add(free);
    }
    this.#closures[from] = closure;
    return closure;
  }

  /** The number of the deterministic state that stands for `states` and all that they freely lead to. */
  #number(states: readonly number[]): number {
    const merged = this.#merged;
    const stamp = ++this.#stamp;
    let size = 0;
    let sum = 0;
    let rule = noRule;
    for (const state of states) {
      const closure = this.#closure(state);
      rule = Math.min(rule, closure.rule);
      for (const reader of closure.readers) {
        if (this.#stamps[reader] === stamp) continue;
        this.#stamps[reader] = stamp;
        merged[size++] = reader;
        sum = (sum + Math.imul(reader + 1, 0x9e3779b1)) | 0;
      }
    }
    const accepted = rule === noRule ? -1 : rule;
    const alike = this.#bySum.get(sum) ?? [];
    for (const number of alike) {
      const readers = this.#readers[number];
      if (this.#accepts[number] !== accepted || readers.length !== size) continue;
      if (readers.every((reader) => this.#stamps[reader] === stamp)) return number;
    }
    const number = this.#addState(merged.slice(0, size), accepted);
    this.#bySum.set(sum, [...alike, number]);
    return number;
  }

  #addState(readers: Int32Array, accepted: number): number {
    const number = this.#readers.push(readers) - 1;
    if (number === mostStates) throw new RangeError(`more than ${mostStates} states`);
    const count = this.#classCount;
    if (number === this.#accepts.length) {
      this.#accepts = enlarged(this.#accepts, number * 2);
      this.#table = enlarged(this.#table, number * 2 * count);
    }
    this.#accepts[number] = accepted;
    this.#table.fill(unknown, number * count, (number + 1) * count);
    return number;
  }
}
