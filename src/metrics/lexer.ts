/** A longest-match scanner: one automaton for all rules, made deterministic state by state as text needs it. */
import { enlarged } from './ngrams.ts';
import {
  classify,
  type NamedSets,
  PatternCompiler,
  type State,
  type UnitClasses,
} from './patterns.ts';

const unknown = -1;
const dead = 0;
const initial = 1;
/** How often a scan that goes beyond its match leaves a mark, in code units. */
const markEvery = 64;
const mostStates = 2 ** 16;

/**
 * Finds at a position of a text the longest match of several patterns, of equally long ones that
 * of the first pattern, as generated scanners (lex, JFlex) do. The deterministic states are made
 * when they are first needed, from the sets of nondeterministic ones that they stand for.
 */
export class Lexer {
  /** What the last `scan()` found: the pattern's number, or -1, and where its match ends. */
  rule = -1;
  end = 0;
  readonly #automaton: readonly State[];
  readonly #classes: UnitClasses;
  /** For each state: the next one by class of unit, and the pattern that ends there or -1. */
  #table: Int32Array;
  #accepts = new Int32Array(64);
  /** For each state: the nondeterministic states that read. */
  readonly #readers: number[][] = [];
  readonly #numbers = new Map<string, number>();
  /** Marks (position and state) behind which `#text` holds no further match, and those of the present scan. */
  readonly #fruitless = new Set<number>();
  readonly #trail: number[] = [];
  #text = '';

  constructor(patterns: readonly string[], named: NamedSets = {}) {
    const compiler = new PatternCompiler(named);
    const start = compiler.state();
    for (const [rule, pattern] of patterns.entries()) {
      const part = compiler.add(pattern);
      compiler.connect(start, part.start);
      compiler.states[part.end].rule = rule;
    }
    this.#automaton = compiler.states;
    this.#classes = classify(compiler.sets);
    this.#table = new Int32Array(this.#accepts.length * this.#classes.count);
    this.#number([]);
    this.#number([start]);
  }

  /** Sets `rule` and `end` for the longest match that starts at `start`; says whether there is one. */
  scan(text: string, start: number): boolean {
    const { classOf, count } = this.#classes;
    let table = this.#table;
    let state = initial;
    let rule = -1;
    let end = start;
    for (let index = start; index < text.length; index++) {
      const unitClass = classOf[text.charCodeAt(index)];
      let next = table[state * count + unitClass];
      if (next === unknown) {
        next = this.#step(state, unitClass);
        table = this.#table;
      }
      if (next === dead) break;
      state = next;
      const accepted = this.#accepts[state];
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
    return rule >= 0;
  }

  /** All ends, ascending, of the matches within `text.slice(start, limit)` that start at `start`. */
  ends(text: string, start: number, limit: number): number[] {
    const ends: number[] = [];
    const { classOf, count } = this.#classes;
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
    for (const reader of this.#readers[state]) {
      const { set, next } = this.#automaton[reader];
      if (this.#classes.holds[set][unitClass]) targets.push(next);
    }
    const number = targets.length === 0 ? dead : this.#number(targets);
    this.#table[state * this.#classes.count + unitClass] = number;
    return number;
  }

  /** The number of the deterministic state that stands for `states` and all that they freely lead to. */
  #number(states: number[]): number {
    const reached = new Set(states);
    const readers: number[] = [];
    let rule = -1;
    for (const index of reached) {
      const state = this.#automaton[index];
      if (state.set >= 0) readers.push(index);
      if (state.rule >= 0 && (rule < 0 || state.rule < rule)) rule = state.rule;
      for (const free of state.free) reached.add(free);
    }
    readers.sort((a, b) => a - b);
    const key = `${rule}:${readers.join()}`;
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#readers.length;
    const { count } = this.#classes;
    if (number === mostStates) throw new RangeError(`more than ${mostStates} states`);
    if (number === this.#accepts.length) {
      this.#accepts = enlarged(this.#accepts, number * 2);
      this.#table = enlarged(this.#table, number * 2 * count);
    }
    this.#numbers.set(key, number);
    this.#readers.push(readers);
    this.#accepts[number] = rule;
    this.#table.fill(unknown, number * count, (number + 1) * count);
    return number;
  }
}
