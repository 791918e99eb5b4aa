/** The models that write together in a captioner, one open at a time. */
import { checkMember } from '../../model/checkpoint/member-check.ts';
import { memberFolders } from '../../model/checkpoint/members.ts';
import {
  type LoadModelOptions,
  loadModel,
  type PretrainedModel,
} from '../../model/checkpoint/pretrained.ts';
import type { ExecutorOptions } from './executor.ts';

/**
 * Yields the model of a folder or file, then its members; each is closed when the next is asked for.
 * @throws InputError naming what is missing or does not fit
 */
export async function* memberModels(
  path: string,
  options: Pick<ExecutorOptions, 'members' | OfModel>,
): AsyncGenerator<PretrainedModel, void> {
  await using first = await loadModel(path, loadOptions(options));
  yield first;
  for (const folder of await memberFolders(path, options.members)) {
    await using member = await loadModel(folder, loadOptions(options));
    checkMember(first, member);
    yield member;
  }
}

/** What of an executor's options says how a model's files are read. */
type OfModel = 'imageSize' | 'hub' | 'ignoreConfidence';

export function loadOptions({
  imageSize,
  hub,
  ignoreConfidence = false,
}: Pick<ExecutorOptions, OfModel>): LoadModelOptions {
  return { hub, ignoreConfidence, ...(imageSize !== undefined && { imageSize }) };
}
