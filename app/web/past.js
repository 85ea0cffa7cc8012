// What a camera has recorded: one day as a bar, played from where it is clicked,
// paused, and as fast as the camera can.
import { t } from './i18n.js';

const DAY_MS = 86400000;
const two = (n) => String(n).padStart(2, '0');
const clock = (ms) => { const d = new Date(ms); return `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`; };

export class Past {
  // call and path as in ptz.js; play(session) shows it, live() goes back, ours(day) gives what the server
  // has recorded, get(from, until) downloads that
  constructor(root, { call, path, play, live, ours, get }) {
    Object.assign(this, { root, call, path, play, live, ours, get, session: null, recordings: [], here: [], piece: null });
    const now = new Date();
    this.day = root.querySelector('.day');
    this.bar = root.querySelector('.bar');
    this.day.value = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
    this.day.addEventListener('change', () => this.load());
    this.bar.addEventListener('pointerdown', (e) => this.press(e));
    root.querySelector('.get').addEventListener('click', () => this.get(Math.floor(this.piece.from / 1000), Math.ceil(this.piece.until / 1000)));
    this.bar.addEventListener('keydown', (e) => this.key(e));
    root.querySelector('.pause').addEventListener('click', () => this.control(this.paused ? 'resume' : 'pause'));
    root.querySelector('.scale').addEventListener('change', (e) => this.control('scale', { scale: Number(e.target.value) }));
    root.querySelector('.live').addEventListener('click', () => { this.end(); this.live(); });
    this.show();
  }

  begun() {
    return new Date(`${this.day.value}T00:00:00`).getTime();
  }

  // A click plays from there; what is dragged over can be downloaded.
  press(e) {
    const box = this.bar.getBoundingClientRect();
    const at = (ev) => this.begun() + Math.max(0, Math.min(1, (ev.clientX - box.left) / box.width)) * DAY_MS;
    const from = at(e);
    let dragged = false;
    const move = (ev) => {
      dragged ||= Math.abs(ev.clientX - e.clientX) > 4;
      if (dragged) this.mark(Math.min(from, at(ev)), Math.max(from, at(ev)));
    };
    const up = () => {
      this.bar.removeEventListener('pointermove', move);
      if (!dragged) this.begin(from);
    };
    this.bar.setPointerCapture(e.pointerId);
    this.bar.addEventListener('pointermove', move);
    this.bar.addEventListener('pointerup', up, { once: true });
  }

  mark(from, until) {
    this.piece = { from, until };
    this.show();
  }

  key(e) {
    const step = { ArrowLeft: -60000, ArrowRight: 60000 }[e.key];
    if (!step && e.key !== 'Home') return;
    e.preventDefault();
    this.begin(e.key === 'Home' ? this.recordings[0]?.start ?? this.begun() : (this.at ?? this.begun()) + step);
  }

  async load() {
    const path = this.path();
    const day = this.begun();
    this.recordings = [];
    this.here = [];
    this.piece = null;
    this.show();
    this.say(t('asking'));
    this.ours(day / 1000).then((items) => {
      if (path !== this.path() || day !== this.begun()) return;
      this.here = items.map((i) => ({ start: Date.parse(i.start), end: Date.parse(i.end), type: 'ours' }));
      this.draw();
    });
    const r = await this.call('GET', `${path}/recordings?start=${day / 1000}&end=${day / 1000 + 86400}`);
    if (path !== this.path() || day !== this.begun()) return;
    if (!r.ok) {
      this.say([r.data?.detail, r.data?.evidence].filter(Boolean).join(' — '));
      return;
    }
    this.recordings = r.data.items.map((i) => ({ start: Date.parse(i.start), end: Date.parse(i.end), type: i.type }));
    this.say(!this.recordings.length ? t('nothingRecorded') : r.data.complete ? '' : t('notAll'));
    this.draw();
  }

