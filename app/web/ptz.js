// Moving a camera: a movement begins with the press, is renewed while it lasts,
// and stops with the release, also when the page is left or hidden.
import { t } from './i18n.js';

const RENEW_MS = 2000; // the daemon stops what nobody renews for 5 s
const PAD = [['up_left', '↖'], ['up', '↑'], ['up_right', '↗'], ['left', '←'], ['zoom_in', '+'], ['right', '→'],
  ['down_left', '↙'], ['down', '↓'], ['down_right', '↘']];
const LENS = [['zoom_out', '−'], ['focus_near', 'F−'], ['focus_far', 'F+'], ['iris_close', 'I−'], ['iris_open', 'I+']];
const KEYS = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right', '+': 'zoom_in', '-': 'zoom_out' };

export class Ptz {
  // call(method, path, body) as the page has it; path() of the chosen channel
  constructor(root, call, path) {
    this.root = root;
    this.call = call;
    this.path = path;
    this.moving = null;
    root.querySelector('.pad').append(...PAD.map((b) => this.button(b)));
    root.querySelector('.lens').append(...LENS.map((b) => this.button(b)));
    root.addEventListener('keydown', (e) => this.key(e));
    root.addEventListener('keyup', (e) => { if (KEYS[e.key] === this.moving?.action) this.stop(); });
    root.addEventListener('focusout', () => this.stop());
    addEventListener('blur', () => this.stop());
    addEventListener('pagehide', () => this.stop());
    document.addEventListener('visibilitychange', () => { if (document.hidden) this.stop(); });
    root.querySelector('.call').addEventListener('click', () => this.preset('POST', '/call'));
    root.querySelector('.keep').addEventListener('click', async () => { await this.preset('PUT', ''); this.presets(); });
  }

  button([action, sign]) {
    const b = document.createElement('button');
    b.type = 'button';
    b.textContent = sign;
    b.dataset.action = action;
    b.addEventListener('pointerdown', (e) => { b.setPointerCapture(e.pointerId); this.start(action); });
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) b.addEventListener(end, () => this.stop());
    b.addEventListener('keydown', (e) => { if (!e.repeat && (e.key === ' ' || e.key === 'Enter')) this.start(action); });
    b.addEventListener('keyup', (e) => { if (e.key === ' ' || e.key === 'Enter') this.stop(); });
    return b;
  }

  label() {
    for (const b of this.root.querySelectorAll('[data-action]')) b.title = t('ptz')[b.dataset.action];
    for (const b of this.root.querySelectorAll('[data-action]')) b.setAttribute('aria-label', b.title);
  }

  key(e) {
    const action = KEYS[e.key];
    if (!action || e.target.matches('select, input')) return;
    e.preventDefault();
    if (!e.repeat) this.start(action);
  }

  async start(action) {
    if (this.moving?.action === action) return;
    clearInterval(this.moving?.timer);
    const path = this.path();
    const body = { action, speed: Number(this.root.querySelector('.speed').value) };
    const send = () => this.send(path, body);
    this.moving = { action, path, timer: setInterval(send, RENEW_MS) };
    await send();
  }

  stop() {
    if (!this.moving) return;
    const { path, timer } = this.moving;
    clearInterval(timer);
    this.moving = null;
    this.send(path, { action: 'stop' });
  }

  async send(path, body) {
    const r = await this.call('POST', `${path}/ptz`, body);
    this.say(r.ok ? '' : [r.data?.detail, r.data?.evidence].filter(Boolean).join(' — '));
  }

  say(text) {
    this.root.querySelector('.said').textContent = text;
  }

  async presets() {
    const list = this.root.querySelector('.presets');
    const path = this.path();
    const r = await this.call('GET', `${path}/presets?wait=8`);
    if (path !== this.path()) return;
    const names = new Map((r.data?.answer ?? []).flatMap((m) => m.PresetList ?? []).map((p) => [Number(p.PresetID), p.PresetName]));
    list.replaceChildren(...Array.from({ length: 255 }, (_, i) => i + 1).filter((n) => n <= 16 || names.has(n)).map((n) => {
      const o = document.createElement('option');
      o.value = n;
      o.textContent = names.has(n) ? `${n} ${names.get(n) ?? ''} ●` : n;
      return o;
    }));
    this.say(r.ok ? '' : r.data?.detail ?? '');
  }

  async preset(method, end) {
    const n = this.root.querySelector('.presets').value;
    const r = await this.call(method, `${this.path()}/presets/${n}${end}?wait=5`);
    this.say(r.ok ? '' : r.data?.detail ?? '');
  }
}
