/** Puts alt texts into a page's text: the attributes change, and nothing else does. */
import { fitEncoding, type PageText } from './pages/bytes.ts';
import type { Gap } from './pages/gap.ts';

/** A picture and its text; without one, a comment behind the picture asks a person for it. */
export interface Fill {
  readonly gap: Gap;
  readonly text?: string;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** The page's new text. A comment that asked for a text goes when the text is there, and is written once. */
export function editPage({ text, encoding }: PageText, fills: readonly Fill[]): string {
  const edits = fills.flatMap((fill) => editsOf(fill, text));
  edits.sort((a, b) => a.start - b.start);
  let result = '';
  let at = 0;
  for (const edit of edits) {
    result += text.slice(at, edit.start) + fitEncoding(edit.text, encoding);
    at = edit.end;
  }
  return result + text.slice(at);
}

function editsOf({ gap, text }: Fill, page: string): Edit[] {
  const { slot, end, todo } = gap;
  const isAsked = todo !== undefined && page.startsWith(todo, end);
  if (text === undefined)
    return todo === undefined || isAsked ? [] : [{ start: end, end, text: todo }];
  const { start } = slot;
  const edits = [{ start, end: slot.end, text: slot.markup(text) }];
  return isAsked ? [...edits, { start: end, end: end + todo.length, text: '' }] : edits;
}
