// A day, or hours of it, as a bar: what is recorded, where it plays, and the
// piece that was dragged over. A click or a key seeks.
import { clock, h } from './core.js';

const DAY_MS = 86400000;
const STEP_MS = 60000; // of an arrow key
const TICKS = 8; // times written below
const DRAG_PX = 4; // less is a click

export class Bar {
  // on: { seek(ms), marked(from, until), first() }
  constructor(root, on) {
    Object.assign(this, { root, on, day: 0, from: 0, length: DAY_MS, pieces: [], piece: null, at: null });
    root.addEventListener('pointerdown', (e) => this.press(e));
    root.addEventListener('keydown', (e) => this.key(e));
  }

  // A day from its midnight on: all of it is in sight.
  show(day) {
    Object.assign(this, { day, from: day, length: DAY_MS });
    this.draw();
  }

  // hours in sight, around where it plays
  zoom(hours) {
    this.length = hours * 3600000;
    this.center(this.at ?? this.day + DAY_MS / 2);
    this.draw();
  }

  center(ms) {
    this.from = Math.max(this.day, Math.min(this.day + DAY_MS - this.length, ms - this.length / 2));
  }

  // Where it plays; null: nowhere
  place(ms) {
    this.at = ms;
    if (ms !== null && this.length < DAY_MS && (ms < this.from || ms > this.from + this.length)) this.center(ms);
    this.draw();
  }

  press(e) {
    const box = this.root.getBoundingClientRect();
    const at = (ev) => this.from + Math.max(0, Math.min(1, (ev.clientX - box.left) / box.width)) * this.length;
    const from = at(e);
    let dragged = false;
    const over = new AbortController();
    const on = (kind, fn) => this.root.addEventListener(kind, fn, { signal: over.signal });
    this.root.setPointerCapture(e.pointerId);
    on('pointermove', (ev) => {
      dragged ||= Math.abs(ev.clientX - e.clientX) > DRAG_PX;
      if (dragged) this.on.marked(Math.min(from, at(ev)), Math.max(from, at(ev)));
    });
    on('pointerup', () => { over.abort(); if (!dragged) this.on.seek(from); });
    on('pointercancel', () => over.abort());
  }

  key(e) {
    const step = { ArrowLeft: -STEP_MS, ArrowRight: STEP_MS }[e.key];
    if (!step && e.key !== 'Home') return;
    e.preventDefault();
    this.on.seek(step ? (this.at ?? this.day) + step : this.on.first() ?? this.day);
  }

  draw() {
    const share = (ms) => `${Math.max(0, Math.min(100, (ms - this.from) / this.length * 100))}%`;
    const inSight = (p) => p.end > this.from && p.start < this.from + this.length;
    const mark = (tag, p, more = {}) => h(tag, { style: `left:${share(p.start)};width:calc(${share(p.end)} - ${share(p.start)})`, ...more });
    const marks = this.pieces.filter(inSight).map((p) => mark('i', p, { class: p.type, title: p.title }));
    const tick = this.length / TICKS;
    const ticks = Array.from({ length: TICKS }, (_, i) => h('span', { class: 'tick', style: `left:${share(this.from + i * tick)}`, text: clock(this.from + i * tick).slice(0, 5) }));
    this.root.replaceChildren(...ticks, ...marks, this.piece && inSight(this.piece) ? mark('u', this.piece) : '',
      this.at === null ? '' : h('b', { style: `left:${share(this.at)}` }));
    this.root.setAttribute('aria-valuetext', this.at === null ? '–' : clock(this.at));
    this.root.setAttribute('aria-valuenow', this.at === null ? 0 : Math.round((this.at - this.day) / 60000));
  }
}
