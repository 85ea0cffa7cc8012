// What was recorded of a channel on one day, by its device and by this server:
// played from where the bar is clicked, paused, slower and faster, and saved.
import { call, clock, dayOf, may, query, trouble, when } from './core.js';
import { Bar } from './bar.js';
import { addTexts, t } from './i18n.js';
import { FromDevice, FromHere, ownFile } from './sources.js';
import { Saver } from './saver.js';

addTexts({
  en: { playedFrom: 'From', eitherSource: 'either', deviceSource: 'the device', ownSource: 'this server', inSight: 'In sight' },
  zh: { playedFrom: '来源', eitherSource: '自动', deviceSource: '设备', ownSource: '平台', inSight: '显示范围' },
});

const LOOK_MS = 1000;
const JOINED_MS = 2000; // pieces so close are one
const SOURCES = { device: FromDevice, ours: FromHere };

export class Past {
  // path() and what() of the channel, the feed that shows it, live() goes back, get(from, until) downloads
  constructor(root, { path, what, feed, live, get }) {
    Object.assign(this, { root, path, what, feed, live, playing: null, asked: null, piece: null, paused: false, at: null });
    this.pieces = { device: [], ours: [] };
    const $ = (name, kind, fn) => { const e = root.querySelector(`.${name}`); if (kind) e.addEventListener(kind, fn); return e; };
    this.bar = new Bar($('bar'), { seek: (ms) => this.begin(ms), marked: (from, until) => this.mark(from, until), first: () => this.wanted()[0]?.start });
    this.day = $('day', 'change', () => this.load());
    this.day.value = dayOf(new Date());
    this.which = $('which', 'change', () => this.end());
    $('sight', 'change', (e) => this.bar.zoom(Number(e.target.value)));
    this.pauseButton = $('pause', 'click', () => this.pause());
    this.scale = $('scale', 'change', async (e) => this.say(await this.playing?.pace(Number(e.target.value)) ?? ''));
    this.back = $('live', 'click', () => { this.end(); live(); });
    this.getButton = $('get', 'click', () => get(Math.floor(this.piece.start / 1000), Math.ceil(this.piece.end / 1000)));
    this.saver = new Saver($('saver'));
    this.saveButton = $('save', 'click', () => this.save());
    this.show();
  }

  begun() {
    return new Date(`${this.day.value}T00:00:00`).getTime();
  }

  // ---- what there is ----------------------------------------------------------

  async load() {
    const path = this.path();
    const day = this.begun();
    this.pieces = { device: [], ours: [] };
    this.piece = null;
    this.bar.show(day || 0);
    this.root.querySelector('.sight').value = '24';
    this.show();
    if (!day) return;
    this.say(t('asking'));
    const range = { start: day / 1000, end: day / 1000 + 86400 };
    const mine = () => path === this.path() && day === this.begun();
    const goal = this.goal;
    const ours = call('GET', `/records?${query({ ...this.what(), ...range, limit: 2000 })}`).then((r) => {
      if (!mine() || !r.ok) return;
      this.told('ours', r.data.items);
      if (goal && goal === this.goal) this.begin(goal);
      this.goal = null;
    });
    const r = may('operator') ? await call('GET', `${path}/recordings?${query(range)}`) : { ok: true, data: { items: [], complete: true } };
    await ours;
    if (!mine()) return;
    if (r.ok) this.told('device', r.data.items);
    const none = !this.wanted().length;
    this.say(trouble(r) || (none ? t('nothingRecorded') : r.data.complete ? '' : t('notAll')));
  }

  // From there on, of what this server has; the next load plays it
  goTo(ms) {
    this.goal = ms;
    this.day.value = dayOf(new Date(ms));
    this.which.value = 'ours';
  }

