/** The service worker, which keeps the page. */

/**
 * Settles when the service worker answers what this page asks for, or when it does not come. At a first visit the model
 * waits for that: ONNX Runtime's WebAssembly is then fetched once, and the browser keeps its compiled code with the copy
 * that the next visit reads.
 */
export async function pageIsKept(): Promise<void> {
  // Pages by plain HTTP have none.
  const workers: ServiceWorkerContainer | undefined = navigator.serviceWorker;
  const registering = workers?.register('./service-worker.js').catch(() => undefined);
  if (workers?.controller) return;
  const registration = await registering;
  const worker = registration?.installing ?? registration?.waiting ?? registration?.active;
  if (worker) await settled(worker);
}

/** It takes this page over before it is activated. */
function settled(worker: ServiceWorker): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (worker.state === 'activated' || worker.state === 'redundant') resolve();
    };
    worker.addEventListener('statechange', look);
    look();
  });
}
