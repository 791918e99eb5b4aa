/** What can be done with a picture, by what became of it. */
import { type Signal, useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import type { Page } from '../page.ts';
import { captionOf, isPending, type Picture, whyOf } from '../pictures/picture.ts';
import { copyText } from './copy.ts';

interface CardButtonsProps {
  readonly page: Page;
  readonly picture: Picture;
  readonly isEditing: Signal<boolean>;
}

export function CardButtons({ page, picture, isEditing }: CardButtonsProps): VNode {
  const { name } = picture;
  const { kind } = picture.state.value;
  return (
    <p class="buttons">
      {kind === 'done' && (
        <>
          <button
            type="button"
            class="edit"
            aria-label={`Edit the caption of ${name}`}
            onClick={() => {
              isEditing.value = true;
            }}
          >
            Edit
          </button>
          <CopyButton page={page} picture={picture} />
        </>
      )}
      {isPending(picture) && (
        <button
          type="button"
          aria-label={`Cancel ${name}`}
          onClick={() => page.queue.cancel([picture])}
        >
          Cancel
        </button>
      )}
      {(kind === 'failed' || kind === 'cancelled') && (
        <button
          type="button"
          aria-label={`Try again: ${name}`}
          onClick={() => page.queue.add([picture])}
        >
          Try again
        </button>
      )}
      <button
        type="button"
        class="remove"
        aria-label={`Remove ${name}`}
        onClick={({ currentTarget }) => {
          focusAfterRemoval(currentTarget);
          page.remove([picture]);
        }}
      >
        Remove
      </button>
      {/* The last, so that the words come next. */}
      {page.explaining && kind === 'done' && captionOf(picture) !== '' && (
        <ExplainButton page={page} picture={picture} />
      )}
    </p>
  );
}

function ExplainButton({ page, picture }: Omit<CardButtonsProps, 'isEditing'>): VNode {
  const { kind } = whyOf(picture);
  const isShown = kind === 'asked' || kind === 'known';
  return (
    <button
      type="button"
      aria-expanded={isShown}
      aria-label={`Explain the caption of ${picture.name}`}
      onClick={() => void page.explaining?.toggle(picture)}
    >
      Explain
    </button>
  );
}

/** The same button of the next card, or of the one before, or the page's first. */
function focusAfterRemoval(button: HTMLElement): void {
  const card = button.closest('li');
  const neighbour = card?.nextElementSibling ?? card?.previousElementSibling;
  const target = neighbour?.querySelector<HTMLElement>('.remove');
  (target ?? document.getElementById('choose'))?.focus();
}

function CopyButton({ page, picture }: Omit<CardButtonsProps, 'isEditing'>): VNode {
  const label = useSignal('Copy');
  const copy = async (): Promise<void> => {
    const isCopied = await copyText(captionOf(picture) ?? '');
    page.announcement.value = isCopied
      ? `The caption of ${picture.name} was copied.`
      : 'The browser does not let the page copy; select the caption and copy it by hand.';
    label.value = isCopied ? 'Copied' : 'Not copied';
    setTimeout(() => {
      label.value = 'Copy';
    }, 2000);
  };
  return (
    <button type="button" onClick={copy}>
      {label}
      <span class="unseen"> the caption of {picture.name}</span>
    </button>
  );
}
