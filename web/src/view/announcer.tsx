/** Tells readers of the screen what happens, a sentence at a time however much happens. */
import { effect, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Page } from '../page.ts';
import { captionOf } from '../pictures/picture.ts';

/** Milliseconds between two sentences. */
const pause = 2000;

export function Announcer({ page }: { readonly page: Page }): VNode {
  const text = useSignal('');
  useEffect(() => {
    let told = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = effect(() => {
      const { done, failed } = page.counts.value;
      if (done + failed === told || timer !== undefined) return;
      timer = setTimeout(() => {
        timer = undefined;
        const counts = page.counts.peek();
        told = counts.done + counts.failed;
        text.value = progressSentence(page);
      }, pause);
    });
    const stopOwn = page.announcement.subscribe((sentence) => {
      text.value = sentence;
    });
    return () => {
      clearTimeout(timer);
      stop();
      stopOwn();
    };
  }, [page, text]);
  return (
    <p class="unseen" role="status">
      {text}
    </p>
  );
}

/** The caption where there is one picture, else how far the page is. */
function progressSentence(page: Page): string {
  const { done, failed } = page.counts.peek();
  const pictures = page.pictures.peek();
  const caption = pictures.length === 1 ? captionOf(pictures[0]) : undefined;
  if (caption !== undefined) return `Caption of ${pictures[0].name}: ${caption}`;
  const failures = failed > 0 ? `, ${failed.toLocaleString('en')} failed` : '';
  return `${done.toLocaleString('en')} of ${pictures.length.toLocaleString('en')} captioned${failures}.`;
}