  told(source, items) {
    const of = (i) => {
      const [start, end] = [Date.parse(i.start), Date.parse(i.end)];
      return { source, start, end, type: source === 'ours' ? 'ours' : i.type, title: `${clock(start)} – ${clock(end)} · ${t(source === 'ours' ? 'ownSource' : 'deviceSource')}` };
    };
    this.pieces[source] = items.map(of).filter((p) => p.end > p.start).sort((a, b) => a.start - b.start);
    this.show();
  }

  // The device's first: of two that cover a moment that one is played.
  wanted() {
    return Object.keys(SOURCES).filter((s) => !this.which.value || this.which.value === s).flatMap((s) => this.pieces[s]);
  }

  find(ms) {
    const all = this.wanted();
    return all.find((p) => p.start <= ms && ms < p.end) ?? all.filter((p) => p.start > ms).sort((a, b) => a.start - b.start)[0];
  }

  // Until where it goes on from a piece without a gap
  endOf(piece) {
    return this.pieces[piece.source].reduce((end, p) => (p.start <= end + JOINED_MS ? Math.max(end, p.end) : end), piece.end);
  }

  mark(start, end) {
    this.piece = { start, end };
    this.show();
  }

  // ---- playing it -----------------------------------------------------------------

  // Inside what plays it is a seek; else another one begins.
  async begin(ms) {
    const piece = this.find(ms);
    if (!piece) {
      this.say(t('nothingRecorded'));
      return;
    }
    const from = Math.max(ms, piece.start);
    this.mark(piece.start, piece.end);
    const { playing } = this;
    if (playing instanceof SOURCES[piece.source] && await playing.seek(from)) {
      if (playing === this.playing) this.now(from);
      return;
    }
    this.end();
    this.say(t('asking'));
    const mine = this.asked = new SOURCES[piece.source](this.path(), this.feed);
    const wrong = await mine.begin(from, this.endOf(piece));
    if (mine !== this.asked) return;
    this.asked = null;
    this.say(wrong);
    if (wrong) return;
    this.playing = mine;
    this.now(from);
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  now(at, paused = this.paused) {
    this.at = at;
    this.paused = paused;
    this.show();
  }

  async look() {
    const { playing } = this;
    const told = await playing?.look();
    if (!playing || playing !== this.playing) return;
    if (told?.at) {
      this.now(told.at, told.paused);
      return;
    }
    this.end();
    this.say(told?.trouble ?? t('recordingOver'));
    this.live();
  }

  async pause() {
    const on = !this.paused;
    const { playing } = this;
    const wrong = await playing?.pause(on);
    this.say(wrong ?? '');
    if (!wrong && playing && playing === this.playing) this.now(this.at, on);
  }

  save() {
    const { start, end } = this.piece;
    this.saver.save(ownFile(this.path(), start, end), `${this.what().channel}-${when(new Date(start)).replace(/\D/g, '')}.mp4`);
  }

  end() {
    clearInterval(this.timer);
    this.asked?.end();
    this.playing?.end();
    this.asked = this.playing = this.at = null;
    this.paused = false;
    this.scale.value = '1';
    this.show();
  }

  clear() {
    this.saver.cancel();
    this.piece = null;
    this.pieces = { device: [], ours: [] };
    this.end();
    this.say('');
  }

  // ---- what is seen of it ------------------------------------------------------------

  show() {
    for (const e of [this.pauseButton, this.scale, this.back]) e.disabled = !this.playing;
    this.pauseButton.textContent = t(this.paused ? 'resume' : 'pause');
    this.getButton.disabled = !this.piece;
    this.getButton.textContent = `${t('getPiece')}${this.piece ? ` ${clock(this.piece.start)} – ${clock(this.piece.end)}` : ''}`;
    this.saveButton.disabled = !this.piece || !this.pieces.ours.some((p) => p.start < this.piece.end && p.end > this.piece.start);
    this.root.querySelector('.at').textContent = this.at === null ? '' : clock(this.at);
    Object.assign(this.bar, { pieces: [...this.pieces.device, ...this.pieces.ours], piece: this.piece });
    this.bar.place(this.at);
  }

  say(text) {
    this.root.querySelector('.said').textContent = text;
  }
}
