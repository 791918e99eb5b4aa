/** The picture files that the reader drops, pastes or chooses. */

/** A file under the name by which the page shows it. */
export interface NamedFile {
  readonly name: string;
  readonly file: File;
}

/** Endings of pictures to which browsers give no type. */
const endings = /\.(?:jpe?g|png|webp|gif|bmp|tiff?|heic|heif|avif|jp2|jxl|svg)$/i;

function isPicture({ type, name }: File): boolean {
  return type.startsWith('image/') || endings.test(name);
}

/** What a file input holds, with folders' names where a folder was chosen. */
export function chosenFiles(files: Iterable<File>): NamedFile[] {
  return [...files].map((file) => ({ name: file.webkitRelativePath || file.name, file }));
}

/** Pictures from the clipboard; browsers call each of them image.png. */
export function pastedFiles(data: DataTransfer, time: Date): NamedFile[] {
  const stamp = time.toISOString().slice(0, 19).replaceAll(':', '-');
  return [...data.files].filter(isPicture).map((file, i) => {
    const ending = /\.\w+$/.exec(file.name)?.[0] ?? '.png';
    const name = /^image\.\w+$/.test(file.name) ? `pasted-${stamp}-${i + 1}${ending}` : file.name;
    return { name, file };
  });
}

/**
 * What was dropped, folders with all that is in them. Files that are no pictures are left out of folders, and
 * kept where they were dropped themselves: the server says what is wrong with them.
 */
export async function droppedFiles(data: DataTransfer): Promise<NamedFile[]> {
  // The list is empty after the first wait.
  const items = [...data.items].filter(({ kind }) => kind === 'file');
  const found = items.map((item) => ({ entry: item.webkitGetAsEntry(), file: item.getAsFile() }));
  const lists = await Promise.all(
    found.map(async ({ entry, file }) => {
      if (entry && isFolder(entry)) return filesBelow(entry);
      return file ? [{ name: file.name, file }] : [];
    }),
  );
  return lists.flat();
}

const isFolder = (entry: FileSystemEntry): entry is FileSystemDirectoryEntry => entry.isDirectory;
const isFile = (entry: FileSystemEntry): entry is FileSystemFileEntry => entry.isFile;

async function filesBelow(folder: FileSystemDirectoryEntry): Promise<NamedFile[]> {
  const files: NamedFile[] = [];
  const entries = await entriesOf(folder);
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (isFolder(entry)) files.push(...(await filesBelow(entry)));
    if (!isFile(entry) || entry.name.startsWith('.')) continue;
    const file = await new Promise<File>((resolve, reject) => entry.file(resolve, reject));
    if (isPicture(file)) files.push({ name: entry.fullPath.replace(/^\//, ''), file });
  }
  return files;
}

/** A reader gives at most a hundred entries a call, and none at the end. */
async function entriesOf(folder: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = folder.createReader();
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all;
    all.push(...some);
  }
}
