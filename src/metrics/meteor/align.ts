/**
 * METEOR 1.5's alignment: the beam search over matches, left to right through the reference.
 * It is equal to the Java program's, its peculiarities included: weights are cut to whole numbers
 * as they add up, and the distance of each match tried also burdens the paths tried after it.
 */
import { type Matches, MODULE_WEIGHTS } from './matches.ts';

/** Paths that are followed at each word. */
const BEAM = 40;
/** Children of one step: no match chosen. */
const NONE = -1;

/** Partial alignments, best first: one column each. */
class Paths {
  count = 0;
  /** Weighted words matched in the candidate and in the reference, whole numbers. */
  readonly matches1: Int32Array = new Int32Array(BEAM + 1);
  readonly matches2: Int32Array = new Int32Array(BEAM + 1);
  readonly chunks: Int32Array = new Int32Array(BEAM + 1);
  /** Sum of distances, in 32 bits as in Java. */
  readonly distance: Int32Array = new Int32Array(BEAM + 1);
  /** Reference position where the path goes on. */
  readonly next: Int32Array = new Int32Array(BEAM + 1);
  /** Where the last match ended in the candidate; -1 after a gap. */
  readonly lastEnd: Int32Array = new Int32Array(BEAM + 1);
  /** The path it came from, and the match it took (or NONE). */
  readonly parent: Int32Array = new Int32Array(BEAM + 1);
  readonly match: Int32Array = new Int32Array(BEAM + 1);
  /** Last entry of the path in the history of chosen matches. */
  readonly node: Int32Array = new Int32Array(BEAM + 1);
  /** Bits of the candidate words in use, `words` numbers a path. */
  used: Int32Array = new Int32Array(BEAM + 1);

  /** Puts a path behind those that are as good or better; drops it (or the last) if the beam is full. */
  insert(
    parent: number,
    match: number,
    matches1: number,
    matches2: number,
    chunks: number,
    distance: number,
    next: number,
    lastEnd: number,
  ): void {
    let at = this.count;
    while (at > 0) {
      const above = at - 1;
      const order =
        (this.matches1[above] ?? 0) + (this.matches2[above] ?? 0) - matches1 - matches2 ||
        chunks - (this.chunks[above] ?? 0) ||
        (distance - (this.distance[above] ?? 0)) | 0;
      if (order >= 0) break;
      at--;
    }
    if (at >= BEAM) return;
    for (let i = Math.min(this.count, BEAM - 1); i > at; i--) this.copyRow(i - 1, i);
    if (this.count < BEAM) this.count++;
    this.parent[at] = parent;
    this.match[at] = match;
    this.matches1[at] = matches1;
    this.matches2[at] = matches2;
    this.chunks[at] = chunks;
    this.distance[at] = distance;
    this.next[at] = next;
    this.lastEnd[at] = lastEnd;
  }

  private copyRow(from: number, to: number): void {
    this.parent[to] = this.parent[from] ?? 0;
    this.match[to] = this.match[from] ?? 0;
    this.matches1[to] = this.matches1[from] ?? 0;
    this.matches2[to] = this.matches2[from] ?? 0;
    this.chunks[to] = this.chunks[from] ?? 0;
    this.distance[to] = this.distance[from] ?? 0;
    this.next[to] = this.next[from] ?? 0;
    this.lastEnd[to] = this.lastEnd[from] ?? 0;
  }
}

/** Finds METEOR's alignment of one candidate with one reference. Reused from pair to pair. */
export class Aligner {
  /** Chunks of the alignment found last. */
  chunks = 0;
  /** Indices into the matches, of the alignment found last; `chosenAt` holds their starts in the reference. */
  readonly chosen: number[] = [];
  readonly chosenAt: number[] = [];

  private readonly matches: Matches;
  private current = new Paths();
  private following = new Paths();
  /** The match that is sure at each reference position, or NONE. */
  private fixed = new Int32Array(64);
  private readonly nodeMatch: number[] = [];
  private readonly nodeAt: number[] = [];
  private readonly nodeParent: number[] = [];
  /** Numbers of 32 bits that hold a candidate's used words. */
  private words = 1;

