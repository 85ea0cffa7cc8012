// A map: a net of degrees, tiles below it where the server has some, and what
// stands on it. Dragged, zoomed by
// wheel, buttons and keys. Degrees of longitude are narrowed as at its middle.
import { h } from './core.js';

const SVG = 'http://www.w3.org/2000/svg';
const STEPS = [30, 10, 5, 2, 1, 0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001]; // degrees between lines
const LINE_PX = 90; // at least, between two lines
const SCALE_MAX = 4e6; // pixels a degree: 3 cm a pixel
const FIT_MIN_DEG = 0.01; // of height in sight, however near things are
const DRAWN_MAX = 3000;
const LABELS_MAX = 60; // more names would cover each other
const LABEL_PX = 15; // from one name to the next
const NAME_MAX = 24; // letters of one; all of it is in its title
const PAN_PX = 60; // of an arrow key
const KM_A_DEGREE = 111.32;
const TILE_PX = 256;
const TILES_MAX = 400; // kept

function shape(tag, attrs, ...kids) {
  const e = document.createElementNS(SVG, tag);
  for (const [k, v] of Object.entries(attrs)) e.setAttribute(k, v);
  e.append(...kids);
  return e;
}

const angle = (v, step, [plus, minus]) => `${Math.abs(v).toFixed(Math.max(0, Math.ceil(-Math.log10(step))))}°${v < 0 ? minus : plus}`;

export class Chart {
  // on: { pick(place) }
  constructor(on) {
    Object.assign(this, { on, places: [], track: [], lon: 104, lat: 35, scale: 10, width: 0, height: 0, images: new Map() });
    this.svg = shape('svg', { 'aria-hidden': 'true' });
    this.root = h('div', { class: 'chart', tabindex: 0, role: 'application', label: 'mapOf' }, this.svg);
    new ResizeObserver(() => this.measure()).observe(this.root);
    this.root.addEventListener('wheel', (e) => { e.preventDefault(); this.zoom(e.deltaY < 0 ? 1.25 : 0.8, e.offsetX, e.offsetY); }, { passive: false });
    this.root.addEventListener('pointerdown', (e) => this.press(e));
    this.root.addEventListener('keydown', (e) => this.key(e));
  }

  measure() {
    [this.width, this.height] = [this.root.clientWidth, this.root.clientHeight];
    this.draw();
  }

  get narrow() {
    return Math.max(0.05, Math.cos(this.lat * Math.PI / 180));
  }

  x(lon) { return this.width / 2 + (lon - this.lon) * this.scale * this.narrow; }
  y(lat) { return this.height / 2 - (lat - this.lat) * this.scale; }

  pan(dx, dy) {
    this.lon = Math.max(-180, Math.min(180, this.lon - dx / this.scale / this.narrow));
    this.lat = Math.max(-85, Math.min(85, this.lat + dy / this.scale));
    this.draw();
  }

  // What lies at (x, y) stays there.
  zoom(by, x = this.width / 2, y = this.height / 2) {
    const to = Math.max(this.width / 400, Math.min(SCALE_MAX, this.scale * by));
    const [dx, dy] = [x - this.width / 2, y - this.height / 2];
    const step = 1 / this.scale - 1 / to;
    this.lon += dx * step / this.narrow;
    this.lat = Math.max(-85, Math.min(85, this.lat - dy * step));
    this.scale = to;
    this.draw();
  }

  fit() {
    if (!this.places.length || !this.width) return;
    const range = (key) => this.places.reduce(([lo, hi], p) => [Math.min(lo, p[key]), Math.max(hi, p[key])], [Infinity, -Infinity]);
    const [west, east] = range('longitude');
    const [south, north] = range('latitude');
    this.lon = (west + east) / 2;
    this.lat = (south + north) / 2;
    this.scale = Math.min(this.height / Math.max(FIT_MIN_DEG, north - south), this.width / Math.max(FIT_MIN_DEG, east - west) / this.narrow) * 0.85;
    this.draw();
  }

  press(e) {
    if (e.target.closest('.place')) return;
    let [x, y] = [e.clientX, e.clientY];
    const over = new AbortController();
    const on = (kind, fn) => this.root.addEventListener(kind, fn, { signal: over.signal });
    this.root.setPointerCapture(e.pointerId);
    on('pointermove', (ev) => { this.pan(ev.clientX - x, ev.clientY - y); [x, y] = [ev.clientX, ev.clientY]; });
    for (const end of ['pointerup', 'pointercancel']) on(end, () => over.abort());
  }

  key(e) {
    const pans = { ArrowLeft: [PAN_PX, 0], ArrowRight: [-PAN_PX, 0], ArrowUp: [0, PAN_PX], ArrowDown: [0, -PAN_PX] }[e.key];
    if (pans) this.pan(...pans);
    else if (e.key === '+' || e.key === '-') this.zoom(e.key === '+' ? 1.5 : 1 / 1.5);
    else return;
    e.preventDefault();
  }

  show(places) {
    this.places = places;
    this.draw();
  }

  // ---- drawing ------------------------------------------------------------------

  draw() {
    if (!this.width) return;
    this.svg.setAttribute('viewBox', `0 0 ${this.width} ${this.height}`);
    const inSight = this.places.filter((p) => this.isInSight(p)).slice(0, DRAWN_MAX);
    const labels = inSight.length <= LABELS_MAX ? this.labels(inSight) : [];
    this.svg.replaceChildren(...this.tiles(), ...this.net(), ...this.way(), ...inSight.map((p, i) => this.place(p, labels[i])), ...this.ruler());
  }

