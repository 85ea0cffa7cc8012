// Many pictures at once: 1, 4, 9 or 16 cells. Channels come from the tree, by a
// click into the chosen cell or by dragging; what stands where is remembered.
import { button, h, recall, remember, select, when } from './core.js';
import { Feed } from './feed.js';
import { addTexts, failureText, t } from './i18n.js';
import { saveBlob } from './saver.js';

addTexts({
  en: { snapshot: 'Picture', remove: 'Remove', cells: 'Cells', emptyCell: 'Choose a channel in the tree, or drag one here', cell: 'Cell', removeAll: 'Empty all' },
  zh: { snapshot: '抓图', remove: '移除', cells: '分屏', emptyCell: '在设备树中选择通道，或拖到此处', cell: '窗格', removeAll: '全部清空' },
});

const SIZES = [1, 4, 9, 16];
const JPEG_QUALITY = 0.92;
const KEPT = 'wall'; // in localStorage

class Cell {
  constructor(wall, at) {
    this.wall = wall;
    this.at = at;
    this.what = null; // { device, channel, name, stream }
    this.video = h('video', { muted: true, playsinline: true });
    this.video.muted = true;
    this.said = h('div', { class: 'said' });
    this.name = h('span', { class: 'name' });
    this.stream = select([['main', 'main'], ['sub', 'sub']], { label: 'stream', onchange: () => this.put({ ...this.what, stream: this.stream.value }) });
    this.sound = button('soundOn', () => wall.listen(this.video.muted ? this : null), { 'aria-pressed': 'false' });
    this.bar = h('div', { class: 'controls', hidden: true }, this.name, this.stream, this.sound, button('snapshot', () => this.snapshot()),
      button('full', () => this.root.requestFullscreen?.()), button('remove', () => { this.put(null); wall.keep(); }));
    this.root = h('div', { class: 'cell', tabindex: 0, role: 'group' }, this.video, this.said, this.bar);
    this.feed = new Feed(this.video, {
      say: (text) => { this.said.textContent = text; },
      problem: (p) => { this.said.textContent = failureText(p); this.feed.later(); },
      got: () => {},
    });
    this.wire();
    this.label();
  }

  wire() {
    const { root } = this;
    root.addEventListener('focusin', () => this.wall.select(this));
    root.addEventListener('pointerdown', () => this.wall.select(this));
    root.addEventListener('keydown', (e) => { if (e.key === 'Delete' && e.target === root) { this.put(null); this.wall.keep(); } });
    root.addEventListener('dragover', (e) => { e.preventDefault(); root.classList.add('over'); });
    root.addEventListener('dragleave', () => root.classList.remove('over'));
    root.addEventListener('drop', (e) => { e.preventDefault(); root.classList.remove('over'); this.dropped(e.dataTransfer.getData('text/plain')); });
    root.addEventListener('dragstart', (e) => e.dataTransfer.setData('text/plain', JSON.stringify({ cell: this.at })));
    root.addEventListener('dblclick', () => (document.fullscreenElement ? document.exitFullscreen() : root.requestFullscreen?.()));
  }

  dropped(text) {
    let data;
    try { data = JSON.parse(text); } catch { return; }
    if (Array.isArray(data)) this.put({ device: data[0], channel: data[1], name: data[2], stream: this.wall.usual });
    else if (this.wall.cells[data?.cell]) this.wall.swap(this, this.wall.cells[data.cell]);
    this.wall.keep();
  }

  put(what) {
    this.feed.close();
    this.what = what;
    this.bar.hidden = !what;
    this.root.draggable = Boolean(what);
    this.label();
    if (!what) this.mute(true);
    if (what) this.stream.value = what.stream;
    this.run();
  }

  run() {
    if (this.what && this.wall.shown && !document.hidden) this.feed.open({ ...this.what, transport: 'auto' });
  }

  label() {
    this.name.textContent = this.what?.name ?? '';
    if (!this.what) this.said.textContent = t('emptyCell');
    this.root.setAttribute('aria-label', `${t('cell')} ${this.at + 1}${this.what ? `: ${this.what.name}` : ''}`);
    this.sound.dataset.t = this.video.muted ? 'soundOn' : 'soundOff';
    this.sound.textContent = t(this.sound.dataset.t);
  }

  mute(muted) {
    this.video.muted = muted;
    this.sound.setAttribute('aria-pressed', String(!muted));
    this.label();
  }

  snapshot() {
    const { videoWidth: width, videoHeight: height } = this.video;
    if (!width) return;
    const canvas = h('canvas', { width, height });
    canvas.getContext('2d').drawImage(this.video, 0, 0);
    const name = `${this.what.channel}-${when(new Date()).replaceAll(':', '').replace(' ', '-')}.jpg`;
    canvas.toBlob((blob) => blob && saveBlob(blob, name), 'image/jpeg', JPEG_QUALITY);
  }
}

export default class Wall {
  constructor(root) {
    this.cells = [];
    this.shown = false;
    this.grid = h('div', { class: 'wall' });
    this.size = h('div', { class: 'sizes', role: 'group', label: 'cells' }, SIZES.map((n) => h('button', { type: 'button', 'data-n': n, text: n, onclick: () => this.resize(n) })));
    root.append(h('div', { class: 'title' }, h('h1', { t: 'view_wall' }), this.size,
      button('removeAll', () => { for (const c of this.cells) c.put(null); this.keep(); }),
      button('full', () => this.grid.requestFullscreen?.())), this.grid);
    let kept = null;
    try { kept = JSON.parse(recall(KEPT)); } catch { /* as if there were none */ }
    this.resize(SIZES.includes(kept?.n) ? kept.n : 4, kept?.cells ?? []);
    document.addEventListener('visibilitychange', () => this.turn());
  }

  get usual() {
    return this.cells.length > 4 ? 'sub' : 'main';
  }

  resize(n, what = this.cells.map((c) => c.what)) {
    for (const c of this.cells) c.feed.close();
    this.cells = Array.from({ length: n }, (_, i) => new Cell(this, i));
    this.grid.style.setProperty('--side', Math.sqrt(n));
    this.grid.replaceChildren(...this.cells.map((c) => c.root));
    this.cells.forEach((c, i) => { if (what[i]?.channel) c.put(what[i]); });
    for (const b of this.size.children) b.setAttribute('aria-pressed', String(Number(b.dataset.n) === n));
    this.select(this.cells.find((c) => !c.what) ?? this.cells[0]);
    this.keep();
  }

  keep() {
    remember(KEPT, JSON.stringify({ n: this.cells.length, cells: this.cells.map((c) => c.what) }));
  }

  select(cell) {
    this.selected = cell;
    for (const c of this.cells) c.root.toggleAttribute('data-selected', c === cell);
  }

  // From the tree: into the chosen cell; then the next that is empty is chosen.
  put(device, channel, name) {
    this.selected.put({ device, channel, name, stream: this.usual });
    this.keep();
    const after = this.cells.indexOf(this.selected);
    this.select([...this.cells.slice(after), ...this.cells.slice(0, after)].find((c) => !c.what) ?? this.selected);
  }

  swap(a, b) {
    const was = a.what;
    a.put(b.what);
    b.put(was);
  }

  // One is heard at a time.
  listen(cell) {
    for (const c of this.cells) c.mute(c !== cell);
  }

  turn() {
    for (const c of this.cells) {
      if (this.shown && !document.hidden) c.run();
      else c.feed.pause();
    }
  }

  show() {
    this.shown = true;
    this.turn();
  }

  hide() {
    this.shown = false;
    this.turn();
  }

  language() {
    for (const c of this.cells) c.label();
  }
}
