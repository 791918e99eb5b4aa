/** Which scores a list asks for: metrics such as `bleu`, or single scores such as `Bleu_4`. */
import { type ImageMetricName, imageMetricNames, metricNames, metricRows } from './registry.ts';

export interface Selection {
  metrics: ImageMetricName[];
  diversity: boolean;
  /** The scores that are shown, in that order. */
  order: string[];
}

/**
 * Reads a list such as "bleu,METEOR,CIDEr"; case does not matter, "all" is everything.
 * @throws {RangeError} naming the unknown metric and the known ones.
 */
export function selectMetrics(list: string): Selection {
  const wanted = new Set<string>();
  const shown = new Set<string>();
  for (const item of list.split(',').map((name) => name.trim())) {
    if (item === '') continue;
    const found = matching(item);
    if (found.length === 0)
      throw new RangeError(
        `there is no metric "${item}"; choose from all, ${metricNames.join(', ')} or single scores such as Bleu_4, CIDEr, METEOR.`,
      );
    for (const { metric, scores } of found) {
      wanted.add(metric);
      for (const score of scores) shown.add(score);
    }
  }
  if (wanted.size === 0)
    throw new RangeError('the list is empty; name at least one metric, such as bleu.');
  return {
    metrics: imageMetricNames.filter((name) => wanted.has(name)),
    diversity: wanted.has('diversity'),
    order: metricNames
      .flatMap((name) => metricRows[name].scores)
      .filter((score) => shown.has(score)),
  };
}

interface Match {
  metric: string;
  scores: readonly string[];
}

function matching(item: string): Match[] {
  const all = metricNames.map((metric) => ({ metric, scores: metricRows[metric].scores }));
  const key = item.toLowerCase();
  if (key === 'all') return all;
  // A metric's name goes before a score's: "cider" is both CIDEr and CIDEr_plain, "CIDEr" itself one.
  const exact = all.filter(({ scores }) => scores.includes(item));
  if (exact.length > 0) return exact.map(({ metric }) => ({ metric, scores: [item] }));
  const byMetric = all.filter(({ metric }) => metric === key);
  if (byMetric.length > 0) return byMetric;
  return all.flatMap(({ metric, scores }) => {
    const same = scores.filter((name) => name.toLowerCase() === key);
    return same.length > 0 ? [{ metric, scores: same }] : [];
  });
}
