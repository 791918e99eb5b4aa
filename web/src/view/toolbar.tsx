/** How far the page is, and what can be done with all pictures. */
import type { VNode } from 'preact';
import { rowsOf, toCsv, toJsonLines, toTextFiles } from '../download/files.ts';
import { saveFile } from '../download/save.ts';
import type { Counts, Page } from '../page.ts';

export function Toolbar({ page }: { readonly page: Page }): VNode | null {
  const total = page.pictures.value.length;
  if (total === 0) return null;
  const counts = page.counts.value;
  const isPending = counts.waiting + counts.writing > 0;
  return (
    <section class="toolbar" aria-label="All pictures">
      <p class="progress">
        <progress
          max={total}
          value={total - counts.waiting - counts.writing}
          aria-label="Pictures finished"
        />{' '}
        <span>{describe(counts, total)}</span>
      </p>
      <p class="buttons">
        {isPending && (
          <button type="button" onClick={() => page.cancelAll()}>
            Cancel all
          </button>
        )}
        {counts.failed + counts.cancelled > 0 && (
          <button type="button" onClick={() => page.retryAll()}>
            Try failed again
          </button>
        )}
        {counts.done > 0 && <Downloads page={page} />}
        <button
          type="button"
          onClick={() => {
            page.remove(page.pictures.value);
            document.getElementById('choose')?.focus();
          }}
        >
          Remove all
        </button>
      </p>
    </section>
  );
}

function Downloads({ page }: { readonly page: Page }): VNode {
  const rows = () => rowsOf(page.pictures.value);
  return (
    <>
      <button
        type="button"
        onClick={() => saveFile('captions.jsonl', 'application/jsonl', toJsonLines(rows()))}
      >
        Download JSONL
      </button>
      <button
        type="button"
        onClick={() => saveFile('captions.csv', 'text/csv;charset=utf-8', toCsv(rows()))}
      >
        Download CSV
      </button>
      <button
        type="button"
        onClick={() => saveFile('captions.zip', 'application/zip', toTextFiles(rows()))}
      >
        Download text files
      </button>
    </>
  );
}

function describe({ done, failed, cancelled }: Counts, total: number): string {
  const number = (count: number): string => count.toLocaleString('en');
  return [
    `${number(done)} of ${number(total)} captioned`,
    ...(failed > 0 ? [`${number(failed)} failed`] : []),
    ...(cancelled > 0 ? [`${number(cancelled)} cancelled`] : []),
  ].join(', ');
}
