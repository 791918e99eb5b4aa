/** What the page says where refcap serve shows it. */
import type { VNode } from 'preact';
import type { Page } from '../page.ts';
import type { NoticeTexts } from './notice.tsx';

export const serverTexts: NoticeTexts = {
  busy: 'The server is busy; the page waits for it and goes on by itself.',
  unreachable: 'The server does not answer. Is refcap serve still running? What waits is kept.',
};

export function ServerIntroduction({ page }: { readonly page: Page }): VNode {
  return (
    <p class="quiet">
      {page.model.value !== undefined && <>The model {page.model} writes them. </>}
      Pictures go to the computer that runs refcap ({location.host}) and nowhere else; nothing is
      kept there.
    </p>
  );
}
