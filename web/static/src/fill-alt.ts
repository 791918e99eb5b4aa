/** For a bookmarklet: fills missing alt texts of whatever page it is started on, by the model that lies beside it. */
import { Captioner, fillAltTexts } from 'refcap/web';
import workerAddress from '../../../dist/browser/worker/worker.js?worker&url';

/** Where this script lies: on another site than the page. */
const at = (path: string): URL => new URL(path, import.meta.url);

/** Browsers start no worker from another site, but one from here may import it. */
function startWorker(): Worker {
  const script = `import ${JSON.stringify(at(workerAddress).href)};`;
  const blob = new Blob([script], { type: 'text/javascript' });
  return new Worker(URL.createObjectURL(blob), { type: 'module' });
}

using captioner = await Captioner.load(at('./model/'), { startWorker, runtime: at('./assets/') });
for await (const filled of fillAltTexts(document, captioner))
  console.info(filled.image.currentSrc, 'alt' in filled ? filled.alt : filled.reason);
