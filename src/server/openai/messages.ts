/** The pictures of a conversation. */
import type { Picture } from '../captions/events.ts';
import { pictureFromText } from '../captions/pictures.ts';
import type { Message } from './schema.ts';

export interface Conversation {
  /** Of the last message that has some. */
  readonly pictures: Picture[];
  /** Whether anything is said, which a captioner does not heed. */
  readonly hasPrompt: boolean;
}

/** @throws HttpError where a picture is none, or an address that is not allowed */
export function readMessages(messages: readonly Message[], allowUrl: boolean): Conversation {
  const parts = messages.map(({ content }) =>
    typeof content === 'string' ? [{ type: 'text', text: content }] : (content ?? []),
  );
  const urls = parts.map((all) =>
    all.flatMap(({ image_url: given }) =>
      given === undefined ? [] : [typeof given === 'string' ? given : given.url],
    ),
  );
  const last = urls.findLast((all) => all.length > 0) ?? [];
  return {
    pictures: last.map((url, i) => pictureFromText(url, `picture ${i + 1}`, allowUrl)),
    hasPrompt: parts.some((all) => all.some(({ text = '' }) => text.trim() !== '')),
  };
}
