/** Builds the pages that `refcap serve` and `refcap review` show into dist/web/. Its packages are bundled, so that users install none. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

export default defineConfig({
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2023',
    // The server's Content-Security-Policy lets no data: address and no inline script in.
    assetsInlineLimit: 0,
    modulePreload: false,
    rollupOptions: {
      input: ['index.html', 'review.html'].map((name) =>
        fileURLToPath(new URL(name, import.meta.url)),
      ),
    },
    license: { fileName: 'licences.txt' },
  },
});
