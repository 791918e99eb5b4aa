/** What commands that train say on the standard error as it goes. */
import type { TrainingEvent } from '../../train/loop/trainer.ts';

/** A line that is overwritten on a terminal, and printed at every tenth in a pipe. */
export function progressLine(what: string): (done: number, total: number) => void {
  let started: number | undefined;
  let first = 0;
  let tenth = -1;
  return (done, total) => {
    if (started === undefined || done < first) {
      started = performance.now();
      first = done;
      tenth = -1;
    }
    const rate = (done - first) / Math.max(1e-3, (performance.now() - started) / 1000);
    const text = `${what}: ${done} of ${total}, ${rate.toFixed(0)} a second`;
    if (process.stderr.isTTY) process.stderr.write(`\r${text}\x1b[K${done === total ? '\n' : ''}`);
    else if (Math.floor((10 * done) / total) > tenth) {
      tenth = Math.floor((10 * done) / total);
      console.error(text);
    }
  };
}

/** Tells of steps now and then, and of each validation. */
export function eventPrinter(epochs: number): (event: TrainingEvent) => void {
  const started = performance.now();
  const isTerminal = process.stderr.isTTY;
  let first: { time: number; step: number } | undefined;
  let average: number | undefined;
  let shown = 0;
  return (event) => {
    switch (event.kind) {
      case 'skipped':
        console.error(
          `\nstep ${event.step}: no finite loss or gradient, skipped (${event.inARow} in a row)`,
        );
        return;
      case 'parted':
        console.error(
          `\nstep ${event.step}: the weights of rank ${event.ranks.join(', ')} were no longer those of rank 0 to the bit (processors of different kinds?) and were given anew`,
        );
        return;
      case 'validation':
        console.error(`${isTerminal ? '\r\x1b[K' : ''}${validationLine(event, epochs, started)}`);
        return;
      case 'step': {
        const now = performance.now();
        first ??= { time: now, step: event.step };
        average = average === undefined ? event.loss : 0.95 * average + 0.05 * event.loss;
        const each = (now - first.time) / Math.max(1, event.step - first.step);
        const left = ((event.totalSteps - event.step) * each) / 60000;
        const { reward } = event.terms;
        const measured = `loss ${average.toFixed(3)}${reward === undefined ? '' : `, reward ${reward.toFixed(3)}`}`;
        const text = `step ${event.step} of ${event.totalSteps}, ${measured}, ${event.imagesPerSecond.toFixed(0)} images/s, ${left.toFixed(1)} min left`;
        if (isTerminal) process.stderr.write(`\r${text}\x1b[K`);
        else if (now - shown > 30_000) {
          shown = now;
          console.error(text);
        }
      }
    }
  };
}

/** Tells of the steps of a rehearsal, whose losses say nothing. */
export function stepsPrinter(): (event: TrainingEvent) => void {
  return (event) => {
    if (event.kind === 'step') console.error(`refcap: step ${event.step} of ${event.totalSteps}`);
    else if (event.kind === 'validation') console.error('refcap: validated');
  };
}

function validationLine(
  { epoch, losses, metrics, best }: Extract<TrainingEvent, { kind: 'validation' }>,
  epochs: number,
  started: number,
): string {
  const parts = [`dev ${losses.base.toFixed(3)} nats a word`];
  if (losses.refined !== undefined) parts.push(`refined ${losses.refined.toFixed(3)}`);
  if (metrics) parts.push(`CIDEr-D ${metrics['CIDEr-D'].toFixed(3)}`);
  parts.push(`${((performance.now() - started) / 60000).toFixed(1)} min`);
  return `epoch ${epoch} of ${epochs}: ${parts.join(', ')}${best ? ' (best)' : ''}`;
}
