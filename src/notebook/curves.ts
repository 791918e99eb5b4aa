/** A training run's curves in a cell. */
import { chartPicture } from '../pages/chart-picture.ts';
import { runCharts } from '../pages/training/page.ts';
import type { TrainingEvent } from '../train/loop/trainer.ts';
import { imageTag } from './picture.ts';
import { Shown } from './shown.ts';

/** What is shown of a run, where it has it. */
const shownCharts: readonly string[] = ['reward', 'training-loss', 'validation-loss'];

/**
 * Losses over the steps, and in self-critical training the reward, as pictures; in plain text where each line begins and
 * ends.
 * @param events what `trainRun` told by `onEvent`, whether it has ended or not
 */
export function showCurves(events: readonly TrainingEvent[]): Shown {
  const steps = events.filter((event) => event.kind === 'step');
  const validations = events.filter((event) => event.kind === 'validation');
  const pictures = runCharts({ steps, validations: validations.map(withMetrics) })
    .filter(({ id }) => shownCharts.includes(id))
    .flatMap((chart) => chartPicture(chart) ?? []);
  if (pictures.length === 0)
    return new Shown('<p>No step is told yet.</p>', 'No step is told yet.');
  const images = pictures.map(({ svg, description }) => {
    const data = Buffer.from(svg).toString('base64');
    return imageTag({ address: `data:image/svg+xml;base64,${data}`, description });
  });
  return new Shown(images.join('\n'), pictures.map(({ description }) => description).join('\n'));
}

type ValidationEvent = Extract<TrainingEvent, { kind: 'validation' }>;

/** As a line of metrics.jsonl is read. */
function withMetrics({ metrics, samples, ...rest }: ValidationEvent) {
  return { ...rest, metrics: metrics ?? {}, samples: [...samples] };
}
