/** What stands in the way of captions, with the way out. */
import type { VNode } from 'preact';
import type { Page } from '../page.ts';

/** What is said of who writes the captions. */
export interface NoticeTexts {
  readonly busy: string;
  readonly unreachable: string;
}

interface NoticeProps {
  readonly page: Page;
  readonly texts: NoticeTexts;
}

export function Notice({ page, texts }: NoticeProps): VNode | null {
  switch (page.queue.hold.value) {
    case 'none':
      return null;
    case 'busy':
      return (
        <p class="notice" role="status">
          {texts.busy}
        </p>
      );
    case 'unreachable':
      return (
        <div class="notice" role="alert">
          <p>{texts.unreachable}</p>
          <button type="button" onClick={() => page.connect()}>
            Try again
          </button>
        </div>
      );
    case 'token':
      return <TokenForm page={page} />;
  }
}

function TokenForm({ page }: { readonly page: Page }): VNode {
  return (
    <form
      class="notice"
      onSubmit={(event) => {
        event.preventDefault();
        const entered = new FormData(event.currentTarget).get('token');
        page.token.value = typeof entered === 'string' ? entered.trim() : '';
        void page.connect();
      }}
    >
      <p role="alert">
        {page.token.value === ''
          ? 'This server asks for a token: the one that refcap serve was started with.'
          : 'This is not the token of this server.'}
      </p>
      <label>
        Token <input name="token" type="password" autocomplete="off" required />
      </label>
      <button type="submit">Use this token</button>
    </form>
  );
}