  // Of the server's own tiles (Web Mercator), where it has any: those in sight.
  tiles() {
    if (this.zoomMax === undefined) return [];
    const wanted = Math.round(Math.log2(this.scale * this.narrow * 360 / TILE_PX));
    const z = Math.max(0, Math.min(this.zoomMax, wanted));
    const n = 2 ** z;
    const column = (lon) => Math.max(0, Math.min(n - 1, Math.floor((lon + 180) / 360 * n)));
    const row = (lat) => { const r = Math.max(-85, Math.min(85, lat)) * Math.PI / 180; return Math.max(0, Math.min(n - 1, Math.floor((1 - Math.asinh(Math.tan(r)) / Math.PI) / 2 * n))); };
    const latitude = (y) => Math.atan(Math.sinh(Math.PI * (1 - 2 * y / n))) * 180 / Math.PI;
    const [w, hgt] = [this.width / 2 / this.scale / this.narrow, this.height / 2 / this.scale];
    const out = [];
    for (let x = column(this.lon - w); x <= column(this.lon + w); x++) {
      for (let y = row(this.lat + hgt); y <= row(this.lat - hgt); y++) {
        const [left, top] = [this.x(x / n * 360 - 180), this.y(latitude(y))];
        const tile = this.tile(`${z}/${x}/${y}`);
        for (const [k, v] of Object.entries({ x: left, y: top, width: this.x((x + 1) / n * 360 - 180) - left + 0.5, height: this.y(latitude(y + 1)) - top + 0.5 })) tile.setAttribute(k, v.toFixed(1));
        out.push(tile);
      }
    }
    return out;
  }

  // Each is fetched once; one that is not there shows nothing.
  tile(name) {
    if (this.images.size > TILES_MAX) this.images.clear();
    if (!this.images.has(name)) {
      const image = shape('image', { class: 'tile', href: `/api/v1/map/${name}.png`, preserveAspectRatio: 'none' });
      image.addEventListener('error', () => { image.style.display = 'none'; });
      this.images.set(name, image);
    }
    return this.images.get(name);
  }

  isInSight(p) {
    const [x, y] = [this.x(p.longitude), this.y(p.latitude)];
    return x > -20 && x < this.width + 20 && y > -20 && y < this.height + 20;
  }

  net() {
    const step = STEPS.filter((s) => s * this.scale * this.narrow >= LINE_PX).at(-1) ?? STEPS[0];
    const lines = (from, to, draw) => Array.from({ length: Math.max(0, Math.ceil(to / step) - Math.floor(from / step)) }, (_, i) => draw((Math.floor(from / step) + i) * step)).flat();
    const [w, hgt] = [this.width / 2 / this.scale / this.narrow, this.height / 2 / this.scale];
    return [
      ...lines(this.lon - w, this.lon + w, (v) => [shape('path', { class: 'net', d: `M${this.x(v)} 0V${this.height}` }), shape('text', { x: this.x(v) + 4, y: 14 }, angle(v, step, 'EW'))]),
      ...lines(this.lat - hgt, this.lat + hgt, (v) => [shape('path', { class: 'net', d: `M0 ${this.y(v)}H${this.width}` }), shape('text', { x: 4, y: this.y(v) - 4 }, angle(v, step, 'NS'))]),
    ];
  }

  way() {
    if (this.track.length < 2) return [];
    return [shape('polyline', { class: 'way', points: this.track.map((p) => `${this.x(p.longitude).toFixed(1)},${this.y(p.latitude).toFixed(1)}`).join(' ') })];
  }

  // Names beside their places, below those that stand there already.
  labels(places) {
    const taken = [];
    return places.map((p) => {
      const name = p.name.length > NAME_MAX ? `${p.name.slice(0, NAME_MAX - 1)}…` : p.name;
      const width = [...name].reduce((n, c) => n + (c > '\u2e80' ? 12 : 7), 9);
      const [x, at] = [this.x(p.longitude), this.y(p.latitude)];
      const isLeft = x + width > this.width;
      const [from, to] = isLeft ? [x - width, x] : [x, x + width];
      let y = at;
      while (taken.some((o) => Math.abs(o.y - y) < LABEL_PX && o.from < to && from < o.to)) y += LABEL_PX;
      taken.push({ from, to, y });
      return shape('text', { x: isLeft ? -9 : 9, y: y - at + 4, 'text-anchor': isLeft ? 'end' : 'start' }, name);
    });
  }

  place(p, label) {
    const at = `translate(${this.x(p.longitude).toFixed(1)} ${this.y(p.latitude).toFixed(1)})`;
    const mark = !p.fixed && Number.isFinite(p.direction) ? shape('path', { d: 'M0 -9L6 7L0 3L-6 7Z', transform: `rotate(${p.direction})` }) : shape('circle', { r: p.fixed ? 4.5 : 6 });
    const g = shape('g', { class: `place${p.fixed ? ' fixed' : ''}${p.chosen ? ' chosen' : ''}`, transform: at }, shape('title', {}, p.name), mark, label ?? '');
    g.addEventListener('click', () => this.on.pick(p));
    return g;
  }

  // A length of one, two or five, of at most a fifth of the width
  ruler() {
    const most = this.width / 5 / this.scale * KM_A_DEGREE;
    const ten = 10 ** Math.floor(Math.log10(most));
    const km = [5, 2, 1].map((n) => n * ten).find((n) => n <= most) ?? ten;
    const length = km / KM_A_DEGREE * this.scale;
    const [x, y] = [this.width - 14 - length, this.height - 12];
    return [shape('path', { class: 'ruler', d: `M${x} ${y - 5}v5h${length}v-5` }), shape('text', { x, y: y - 8 }, km >= 1 ? `${km} km` : `${Math.round(km * 1000)} m`)];
  }
}
