// Moving a camera: a movement begins with the press, is renewed while it lasts,
// and stops with the release, also when the page is left or hidden.
import { call, h, trouble, whenUnseen, whileHeld } from './core.js';
import { Gamepad } from './gamepad.js';
import { t } from './i18n.js';
import { Tours } from './tours.js';

const RENEW_MS = 2000; // the daemon stops what nobody renews for 5 s
const PRESETS_SHOWN = 16; // also those that the camera has not told
const PRESETS = 255;
const PAD = [['up_left', '↖'], ['up', '↑'], ['up_right', '↗'], ['left', '←'], null, ['right', '→'],
  ['down_left', '↙'], ['down', '↓'], ['down_right', '↘']];
const LENS = [['zoom_out', '−'], ['zoom_in', '+'], ['focus_near', 'F−'], ['focus_far', 'F+'], ['iris_close', 'I−'], ['iris_open', 'I+']];
const KEYS = { ArrowUp: 'up', ArrowDown: 'down', ArrowLeft: 'left', ArrowRight: 'right', '+': 'zoom_in', '-': 'zoom_out' };

export class Ptz {
  // path() of the chosen channel
  constructor(root, path) {
    this.root = root;
    this.path = path;
    this.moving = null; // { name, path, timer }
    this.sent = Promise.resolve(); // orders arrive in the order of the presses
    root.querySelector('.pad').append(...PAD.map((b) => (b ? this.button(b) : h('span', {}))));
    root.querySelector('.lens').append(...LENS.map((b) => this.button(b)));
    root.addEventListener('keydown', (e) => this.key(e));
    root.addEventListener('keyup', (e) => { if (KEYS[e.key] && KEYS[e.key] === this.moving?.name) this.stop(); });
    root.addEventListener('focusout', () => this.stop());
    whenUnseen(() => this.stop());
    root.querySelector('.call').addEventListener('click', () => this.preset('POST', '/call'));
    root.querySelector('.keep').addEventListener('click', () => this.changePreset('PUT'));
    root.querySelector('.drop').addEventListener('click', () => this.changePreset('DELETE'));
    this.tours = new Tours(root.querySelector('.tours'), (body) => this.send(this.path(), body), () => this.number);
    this.gamepad = new Gamepad({
      wanted: () => root.open && Boolean(this.path()),
      move: (body) => this.move('gamepad', body),
      stop: () => { if (this.moving?.name === 'gamepad') this.stop(); },
      press: () => this.preset('POST', '/call'),
    });
  }

  get number() {
    return Number(this.root.querySelector('.presets').value);
  }

  button([action, text]) {
    return whileHeld(h('button', { type: 'button', text, 'data-action': action }), () => this.start(action), () => this.stop());
  }

  label() {
    for (const b of this.root.querySelectorAll('[data-action]')) {
      b.title = t('ptz')[b.dataset.action];
      b.setAttribute('aria-label', `${b.title} ${b.textContent}`);
    }
  }

  key(e) {
    const action = KEYS[e.key];
    if (!action || e.target.matches('select, input')) return;
    e.preventDefault();
    if (!e.repeat) this.start(action);
  }

  start(action) {
    if (this.moving?.name !== action) this.move(action, { action, speed: Number(this.root.querySelector('.speed').value) });
  }

  // From now on, until stop() or another one.
  move(name, body) {
    clearInterval(this.moving?.timer);
    const path = this.path();
    const send = () => this.send(path, body);
    this.moving = { name, path, timer: setInterval(send, RENEW_MS) };
    send();
  }

  stop() {
    if (!this.moving) return;
    const { path, timer } = this.moving;
    clearInterval(timer);
    this.moving = null;
    this.send(path, { action: 'stop' });
  }

  // Each waits for the answer to the one before: over two connections a stop
  // could overtake its start.
  send(path, body) {
    this.sent = this.sent.then(async () => this.say(trouble(await call('POST', `${path}/ptz`, body))));
    return this.sent;
  }

  say(text) {
    this.root.querySelector('.said').textContent = text;
  }

  // Numbers at once, names and marks when the camera has told them.
  async presets() {
    const path = this.path();
    this.fill(new Map());
    const r = await call('GET', `${path}/presets?wait=8`);
    if (path !== this.path()) return;
    this.fill(new Map((r.data?.answer ?? []).flatMap((m) => m.PresetList ?? []).map((p) => [Number(p.PresetID), p.PresetName])));
    this.say(trouble(r));
  }

  fill(names) {
    const list = this.root.querySelector('.presets');
    const was = list.value;
    list.replaceChildren(...Array.from({ length: PRESETS }, (_, i) => i + 1).filter((n) => n <= PRESETS_SHOWN || names.has(n))
      .map((n) => h('option', { value: n, text: names.has(n) ? `${n} ${names.get(n) ?? ''} ●` : n })));
    list.value = was;
    if (list.selectedIndex < 0) list.selectedIndex = 0;
  }

  async preset(method, end) {
    const r = await call(method, `${this.path()}/presets/${this.number}${end}?wait=5`);
    this.say(trouble(r));
    return r.ok;
  }

  async changePreset(method) {
    if (await this.preset(method, '')) this.presets();
  }
}
