/** A picture with what became of it, and what can be done with it. */
import { useSignal } from '@preact/signals';
import type { VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import type { Page } from '../page.ts';
import type { Picture } from '../pictures/picture.ts';
import { CaptionEditor, FinishedCaption, Words } from './caption.tsx';
import { CardButtons } from './card-buttons.tsx';
import type { Watch } from './picture-list.tsx';
import { Veil, WhyWords } from './why.tsx';

interface CardProps {
  readonly page: Page;
  readonly picture: Picture;
  readonly watch: Watch;
}

export function PictureCard({ page, picture, watch }: CardProps): VNode {
  const card = useRef<HTMLLIElement>(null);
  useEffect(() => (card.current ? watch(card.current, picture) : undefined), [picture, watch]);
  const isEditing = useSignal(false);
  const wasEditing = useRef(false);
  useLayoutEffect(() => {
    // Back to the button that began it.
    if (wasEditing.current) card.current?.querySelector<HTMLElement>('.edit')?.focus();
    wasEditing.current = isEditing.value;
  }, [isEditing.value]);
  return (
    <li ref={card} class={`card ${picture.state.value.kind}`}>
      <Preview picture={picture} />
      <div class="text">
        <h3>{picture.name}</h3>
        {isEditing.value ? (
          <CaptionEditor
            picture={picture}
            onEnd={() => {
              isEditing.value = false;
            }}
          />
        ) : (
          <>
            <Progress picture={picture} />
            <CardButtons page={page} picture={picture} isEditing={isEditing} />
            <WhyWords picture={picture} />
          </>
        )}
      </div>
    </li>
  );
}

function Preview({ picture }: { readonly picture: Picture }): VNode {
  const thumbnail = picture.thumbnail.value;
  return (
    <div class="preview">
      {thumbnail.kind === 'made' && (
        <>
          <img src={thumbnail.address} alt="" />
          <Veil picture={picture} />
        </>
      )}
      {thumbnail.kind === 'unreadable' && <span class="quiet">no preview in this browser</span>}
    </div>
  );
}

function Progress({ picture }: { readonly picture: Picture }): VNode {
  const state = picture.state.value;
  switch (state.kind) {
    case 'waiting':
      return <p class="quiet">Waiting</p>;
    case 'writing':
      return (
        <>
          <p class="caption">
            <Words words={state.words.value} />
            <span class="cursor" aria-hidden="true" />
          </p>
          <p class="quiet">Writing</p>
        </>
      );
    case 'done':
      return <FinishedCaption picture={picture} result={state.result} />;
    case 'failed':
      return <p class="error">Failed: {state.message}</p>;
    case 'cancelled':
      return <p class="quiet">Cancelled</p>;
  }
}
