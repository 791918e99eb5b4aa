/** The script of an explanation's page: shows the map of the word that is chosen. It runs in the reader's browser. */
export const show: string = `() => {
  for (const section of document.querySelectorAll('.explained')) {
    const veil = section.querySelector('.large .veil');
    const about = section.querySelector('.about');
    const buttons = [...section.querySelectorAll('button.word')];
    const veils = [...section.querySelectorAll('.sheet .veil')].map((image) => image.src);
    const choose = (at) => {
      for (const [i, button] of buttons.entries()) button.setAttribute('aria-pressed', String(i === at));
      veil.src = veils[at];
      about.textContent = buttons[at].dataset.about;
    };
    for (const [at, button] of buttons.entries()) {
      button.addEventListener('pointerenter', () => choose(at));
      button.addEventListener('focus', () => choose(at));
      button.addEventListener('click', () => choose(at));
      button.addEventListener('keydown', (event) => {
        const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
        buttons[Math.min(buttons.length - 1, Math.max(0, at + step))].focus();
        event.preventDefault();
      });
    }
  }
}`;
