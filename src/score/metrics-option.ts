/** What a person wrote behind `--metrics`. */
import { UsageError } from '../base/errors.ts';
import { type Selection, selectMetrics } from '../metrics/selection.ts';

/**
 * `selectMetrics` of a command's option.
 * @throws UsageError naming the unknown metric and the known ones.
 */
export function metricsOption(list: string): Selection {
  try {
    return selectMetrics(list);
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(`--metrics: ${error.message}`);
    throw error;
  }
}