  draw() {
    const day = this.begun();
    const share = (ms) => `${Math.max(0, Math.min(100, (ms - day) / DAY_MS * 100))}%`;
    const marks = [...this.recordings, ...this.here].map((r) => {
      const e = document.createElement('i');
      e.className = r.type === 'alarm' || r.type === 'ours' ? r.type : '';
      e.style.left = share(r.start);
      e.style.width = `calc(${share(r.end)} - ${share(r.start)})`;
      e.title = `${clock(r.start)} – ${clock(r.end)}${r.type === 'ours' ? ` ${t('oursToo')}` : ''}`;
      return e;
    });
    if (this.piece) {
      const e = document.createElement('u');
      e.style.left = share(this.piece.from);
      e.style.width = `calc(${share(this.piece.until)} - ${share(this.piece.from)})`;
      marks.push(e);
    }
    if (this.at) {
      const e = document.createElement('b');
      e.style.left = share(this.at);
      marks.push(e);
    }
    this.bar.replaceChildren(...marks);
    this.bar.setAttribute('aria-valuetext', this.at ? clock(this.at) : '');
    this.bar.setAttribute('aria-valuenow', this.at ? Math.round((this.at - day) / 60000) : 0);
  }

  // Inside the session that plays it is a seek; else another one begins.
  async begin(ms) {
    const r = this.recordings.find((x) => x.start <= ms && ms < x.end) ?? this.recordings.find((x) => x.start > ms);
    if (!r) {
      this.say(t('nothingRecorded'));
      return;
    }
    const from = Math.max(ms, r.start);
    this.mark(r.start, r.end);
    const p = this.session?.playback;
    if (p && Date.parse(p.start) <= from && from < Date.parse(p.end) &&
      await this.control('seek', { position_s: (from - Date.parse(p.start)) / 1000 })) return;
    this.end();
    this.say(t('asking'));
    const mine = this.asked = {};
    const last = this.recordings.reduce((end, x) => (x.start <= end + 2000 ? Math.max(end, x.end) : end), r.end);
    const a = await this.call('POST', `${this.path()}/playback`, { start: Math.floor(from / 1000), end: Math.floor(last / 1000) });
    if (mine !== this.asked) {
      if (a.ok) this.call('DELETE', `/sessions/${a.data.session}`);
      return;
    }
    if (!a.ok) {
      this.say([a.data?.detail, a.data?.evidence, a.data?.hint].filter(Boolean).join(' — '));
      return;
    }
    this.session = a.data;
    this.at = from;
    this.say('');
    this.show();
    this.play(a.data);
    this.timer = setInterval(() => this.look(), 1000);
  }

  async look() {
    const id = this.session?.session;
    const r = id && await this.call('GET', `/sessions/${id}`);
    if (!r || this.session?.session !== id) return;
    if (!r.ok || !r.data.playback) {
      this.say(t('recordingOver'));
      this.end();
      return;
    }
    this.session.playback = r.data.playback;
    this.at = Date.parse(r.data.playback.at);
    this.paused = r.data.playback.paused;
    this.show();
  }

  async control(action, more = {}) {
    if (!this.session) return false;
    const r = await this.call('POST', `/sessions/${this.session.session}/control`, { action, ...more });
    this.say(r.ok ? '' : [r.data?.detail, r.data?.evidence].filter(Boolean).join(' — '));
    if (r.ok) {
      this.paused = r.data.playback.paused;
      if (action === 'seek') this.at = Date.parse(this.session.playback.start) + more.position_s * 1000;
      this.show();
    }
    return r.ok;
  }

  show() {
    const on = Boolean(this.session);
    for (const b of this.root.querySelectorAll('.pause, .scale, .live')) b.disabled = !on;
    this.root.querySelector('.pause').textContent = t(this.paused ? 'resume' : 'pause');
    const get = this.root.querySelector('.get');
    get.disabled = !this.piece;
    get.textContent = `${t('getPiece')}${this.piece ? ` ${clock(this.piece.from)} – ${clock(this.piece.until)}` : ''}`;
    this.root.querySelector('.at').textContent = this.at ? clock(this.at) : '';
    this.draw();
  }

  say(text) {
    this.root.querySelector('.said').textContent = text;
  }

  // The session goes with its last viewer; a button is no reason to wait for that.
  end() {
    clearInterval(this.timer);
    this.asked = null;
    if (this.session) this.call('DELETE', `/sessions/${this.session.session}`);
    this.session = this.at = null;
    this.paused = false;
    this.root.querySelector('.scale').value = '1';
    this.show();
  }

  clear() {
    this.piece = null;
    this.recordings = [];
    this.here = [];
    this.end();
    this.say('');
    this.draw();
  }
}
