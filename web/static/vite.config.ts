/** Builds the page that captions by itself, for any static host: into dist/static/, with addresses relative to it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig, type Plugin } from 'vite';

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** Writes the service worker with the list of what it keeps; what only some need is kept when it was needed. */
function serviceWorker(): Plugin {
  return {
    name: 'service-worker',
    generateBundle(_, bundle) {
      const needed = Object.entries(bundle).filter(([name]) => !/asyncify|licences/.test(name));
      const hash = createHash('sha256');
      for (const [, file] of needed) hash.update('code' in file ? file.code : file.source);
      const files = ['./', './icon.svg', ...needed.map(([name]) => `./${name}`)];
      const source = readFileSync(at('./service-worker.js'), 'utf8')
        .replace('__NAME__', `refcap-page-${hash.digest('hex').slice(0, 12)}`)
        .replace('__FILES__', JSON.stringify(files.filter((name) => name !== './index.html')));
      this.emitFile({ type: 'asset', fileName: 'service-worker.js', source });
    },
  };
}

/** Has the browser fetch what draws the page while it starts the worker. */
function preloadApp(): Plugin {
  return {
    name: 'preload-app',
    transformIndexHtml: {
      order: 'post',
      handler: (_, { bundle = {} }) => {
        const file = Object.keys(bundle).find((name) => /^assets\/app-.*\.js$/.test(name));
        if (file === undefined)
          throw new Error('the script that draws the page is not among the files');
        return [
          { tag: 'link', attrs: { rel: 'modulepreload', href: `./${file}` }, injectTo: 'head' },
        ];
      },
    },
  };
}

export default defineConfig({
  base: './',
  resolve: {
    alias: [
      { find: 'refcap/web', replacement: at('../../dist/browser/index.js') },
      // As package.json's field `browser` has it for packages that use this one.
      {
        find: /^\.\/back-end\/node\.js$/,
        replacement: at('../../dist/engine/runtime/back-end/web.js'),
      },
    ],
  },
  worker: {
    format: 'es',
    rolldownOptions: { output: { assetFileNames: 'assets/[name][extname]' } },
  },
  build: {
    outDir: '../../dist/static',
    emptyOutDir: true,
    target: 'es2023',
    // The page's Content-Security-Policy lets no data: address in.
    assetsInlineLimit: 0,
    modulePreload: false,
    license: { fileName: 'licences.txt' },
    rolldownOptions: {
      input: { index: at('./index.html'), 'fill-alt': at('./src/fill-alt.ts') },
      output: {
        // What other pages import has a name that stays.
        entryFileNames: ({ name }) =>
          name === 'fill-alt' ? '[name].js' : 'assets/[name]-[hash].js',
        assetFileNames: ({ names }) =>
          names.some((name) => name.endsWith('.wasm'))
            ? 'assets/[name][extname]'
            : 'assets/[name]-[hash][extname]',
      },
    },
  },
  plugins: [serviceWorker(), preloadApp()],
});
