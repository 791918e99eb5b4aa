/** Whether models can write together. */
import { InputError } from '../../base/errors.ts';
import type { DescribedModel } from './description.ts';

/** What decides it, and how messages name the model. */
type Member = Pick<DescribedModel, 'config' | 'tokenizer' | 'preprocessing'> & {
  readonly folder: string;
};

/** @throws InputError when a member has other words or wants other pictures than the first */
export function checkMember(first: Member, member: Member): void {
  const fault = (what: string) =>
    new InputError(
      `${member.folder}: its ${what} differs from that of ${first.folder}, so the two cannot write together.`,
    );
  const [a, b] = [first.tokenizer, member.tokenizer];
  const size = Math.max(a.size, b.size);
  for (let id = 0; id < size; id++) if (a.token(id) !== b.token(id)) throw fault('vocabulary');
  for (const id of ['bos_token_id', 'sep_token_id', 'pad_token_id', 'vocab_size'] as const)
    if (first.config.text_config[id] !== member.config.text_config[id]) throw fault(id);
  if (JSON.stringify(first.preprocessing) !== JSON.stringify(member.preprocessing))
    throw fault('preprocessing');
}
