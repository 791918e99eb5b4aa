/** Other programs' captioning, each in a process of its own that waits while the others run. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Work for a peer: of `kind`, one of those that it said it has. */
export interface Task {
  readonly what: 'vision' | 'encode' | 'generate';
  readonly batch: number;
  readonly beams?: number;
}

/** What a peer says first: what it has, or why it has nothing. */
interface Greeting {
  readonly missing?: string;
  readonly name?: string;
  readonly short?: string;
  readonly kinds?: readonly string[];
}

export class Peer {
  readonly short: string;
  readonly kinds: readonly string[];
  /** Its largest resident set so far, in bytes. */
  peak = 0;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: ChildProcess, lines: AsyncIterator<string>, greeting: Greeting) {
    this.#child = child;
    this.#lines = lines;
    this.short = greeting.short ?? '';
    this.kinds = greeting.kinds ?? [];
  }

  /** Undefined, and a line that says so, where what it needs is not installed. */
  static async start(python: string, args: readonly string[]): Promise<Peer | undefined> {
    const child = spawn(python, [...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    await once(child, 'spawn');
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const { value, done } = await lines.next();
    const greeting = (
      done ? { missing: `${args[0]} ended at once` } : JSON.parse(value)
    ) as Greeting;
    console.log(greeting.missing ?? `peer: ${greeting.name}`);
    return greeting.missing === undefined ? new Peer(child, lines, greeting) : undefined;
  }

  /** Seconds of a task; undefined where the peer has no such task. */
  async measure(task: Task, kind: string): Promise<number | undefined> {
    this.#child.stdin?.write(`${JSON.stringify({ ...task, kind })}\n`);
    const { value } = await this.#lines.next();
    const { seconds, peak } = JSON.parse(value) as { seconds?: number; peak?: number };
    this.peak = peak ?? this.peak;
    return seconds;
  }

  stop(): void {
    this.#child.stdin?.end();
  }
}

const scriptOf = (name: string): string => join(root, 'bench/peers', name);

/** The model as `refcap export` writes it for other programs, kept for the next time beside the model. */
function exported(model: string): string {
  const folder = `${model.replace(/\/+$/, '')}-onnx`;
  const command = [join(root, 'dist/cli/main.js'), 'export', model, folder, '--layout', 'onnx'];
  if (!existsSync(join(folder, 'vocab.txt'))) execFileSync(process.execPath, command);
  return folder;
}

/** The command lines of OpenVINO's peer, for `threads` threads (0: as it likes). */
export function openVinoArguments(model: string, threads: number): string[] {
  const cache = join(tmpdir(), 'refcap-bench-openvino');
  return [scriptOf('caption_openvino.py'), exported(model), String(threads), cache];
}

/** transformers and OpenVINO, as far as this Python has them. */
export async function startPeers(
  python: string | undefined,
  model: string,
  threads: number,
): Promise<Peer[]> {
  if (python === undefined) {
    console.log('peers are left out: --python PATH names a Python with transformers and openvino');
    return [];
  }
  const peers: Peer[] = [];
  for (const args of [
    [scriptOf('caption.py'), model, String(threads)],
    openVinoArguments(model, threads),
  ]) {
    const peer = await Peer.start(python, args);
    if (peer) peers.push(peer);
  }
  return peers;
}
