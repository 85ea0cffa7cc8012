// A piece of this server's recordings into a file of the browser, with its progress.
import { button, bytes, h, trouble } from './core.js';
import { addTexts, t } from './i18n.js';

addTexts({
  en: { saveOurs: 'Save as MP4', savingOurs: 'Saving', cancelSave: 'Cancel', fileBroken: 'The file could not be played.',
    noReverse: 'The recordings of this server play forward alone.' },
  zh: { saveOurs: '导出 MP4', savingOurs: '正在导出', cancelSave: '取消', fileBroken: '文件无法播放。',
    noReverse: '本服务器的录像只能正向播放。' },
});

const KEEP_URL_MS = 10000; // until the browser has begun to save

export function saveBlob(blob, name) {
  const href = URL.createObjectURL(blob);
  h('a', { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), KEEP_URL_MS);
}

export class Saver {
  constructor(root) {
    this.bar = h('progress', { max: 1, label: 'savingOurs' });
    this.said = h('span', { class: 'hint', role: 'status' });
    this.box = h('span', { class: 'tools', hidden: true }, this.bar, button('cancelSave', () => this.cancel()));
    root.append(this.box, this.said);
  }

  cancel() {
    this.abort?.abort();
  }

  async save(url, name) {
    this.cancel();
    const mine = this.abort = new AbortController();
    this.box.hidden = false;
    this.bar.removeAttribute('value');
    this.said.textContent = t('savingOurs');
    try {
      const blob = await this.read(url, mine.signal);
      saveBlob(blob, name);
      this.said.textContent = bytes(blob.size);
    } catch (e) {
      if (mine === this.abort) this.said.textContent = e.name === 'AbortError' ? '' : e.message;
    }
    if (mine === this.abort) this.box.hidden = true;
  }

  async read(url, signal) {
    const r = await fetch(url, { credentials: 'same-origin', signal });
    if (!r.ok) throw new Error(trouble({ ok: false, status: r.status, data: await r.json().catch(() => null) }));
    const total = Number(r.headers.get('Content-Length'));
    const reader = r.body.getReader();
    const parts = [];
    let got = 0;
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      parts.push(part.value);
      got += part.value.length;
      if (total) this.bar.value = got / total;
      this.said.textContent = `${t('savingOurs')} ${bytes(got)}`;
    }
    return new Blob(parts, { type: 'video/mp4' });
  }
}
