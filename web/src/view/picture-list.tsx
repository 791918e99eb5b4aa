/** The pictures, each in a card; thumbnails are made as cards come into view. */
import type { VNode } from 'preact';
import { useEffect, useMemo } from 'preact/hooks';
import type { Page } from '../page.ts';
import type { Picture } from '../pictures/picture.ts';
import { PictureCard } from './picture-card.tsx';

/** Tells of a card that comes into view or leaves it. */
export type Watch = (card: Element, picture: Picture) => () => void;

export function PictureList({ page }: { readonly page: Page }): VNode {
  const { watch, observer } = useMemo(() => watchCards(page), [page]);
  useEffect(() => () => observer.disconnect(), [observer]);
  return (
    <ul class="pictures" aria-label="Pictures">
      {page.pictures.value.map((picture) => (
        <PictureCard key={picture.id} page={page} picture={picture} watch={watch} />
      ))}
    </ul>
  );
}

function watchCards({ thumbnails }: Page): { watch: Watch; observer: IntersectionObserver } {
  const pictures = new WeakMap<Element, Picture>();
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const picture = pictures.get(target);
        if (picture === undefined) continue;
        if (isIntersecting) thumbnails.show(picture);
        else thumbnails.hide(picture);
      }
    },
    { rootMargin: '50% 0px' },
  );
  const watch: Watch = (card, picture) => {
    pictures.set(card, picture);
    observer.observe(card);
    return () => observer.unobserve(card);
  };
  return { watch, observer };
}
