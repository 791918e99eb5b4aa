/** What the page says of itself, and how far its model is. */
import type { VNode } from 'preact';
import type { Page } from '../../src/page.ts';
import type { NoticeTexts } from '../../src/view/notice.tsx';
import type { LocalWriter } from './writer.ts';

export const texts: NoticeTexts = {
  busy: 'The model is busy; the page waits for it and goes on by itself.',
  unreachable: 'The model cannot be used. What waits is kept.',
};

interface IntroductionProps {
  readonly page: Page;
  readonly writer: LocalWriter;
}

export function Introduction({ page, writer }: IntroductionProps): VNode {
  return (
    <>
      <p class="quiet">
        Captions are written by this page, on this computer: your pictures go nowhere. After the
        first visit it works without a network.
      </p>
      {writer.fault.value !== '' && <p class="error">{writer.fault}</p>}
      {page.model.value === undefined && writer.progress.value && (
        <ModelProgress {...writer.progress.value} />
      )}
    </>
  );
}

function ModelProgress({
  loaded,
  total,
}: {
  readonly loaded: number;
  readonly total: number;
}): VNode {
  const megabytes = (bytes: number): string => (bytes / 1e6).toFixed(0);
  return (
    <p class="progress">
      <progress max={total} value={loaded} aria-label="The model" />{' '}
      <span>
        The model, once: {megabytes(loaded)} of {megabytes(total)} MB
      </span>
    </p>
  );
}
