/** Builds the page that `refcap serve` shows into dist/web/. Its packages are bundled, so that users install none. */
import { defineConfig } from 'vite';

export default defineConfig({
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2023',
    // The server's Content-Security-Policy lets no data: address and no inline script in.
    assetsInlineLimit: 0,
    modulePreload: false,
    license: { fileName: 'licences.txt' },
  },
});
