/** The list of pictures, of which only those in view are there. */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ReviewRow } from '../../../../src/review/server/schema.ts';
import { percent } from '../../view/figures.ts';
import type { Review } from '../review.ts';

/** Pixels of a row, as in the style sheet. */
const height = 56;
/** Rows beyond the edges, so that scrolling shows no gap. */
const beyond = 8;

export function RowList({ review }: { readonly review: Review }): VNode {
  const box = useRef<HTMLDivElement>(null);
  const top = useSignal(0);
  const shown = useSignal(20);
  const rows = review.rows.value;
  const at = review.at.value;
  const total = rows?.total ?? 0;
  const first = Math.max(0, Math.floor(top.value / height) - beyond);
  const last = Math.min(total, first + shown.value + 2 * beyond);
  useEffect(() => {
    void rows?.need(first, last).catch(() => undefined);
  }, [rows, first, last]);
  useEffect(
    () => watchSize(box.current, (pixels) => (shown.value = Math.ceil(pixels / height))),
    [shown],
  );
  useEffect(() => {
    if (box.current) keepInView(box.current, at);
  }, [at, rows]);
  const indexes = Array.from({ length: Math.max(0, last - first) }, (_, i) => first + i);
  return (
    <div
      ref={box}
      class="rows"
      role="listbox"
      tabIndex={0}
      aria-label={`Pictures, ${total.toLocaleString('en')}`}
      aria-activedescendant={total > 0 ? `row-${at}` : undefined}
      onScroll={({ currentTarget }) => {
        top.value = currentTarget.scrollTop;
      }}
    >
      {rows && total === 0 && <p class="quiet">No picture is left in this list.</p>}
      <div class="all" role="presentation" style={{ height: `${height * total}px` }}>
        {/* The one that is looked at is always there: aids name it. */}
        {(indexes.includes(at) || total === 0 ? indexes : [at, ...indexes]).map((index) => (
          <Row key={index} review={review} index={index} row={rows?.at(index)} total={total} />
        ))}
      </div>
    </div>
  );
}

interface RowProps {
  readonly review: Review;
  readonly index: number;
  readonly row: ReviewRow | undefined;
  readonly total: number;
}

function Row({ review, index, row, total }: RowProps): VNode {
  const isAt = review.at.value === index;
  const { decision, candidates = [] } = row ?? {};
  const [draft] = candidates;
  return (
    // Keys are the list's.
    // biome-ignore lint/a11y/useKeyWithClickEvents: arrow keys go from row to row
    <div
      id={`row-${index}`}
      class={`row ${decision?.verdict ?? 'open'}`}
      role="option"
      tabIndex={-1}
      aria-selected={isAt}
      aria-setsize={total}
      aria-posinset={index + 1}
      style={{ transform: `translateY(${height * index}px)` }}
      onClick={() => void review.go(index)}
    >
      <span class="name">
        {row?.file ?? '…'}
        {draft?.confidence !== undefined && <> · {percent(draft.confidence)}</>}
        {decision && <> · {decision.verdict}</>}
      </span>
      <span class="said">{decision?.text || draft?.text}</span>
    </div>
  );
}

function watchSize(box: HTMLElement | null, tell: (pixels: number) => void) {
  if (!box) return undefined;
  const observer = new ResizeObserver(() => tell(box.clientHeight));
  observer.observe(box);
  return () => observer.disconnect();
}

function keepInView(box: HTMLElement, index: number): void {
  const start = height * index;
  if (start < box.scrollTop) box.scrollTop = start;
  else if (start + height > box.scrollTop + box.clientHeight)
    box.scrollTop = start + height - box.clientHeight;
}
