/** Puts the page together that captions pictures by itself. */
import { render } from 'preact';
import { Page } from '../../src/page.ts';
import { App } from '../../src/view/app.tsx';
import { Introduction, texts } from './introduction.tsx';
import type { LocalWriter } from './writer.ts';

export function showPage(root: HTMLElement, writer: LocalWriter): void {
  const page = new Page(() => writer);
  render(
    <App page={page} introduction={<Introduction page={page} writer={writer} />} texts={texts} />,
    root,
  );
}
