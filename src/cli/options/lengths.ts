/** The bounds of a caption's length. */
import { UsageError } from '../../base/errors.ts';

export interface LengthFlags {
  readonly minLength?: number | undefined;
  readonly maxLength?: number | undefined;
  readonly minNewTokens?: number | undefined;
  readonly maxNewTokens?: number | undefined;
}

/** @throws UsageError where the fewest tokens are more than the most */
export function checkLengths({
  minLength = 0,
  maxLength = Number.POSITIVE_INFINITY,
  minNewTokens = 0,
  maxNewTokens = Number.POSITIVE_INFINITY,
}: LengthFlags): void {
  if (minLength > maxLength)
    throw new UsageError(`--min-length ${minLength} is above --max-length ${maxLength}.`);
  if (minNewTokens > maxNewTokens)
    throw new UsageError(
      `--min-new-tokens ${minNewTokens} is above --max-new-tokens ${maxNewTokens}.`,
    );
}