  constructor(matches: Matches) {
    this.matches = matches;
  }

  /** Aligns after `matches.find` was called with texts of these lengths. */
  align(candidateLength: number, referenceLength: number): void {
    this.start(candidateLength, referenceLength);
    for (let j = 0; j < referenceLength; j++) {
      this.following.count = 0;
      for (let path = 0; path < this.current.count; path++) this.extend(path, j);
      this.settle(j);
    }
    this.finish(referenceLength);
  }

  private start(candidateLength: number, referenceLength: number): void {
    if (referenceLength > this.fixed.length) this.fixed = new Int32Array(2 * referenceLength);
    this.words = Math.max(1, (candidateLength + 31) >> 5);
    if (this.current.used.length < this.words * (BEAM + 1)) {
      this.current.used = new Int32Array(2 * this.words * (BEAM + 1));
      this.following.used = new Int32Array(2 * this.words * (BEAM + 1));
    }
    this.nodeMatch.length = 0;
    this.nodeAt.length = 0;
    this.nodeParent.length = 0;
    const { current } = this;
    current.count = 0;
    current.insert(0, NONE, 0, 0, 0, 0, 0, -1);
    current.node[0] = NONE;
    current.used.fill(0, 0, this.words);
    for (let j = 0; j < referenceLength; j++) this.fixed[j] = this.sureMatch(j);
  }

  /** A match is sure if it is the only one at its start and no other touches any of its words. */
  private sureMatch(j: number): number {
    const { matches } = this;
    const from = matches.from[j] ?? 0;
    const phraseFrom = matches.phraseFrom[j] ?? 0;
    const singles = (matches.to[j] ?? 0) - from;
    if (singles + (matches.phraseTo[j] ?? 0) - phraseFrom !== 1) return NONE;
    const match = singles === 1 ? from : phraseFrom;
    const start = matches.matchStart[match] ?? 0;
    for (let k = 0; k < (matches.matchLength[match] ?? 0); k++)
      if ((matches.candidateCover[start + k] ?? 0) > 1) return NONE;
    for (let k = 0; k < (matches.length[match] ?? 0); k++)
      if ((matches.referenceCover[j + k] ?? 0) > 1) return NONE;
    return match;
  }

  /** Offers the successors of a path at reference position j to the next beam, in METEOR's order. */
  private extend(path: number, j: number): void {
    const { current, following, matches } = this;
    const matches1 = current.matches1[path] ?? 0;
    const matches2 = current.matches2[path] ?? 0;
    const chunks = current.chunks[path] ?? 0;
    const lastEnd = current.lastEnd[path] ?? 0;
    let distance = current.distance[path] ?? 0;
    const next = current.next[path] ?? 0;
    if (next > j) {
      following.insert(path, NONE, matches1, matches2, chunks, distance, next, lastEnd);
      return;
    }
    const sure = this.fixed[j] ?? NONE;
    if (sure !== NONE) {
      distance = (distance + Math.abs(j - (matches.matchStart[sure] ?? 0))) | 0;
      this.take(path, sure, j, distance);
      return;
    }
    distance = this.takeWords(path, j, distance, lastEnd);
    const phrasesEnd = matches.phraseTo[j] ?? 0;
    for (let match = matches.phraseFrom[j] ?? 0; match < phrasesEnd; match++) {
      if (this.isUsed(path, match)) continue;
      this.take(path, match, j, distance);
      distance = (distance + Math.abs(j - (matches.matchStart[match] ?? 0))) | 0;
    }
    const closed = lastEnd === -1 ? chunks : chunks + 1;
    following.insert(path, NONE, matches1, matches2, closed, distance, j + 1, -1);
  }

