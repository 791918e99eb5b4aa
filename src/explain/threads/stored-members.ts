/** The members of a captioner's model, read from its folder. */
import type { ModelSource } from '../../caption/captioner.ts';
import { sessionOptions } from '../../caption/executor/local.ts';
import { memberModels } from '../../caption/executor/members.ts';
import type { ExplainedMember, ReadMembers } from '../model.ts';

/** Each is closed when the next is asked for. Their gradients are those of the weights as they are stored. */
export function storedMembers({ path, options }: ModelSource): ReadMembers {
  return async function* (): AsyncGenerator<ExplainedMember, void> {
    for await (const { config, weights } of memberModels(path, options)) {
      const { quantize: _, ...settings } = sessionOptions(options, weights);
      yield { config, weights, settings };
    }
  };
}
