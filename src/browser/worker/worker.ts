/**
 * The worker that holds a captioner's model, so that the page stays free. This script is small: it has the browser fetch
 * and compile ONNX Runtime while the rest comes and starts. ONNX Runtime's own threads may run this script too, where a
 * bundler put both into one file: they need none of the rest.
 */
import { InputError } from '../../base/errors.ts';
import { type Request, sendable } from '../../base/threads/messages.ts';
import { startRuntime } from '../../engine/runtime/back-end/web.ts';
import type { LoadRequest } from './calls.ts';
import { defaultThreads, deviceName } from './device.ts';

type Call = Exclude<Request, { readonly close: true }>;

let answer: Promise<(call: Call) => Promise<void>> | undefined;

async function take(call: Call): Promise<void> {
  // Asked for before the rest, it comes before it.
  if ('method' in call && call.method === 'load') startEarly(call.argument);
  answer ??= import('./calls.ts').then(({ answerCalls }) => answerCalls());
  try {
    await (await answer)(call);
  } catch {
    if (!('id' in call)) return;
    const error = new InputError("the captioner's worker failed: its script cannot be fetched.");
    postMessage({ id: call.id, error: sendable(error) });
  }
}

function startEarly({ device, threads = defaultThreads(), runtime }: LoadRequest): void {
  void startRuntime(deviceName(device), { threads, folder: runtime });
}

if (self.name !== 'em-pthread')
  addEventListener('message', ({ data }: MessageEvent<Call>) => void take(data));