  /** Takes the matches of one word in turn; returns the distance with that of all of them added. */
  private takeWords(path: number, j: number, before: number, lastEnd: number): number {
    const { matchStart, module, from, to } = this.matches;
    const { used } = this.current;
    const base = path * this.words;
    const end = to[j] ?? 0;
    let distance = before;
    let lastModule = -1;
    let taken = 0;
    for (let match = from[j] ?? 0; match < end; match++) {
      const start = matchStart[match] ?? 0;
      if (((used[base + (start >> 5)] ?? 0) >>> (start & 31)) & 1) continue;
      if (module[match] !== lastModule) {
        lastModule = module[match] ?? 0;
        taken = 0;
      }
      // Distances rise, so behind a beam full of its like only a match that extends the chunk can stay.
      if (taken < BEAM || start === lastEnd) {
        this.take(path, match, j, distance);
        taken++;
      }
      distance = (distance + Math.abs(j - start)) | 0;
    }
    return distance;
  }

  private take(path: number, match: number, j: number, distance: number): void {
    const { current, following, matches } = this;
    const start = matches.matchStart[match] ?? 0;
    const length1 = matches.matchLength[match] ?? 0;
    const length2 = matches.length[match] ?? 0;
    const weight = MODULE_WEIGHTS[matches.module[match] ?? 0] ?? 0;
    const lastEnd = current.lastEnd[path] ?? 0;
    following.insert(
      path,
      match,
      Math.trunc((current.matches1[path] ?? 0) + length1 * weight),
      Math.trunc((current.matches2[path] ?? 0) + length2 * weight),
      (current.chunks[path] ?? 0) + (lastEnd !== -1 && lastEnd !== start ? 1 : 0),
      distance,
      j + length2,
      start + length1,
    );
  }

  private isUsed(path: number, match: number): boolean {
    const { used } = this.current;
    const base = path * this.words;
    const start = this.matches.matchStart[match] ?? 0;
    const end = start + (this.matches.matchLength[match] ?? 0);
    for (let i = start; i < end; i++)
      if ((used[base + (i >> 5)] ?? 0) & (1 << (i & 31))) return true;
    return false;
  }

  /** Gives the paths of the next beam their history and used words, and makes it the current one. */
  private settle(j: number): void {
    const { current, following, matches, words } = this;
    for (let path = 0; path < following.count; path++) {
      const parent = following.parent[path] ?? 0;
      const match = following.match[path] ?? NONE;
      const base = path * words;
      const old = parent * words;
      if (words > 8) following.used.set(current.used.subarray(old, old + words), base);
      else for (let k = 0; k < words; k++) following.used[base + k] = current.used[old + k] ?? 0;
      following.node[path] = current.node[parent] ?? NONE;
      if (match === NONE) continue;
      const start = matches.matchStart[match] ?? 0;
      const end = start + (matches.matchLength[match] ?? 0);
      for (let i = start; i < end; i++) following.used[base + (i >> 5)] |= 1 << (i & 31);
      this.nodeParent.push(following.node[path] ?? NONE);
      this.nodeMatch.push(match);
      this.nodeAt.push(j);
      following.node[path] = this.nodeMatch.length - 1;
    }
    this.current = following;
    this.following = current;
  }

  /** Closes the last chunk of each path; the best is the alignment. */
  private finish(referenceLength: number): void {
    const { current, following } = this;
    following.count = 0;
    for (let path = 0; path < current.count; path++)
      following.insert(
        path,
        NONE,
        current.matches1[path] ?? 0,
        current.matches2[path] ?? 0,
        (current.chunks[path] ?? 0) + (current.lastEnd[path] === -1 ? 0 : 1),
        current.distance[path] ?? 0,
        referenceLength,
        -1,
      );
    this.chunks = following.chunks[0] ?? 0;
    this.chosen.length = 0;
    this.chosenAt.length = 0;
    let node = current.node[following.parent[0] ?? 0] ?? NONE;
    while (node !== NONE) {
      this.chosen.push(this.nodeMatch[node] ?? 0);
      this.chosenAt.push(this.nodeAt[node] ?? 0);
      node = this.nodeParent[node] ?? NONE;
    }
  }
}
