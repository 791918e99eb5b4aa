/** Which scores a person asked for: families such as `bleu`, or single scores such as `Bleu_4`. */
import { UsageError } from '../base/errors.ts';
import { type FamilyName, families, familyNames } from '../metrics/corpus/families.ts';

export interface Selection {
  families: FamilyName[];
  diversity: boolean;
  /** The scores that are printed, in that order. */
  order: string[];
}

/** What is measured unless something else is asked for. */
export const defaultMetrics = 'bleu,meteor,rouge-l,cider,rouge,sacrebleu,diversity';

/** Scores of the family `diversity`, which measures the captions without their references. */
export const diversityNames = [
  'distinct_1',
  'distinct_2',
  'distinct_3',
  'distinct_4',
  'vocabulary',
  'mean_length',
  'unique',
  'novel',
] as const;

/**
 * Reads a list such as "bleu,METEOR,CIDEr"; case does not matter, "all" is everything.
 * @throws UsageError naming the unknown metric and the known ones.
 */
export function selectMetrics(list: string): Selection {
  const wanted = new Set<string>();
  const shown = new Set<string>();
  for (const item of list.split(',').map((name) => name.trim())) {
    if (item === '') continue;
    const found = matching(item);
    if (found.length === 0)
      throw new UsageError(
        `--metrics: there is no metric "${item}"; choose from all, ${[...familyNames, 'diversity'].join(', ')} or single scores such as Bleu_4, CIDEr, METEOR.`,
      );
    for (const { family, names } of found) {
      wanted.add(family);
      for (const name of names) shown.add(name);
    }
  }
  if (wanted.size === 0)
    throw new UsageError('--metrics: the list is empty; name at least one metric, such as bleu.');
  return {
    families: familyNames.filter((name) => wanted.has(name)),
    diversity: wanted.has('diversity'),
    order: [...familyNames.flatMap((name) => families[name].names), ...diversityNames].filter(
      (name) => shown.has(name),
    ),
  };
}

interface Match {
  family: string;
  names: readonly string[];
}

function matching(item: string): Match[] {
  const all: Match[] = [
    ...familyNames.map((family) => ({ family, names: families[family].names })),
    { family: 'diversity', names: diversityNames },
  ];
  const key = item.toLowerCase();
  if (key === 'all') return all;
  // A family's name goes before a score's: "cider" is both CIDEr and CIDEr_plain, "CIDEr" itself one.
  const exact = all.filter(({ names }) => names.includes(item));
  if (exact.length > 0) return exact.map(({ family }) => ({ family, names: [item] }));
  const byFamily = all.filter(({ family }) => family === key);
  if (byFamily.length > 0) return byFamily;
  return all.flatMap(({ family, names }) => {
    const same = names.filter((name) => name.toLowerCase() === key);
    return same.length > 0 ? [{ family, names: same }] : [];
  });
}
