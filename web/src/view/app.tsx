/** The whole page, from its heading to its pictures. */
import type { ComponentChildren, VNode } from 'preact';
import { useEffect } from 'preact/hooks';
import type { Page } from '../page.ts';
import { droppedFiles, pastedFiles } from '../pictures/files.ts';
import { AddPictures } from './add-pictures.tsx';
import { Announcer } from './announcer.tsx';
import { Notice, type NoticeTexts } from './notice.tsx';
import { PictureList } from './picture-list.tsx';
import { SettingsForm } from './settings-form.tsx';
import { Toolbar } from './toolbar.tsx';

interface AppProps {
  readonly page: Page;
  /** What is said below the heading. */
  readonly introduction: ComponentChildren;
  readonly texts: NoticeTexts;
}

export function App({ page, introduction, texts }: AppProps): VNode {
  useEffect(() => takeFromAnywhere(page), [page]);
  return (
    <>
      <header>
        <h1>Captions by refcap</h1>
        {introduction}
      </header>
      <main>
        <Notice page={page} texts={texts} />
        <AddPictures page={page} />
        <SettingsForm page={page} />
        <Toolbar page={page} />
        <PictureList page={page} />
      </main>
      <Announcer page={page} />
    </>
  );
}

/** Pictures may be dropped anywhere on the page, and pasted wherever nothing else takes them. */
function takeFromAnywhere(page: Page): () => void {
  const stop = new AbortController();
  const { signal } = stop;
  const { classList } = document.documentElement;
  document.addEventListener(
    'dragover',
    (event) => {
      if (!event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      classList.add('dragging');
    },
    { signal },
  );
  document.addEventListener(
    'dragleave',
    ({ relatedTarget }) => {
      if (relatedTarget === null) classList.remove('dragging');
    },
    { signal },
  );
  document.addEventListener(
    'drop',
    (event) => {
      classList.remove('dragging');
      if (!event.dataTransfer) return;
      event.preventDefault();
      void droppedFiles(event.dataTransfer).then((files) => page.add(files));
    },
    { signal },
  );
  document.addEventListener(
    'paste',
    ({ clipboardData }) => {
      if (clipboardData) page.add(pastedFiles(clipboardData, new Date()));
    },
    { signal },
  );
  return () => stop.abort();
}
