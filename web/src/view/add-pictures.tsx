/** The place to drop pictures on, with buttons that choose or take them. */
import type { VNode } from 'preact';
import { useRef } from 'preact/hooks';
import type { Page } from '../page.ts';
import { chosenFiles } from '../pictures/files.ts';

/** What a browser shows to choose from; the server says what it cannot read. */
const accept = 'image/*,.heic,.heif,.tif,.tiff,.avif,.jp2';

export function AddPictures({ page }: { readonly page: Page }): VNode {
  return (
    <section class="add" aria-labelledby="add-title">
      <h2 id="add-title">Add pictures</h2>
      <p>Drop pictures or folders anywhere on this page, paste them, or</p>
      <p class="buttons">
        <FileButton
          page={page}
          label="Choose pictures"
          id="choose"
          attributes={{ multiple: true }}
        />
        <FileButton page={page} label="Choose a folder" attributes={{ webkitdirectory: true }} />
        <FileButton
          page={page}
          label="Take a photo"
          className="camera"
          attributes={{ capture: 'environment' }}
        />
      </p>
    </section>
  );
}

interface FileButtonProps {
  readonly page: Page;
  readonly label: string;
  readonly id?: string;
  readonly className?: string;
  readonly attributes: {
    readonly multiple?: boolean;
    readonly webkitdirectory?: boolean;
    readonly capture?: 'environment';
  };
}

/** A button for a file input, which looks different in every browser. */
function FileButton({ page, label, id, className, attributes }: FileButtonProps): VNode {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <button type="button" id={id} class={className} onClick={() => input.current?.click()}>
        {label}
      </button>
      <input
        ref={input}
        type="file"
        hidden
        accept={accept}
        {...attributes}
        onChange={({ currentTarget }) => {
          page.add(chosenFiles(currentTarget.files ?? []));
          // So that the same file may be chosen again.
          currentTarget.value = '';
        }}
      />
    </>
  );
}
